"""A tree becomes a directory, the directory becomes live.

::

    live/{namespace}/{name}                     -> ../../releases/{namespace}/{name}/{release}
    releases/{namespace}/{name}/{release}/…     immutable files
    releases/{namespace}/{name}/{release}.json  what it was made from

A release is named after its stamp, a second later than any before it, which is also the mtime of its new files: a
changed file never keeps its ETag (made of mtime and size), an unchanged one is a hard link into the release before
and always does.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from errno import EDQUOT, EMLINK, ENOENT, ENOSPC, ENOTSUP, EPERM, EXDEV
from itertools import groupby
from pathlib import Path
from typing import IO, NamedTuple, cast

from syncer.errors import GitFailed, StorageFailed, StorageFull
from syncer.tree import File, Listing

_TEMPORARY = ".tmp-"
_CHUNK = 1 << 20
Blobs = dict[str, list[str | int]]  # path -> [blob id, size in bytes]
_NO_HARD_LINKS = {EPERM, EMLINK, EXDEV, ENOTSUP}
# For each of these blobs its id, its size, and the stream to read exactly that many bytes from.
ReadBlobs = Callable[[Sequence[str]], Iterator[tuple[str, int, IO[bytes]]]]


class SiteKey(NamedTuple):
    """Which site."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Release:
    """What a release was made from: the site's uid, and where its ``tree`` was found. ``stamp``: epoch seconds."""

    uid: str
    repo: str
    branch: str
    commit: str
    path: str
    tree: str
    stamp: int = 0
    size: int = 0
    files: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def origin(self) -> tuple[str, str, str, str, str]:
        """What says whether it is the release that a site should have."""
        return self.uid, self.repo, self.branch, self.commit, self.path


class Releases:
    """The only code that writes to the volume. At most one thread may work on one site at a time.

    ``fence`` is asked before each change of what visitors see and before each deletion; it raises to forbid that.
    """

    def __init__(
        self,
        root: Path,
        *,
        grace_seconds: float = 600,
        clock: Callable[[], float] = time.time,
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        self._live = root / "live"
        self._releases = root / "releases"
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._fence = fence

    def prepare(self) -> None:
        """Make the two folders and remove what a killed process left unfinished."""
        self._fence()
        with _storage_errors():
            self._live.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self._live.parent, self._live, self._releases):
                _make_folder(folder)
            for leftover in (*self._releases.glob(f"*/*/{_TEMPORARY}*"), *self._live.glob(f"*/{_TEMPORARY}*")):
                _remove(leftover)

    def sites(self) -> list[SiteKey]:
        """The sites that are live."""
        return [SiteKey(link.parent.name, link.name) for link in self._live.glob("*/*") if link.is_symlink()]

    def current(self, site: SiteKey) -> Release | None:
        """The live release, or None where there is none that is whole."""
        folder = self._current_folder(site)
        return _read_release(folder) if folder else None

    def publish(self, site: SiteKey, draft: Release, listing: Listing, blobs: ReadBlobs) -> Release:
        """Write the tree that ``draft`` names as a new release and make it live.

        Raises StorageFull, StorageFailed, GitFailed; the release that was live stays so.
        """
        self._fence()
        home = self._releases / site.namespace / site.name
        with _storage_errors():
            _make_folder(home.parent)
            _make_folder(home)
            release = replace(
                draft,
                stamp=self._next_stamp(home),
                size=listing.size,
                files=len(listing.files),
                skipped=dict(listing.skipped),
            )
            folder = home / f"{release.stamp}-{release.tree[:12]}"
            temporary = home / f"{_TEMPORARY}{folder.name}"
            try:
                self._write_files(temporary, release.stamp, listing.files, blobs, self._current_folder(site))
                _write_record(folder, release, {file.path: [file.oid, file.size] for file in listing.files})
                temporary.rename(folder)
            except BaseException:
                _remove(temporary)
                _record(folder).unlink(missing_ok=True)
                raise
            self._go_live(site, folder)
        return release

    def restate(self, site: SiteKey, draft: Release) -> Release:
        """Record that the live tree has a new origin: nothing that visitors see changes."""
        folder = self._current_folder(site)
        if folder is None:
            raise StorageFailed(f"the live release of {site} is gone; it is published anew")
        current, blobs = _read_release(folder), _read_blobs(folder)
        release = replace(draft, stamp=current.stamp, size=current.size, files=current.files, skipped=current.skipped)
        self._fence()
        with _storage_errors():
            _write_record(folder, release, blobs)
        return release

    def take_offline(self, site: SiteKey) -> None:
        """Stop serving the site now; its files follow after the grace time."""
        self._fence()
        with _storage_errors():
            folder = self._current_folder(site)
            (self._live / site.namespace / site.name).unlink(missing_ok=True)
            if folder:
                _record(folder).touch()  # the grace time counts from here

    def collect(self) -> None:
        """Delete what has not been live for the grace time (a slow reader may still hold the release before)."""
        with _storage_errors():
            for home in self._releases.glob("*/*"):
                self._fence()
                self._collect(home)

    def _collect(self, home: Path) -> None:
        current = self._current_folder(SiteKey(home.parent.name, home.name))
        oldest_kept = self._clock() - self._grace_seconds
        for folder in [each for each in home.iterdir() if each.is_dir() and each != current]:
            record = _record(folder)
            since = record.stat().st_mtime if record.exists() else folder.stat().st_mtime
            if since < oldest_kept and not folder.name.startswith(_TEMPORARY):
                trash = folder.rename(home / f"{_TEMPORARY}trash-{folder.name}")
                record.unlink(missing_ok=True)
                _remove(trash)
        if current is None:
            with suppress(OSError):  # not empty yet
                home.rmdir()

    def _current_folder(self, site: SiteKey) -> Path | None:
        try:
            name = (self._live / site.namespace / site.name).readlink().name
        except FileNotFoundError:
            return None
        folder = self._releases / site.namespace / site.name / name
        return folder if folder.is_dir() and _record(folder).is_file() else None

    def _next_stamp(self, home: Path) -> int:
        stamps = [int(each.name.partition("-")[0]) for each in home.iterdir() if each.name[0].isdigit()]
        return max([int(self._clock()), *(stamp + 1 for stamp in stamps)])

    def _write_files(
        self, folder: Path, stamp: int, files: Sequence[File], blobs: ReadBlobs, previous: Path | None
    ) -> None:
        _make_folders(folder, files)
        known = _read_blobs(previous) if previous else {}
        unchanged = [file for file in files if known.get(file.path) == [file.oid, file.size]]
        linked = _link_files(previous, folder, unchanged) if previous else set()
        missing = [file for file in files if file.path not in linked]
        contents = blobs([file.oid for file in missing])
        for file, (_, size, stream) in zip(missing, contents, strict=True):
            _write_file(folder / file.path, size, stream, stamp)

    def _go_live(self, site: SiteKey, folder: Path) -> None:
        previous = self._current_folder(site)
        home = self._live / site.namespace
        _make_folder(home)
        link = home / f"{_TEMPORARY}{site.name}"
        link.unlink(missing_ok=True)
        link.symlink_to(Path("../../releases") / site.namespace / site.name / folder.name)
        self._fence()
        link.replace(home / site.name)
        if previous:
            _record(previous).touch()  # its grace time begins


