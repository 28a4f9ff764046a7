"""The volume: which place belongs to whom, and the steps that change what is there.

::

    live/{namespace}/{name}                     -> ../../releases/{namespace}/{name}/{release}
    releases/{namespace}/{name}/{release}/…     immutable files
    releases/{namespace}/{name}/{release}.json  what it was made from
    releases/{namespace}/{name}/users           whose passwords nginx takes, where visitors need one

Only what has a name that we give is ever deleted: ``lost+found`` and whatever else somebody puts here stays. What
stands in the way of ours is set aside.
"""

import ctypes
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC
from pathlib import Path

import structlog

from pages.api import SiteKey
from syncer.errors import StorageFailed, StorageFull
from syncer.volume import records

log = structlog.get_logger(__name__)

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_USERS = "users"
_RELEASE = re.compile(r"([1-9][0-9]{0,15})-[0-9a-f]{12}")
_TEMPORARY = re.compile(r"\.tmp-[0-9a-f]{16}")


class ReleaseGone(Exception):
    """The release that was to go live was deleted meanwhile."""


class Volume:
    """Places and steps. ``fence`` is asked before each change of what visitors see and each deletion."""

    def __init__(self, root: Path, fence: Callable[[], None] = lambda: None) -> None:
        self.root = root
        self.fence = fence
        self._live = root / "live"
        self._releases = root / "releases"
        # What makes a folder or a link is never in between the look and the deed of what deletes one.
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the two folders and remove what a killed process left unfinished."""
        self.fence()
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.root, self._live, self._releases):
            make_folder(folder)
            if not folder.is_dir():
                raise StorageFailed(f"{folder} is not a folder; move it away")
        for place in (self._releases, *_labelled(self._live), *(self.home(site) for site in self.homes())):
            for leftover in _scan(place):
                if _TEMPORARY.fullmatch(leftover.name):
                    self.remove(place / leftover.name)

    def check_writable(self) -> None:
        """Raise OSError where nothing can be written."""
        probe = temporary_beside(self._releases / "probe")
        probe.touch()
        probe.unlink()

    def sites(self) -> list[SiteKey]:
        """The sites that are live."""
        found = [SiteKey(folder.name, link.name) for folder in _labelled(self._live) for link in _scan(folder)]
        return [site for site in found if _LABEL.fullmatch(site.name) and self.live_release(site)]

    def homes(self, namespace: str | None = None) -> list[SiteKey]:
        """The sites that have releases, live or not: all, or those of a namespace."""
        folders = _labelled(self._releases) if namespace is None else [self._releases / namespace]
        return [SiteKey(folder.name, home.name) for folder in folders for home in _labelled(folder)]

    def home(self, site: SiteKey) -> Path:
        """Where the site's releases are."""
        return self._releases / site.namespace / site.name

    def releases(self, site: SiteKey) -> list[str]:
        """The names of the site's releases, newest first; also of those that lack their folder or their record."""
        names = {each.name.removesuffix(".json") for each in _scan(self.home(site))}
        return sorted((name for name in names if _RELEASE.fullmatch(name)), key=stamp_of, reverse=True)

    def live_release(self, site: SiteKey) -> str | None:
        """The name of the release that visitors see, whether it is whole or not."""
        try:
            target = os.readlink(self._live / site.namespace / site.name)  # noqa: PTH115 - its text counts, dots and all
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            if not os.path.lexists(self._live / site.namespace / site.name):
                raise
            return None  # no link at all
        name = target.rpartition("/")[2]
        return name if _RELEASE.fullmatch(name) and target == _target(site, name) else None

    def new_folder(self, site: SiteKey) -> Path:
        """A new folder for a release of the site, to be renamed when it is complete."""
        with self._lock:
            for folder in (self.home(site).parent, self.home(site)):
                self._make_way(folder)
            temporary = temporary_beside(self.home(site) / "release")
            make_folder(temporary)
            return temporary

    def flush(self) -> None:
        """Wait until everything is on the disk, so that a link never outlives a power cut that its files do not."""
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "syncfs"):  # not Linux
            os.sync()
            return
        descriptor = os.open(self._releases, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if libc.syncfs(descriptor):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        finally:
            os.close(descriptor)

    def go_live(self, site: SiteKey, name: str, confirm: Callable[[], None] = lambda: None) -> None:
        """Show visitors this release from now on, with one rename. ``confirm`` raises to forbid that.

        Raises ReleaseGone where somebody has deleted it.
        """
        link = self._live / site.namespace / site.name
        with self._lock:
            self._make_way(link.parent)
            temporary = temporary_beside(link)
            temporary.symlink_to(_target(site, name))
            try:
                self.fence()
                self._check_there(site, name)
                confirm()
                if link.is_dir() and not link.is_symlink():
                    self._set_aside(link)
                temporary.replace(link)
            except BaseException:
                with suppress(OSError):
                    temporary.unlink()
                raise

    def take_offline(self, site: SiteKey) -> None:
        """Show visitors nothing any more."""
        self.fence()
        with self._lock, suppress(FileNotFoundError, NotADirectoryError):
            link = self._live / site.namespace / site.name
            if link.is_symlink():
                link.unlink()
            _remove_if_empty(link.parent)
            (self.home(site) / _USERS).unlink(missing_ok=True)

    def write_users(self, site: SiteKey, content: bytes | None) -> None:
        """Let nginx take these passwords, an htpasswd file; None: nobody's."""
        file = self.home(site) / _USERS
        try:
            before = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            before = None
        if before == content:
            return
        self.fence()
        with self._lock:
            if content is None:
                file.unlink(missing_ok=True)
                return
            for folder in (self.home(site).parent, self.home(site)):
                self._make_way(folder)
            temporary = temporary_beside(file)
            temporary.write_bytes(content)
            temporary.chmod(0o644)  # nginx is another user
            temporary.replace(file)

    def remove_release(self, site: SiteKey, name: str) -> None:
        """Delete a release, unless it is live."""
        folder = self.home(site) / name
        with self._lock:
            self.fence()
            if self.live_release(site) == name:
                return
            trash = _to_trash(folder)
            delete(records.path_of(folder))
        if trash:
            delete(trash)

    def remove_home(self, site: SiteKey) -> None:
        """Delete the folder of a site that has nothing in it."""
        with self._lock:
            _remove_if_empty(self.home(site))
            _remove_if_empty(self.home(site).parent)

    def remove(self, path: Path) -> None:
        """Delete a folder or a file; out of the way first, so that who still writes there fails."""
        trash = _to_trash(path)
        if trash:
            delete(trash)

    def _check_there(self, site: SiteKey, name: str) -> None:
        if not (self.home(site) / name).is_dir():
            raise ReleaseGone

    def _make_way(self, folder: Path) -> None:
        make_folder(folder)
        if folder.is_symlink() or not folder.is_dir():
            self._set_aside(folder)
            make_folder(folder)

    def _set_aside(self, path: Path) -> None:
        aside = path.with_name(f"{path.name}.aside-{secrets.token_hex(4)}")
        path.rename(aside)
        log.warning("stranger_set_aside", path=str(path), aside=str(aside))


def stamp_of(name: str) -> int:
    """The stamp in a release's name."""
    return int(name.partition("-")[0])


def temporary_beside(path: Path) -> Path:
    """A name that nobody else uses, which the next start sweeps away."""
    return path.with_name(f".tmp-{secrets.token_hex(8)}")


def make_folder(path: str | Path) -> None:
    """A folder that nginx may enter, whatever the umask. It may be there already."""
    with suppress(FileExistsError):
        os.mkdir(path, 0o755)  # noqa: PTH102 - of 5,000 files' folders, pathlib costs more than the system call
        if os.stat(path).st_mode & 0o777 != 0o755:  # noqa: PTH116, PLR2004 - see above
            os.chmod(path, 0o755)  # noqa: PTH101, S103 - see above


def delete(path: Path) -> None:
    """Delete a folder as far as possible, or a file."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def storage_errors() -> Iterator[None]:
    """What the operating system says of the volume, as a SyncError."""
    try:
        yield
    except OSError as error:
        if error.errno in {ENOSPC, EDQUOT}:
            raise StorageFull("the volume is full; free space or make it larger (the last release stays)") from error
        raise StorageFailed(f"the volume cannot be used: {error.strerror or error}") from error


def _target(site: SiteKey, name: str) -> str:
    return f"../../releases/{site.namespace}/{site.name}/{name}"


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _labelled(folder: Path) -> list[Path]:
    """The folders that are called as a namespace or a site may be."""
    entries = [entry for entry in _scan(folder) if _LABEL.fullmatch(entry.name)]
    return [folder / entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def _to_trash(path: Path) -> Path | None:
    trash = temporary_beside(path)
    try:
        return path.rename(trash)
    except FileNotFoundError:
        return None


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # not empty, or gone
        folder.rmdir()