def _record(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _read_release(folder: Path) -> Release:
    with _record(folder).open() as record:
        return Release(**json.loads(record.readline()))


def _read_blobs(folder: Path) -> Blobs:
    with _record(folder).open() as record:
        record.readline()
        return cast("Blobs", json.loads(record.readline()))


def _write_record(folder: Path, release: Release, blobs: Blobs) -> None:
    """Two lines: the release, which is read at every sync, and its files, which are read by the next release."""
    temporary = folder.with_name(f"{_TEMPORARY}{folder.name}.json")
    temporary.write_text(f"{json.dumps(asdict(release))}\n{json.dumps(blobs)}\n")
    temporary.replace(_record(folder))


def _make_folders(root: Path, files: Sequence[File]) -> None:
    """The release's folder and all below it, parents first, whatever the umask."""
    wanted = {""}
    for file in files:
        parent = file.path.rpartition("/")[0]
        while parent not in wanted:
            wanted.add(parent)
            parent = parent.rpartition("/")[0]
    for path in sorted(wanted):
        _make_folder(f"{root}/{path}")


def _make_folder(path: str | Path) -> None:
    """A folder that nginx may enter, whatever the umask. It may be there already."""
    with suppress(FileExistsError):
        os.mkdir(path, 0o755)  # noqa: PTH102 - of 5,000 files' folders, pathlib costs more than the system call
        if os.stat(path).st_mode & 0o777 != 0o755:  # noqa: PTH116, PLR2004 - see above
            os.chmod(path, 0o755)  # noqa: PTH101, S103 - see above


def _link_files(previous: Path, folder: Path, files: Iterable[File]) -> set[str]:
    """Take unchanged files over, with their mtime, from the release before; return which ones could be."""
    linked: set[str] = set()
    for parent, siblings in groupby(files, key=lambda file: file.path.rpartition("/")[0]):
        with suppress(FileNotFoundError), _opened(previous / parent) as source, _opened(folder / parent) as target:
            _link_folder(siblings, source, target, linked)
    return linked


def _link_folder(files: Iterable[File], source: int, target: int, linked: set[str]) -> None:
    for file in files:
        name = file.path.rpartition("/")[2]
        try:
            os.link(name, name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in {ENOENT, *_NO_HARD_LINKS}:
                raise
        else:
            linked.add(file.path)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_file(path: Path, size: int, stream: IO[bytes], stamp: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        while size:
            chunk = stream.read(min(size, _CHUNK))
            if not chunk:
                raise GitFailed("the mirror's content is cut short; it is fetched anew")
            _write_all(descriptor, chunk)
            size -= len(chunk)
        os.fchmod(descriptor, 0o644)
        os.utime(descriptor, (stamp, stamp))
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {ENOSPC, EDQUOT}:
            raise StorageFull("the volume is full; free space or make it larger (the last release stays)") from error
        raise StorageFailed(f"the volume cannot be written: {error.strerror or error}") from error
