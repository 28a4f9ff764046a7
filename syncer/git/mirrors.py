"""Bare repositories in a cache that may be lost at any time."""

import re
import shutil
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from syncer.disk.policy import DiskPolicy
from syncer.disk.room import Disk, DiskRoom
from syncer.errors import GitFailed, RevisionNotFound, StorageFull, SyncError
from syncer.git.attempts import Attempts
from syncer.git.commands import Git
from syncer.git.heads import NotUnderstood
from syncer.git.packs import Packs, set_ref
from syncer.git.remote import Remote
from syncer.sources import Source

log = structlog.get_logger(__name__)

_TIMES_LARGEST = 3
_FRESH = ".new"
_MIRROR = re.compile(rf"([0-9a-f]{{32}})({re.escape(_FRESH)})?")
# What `git init --bare` would write, without the process: for ids of SHA-1, and of SHA-256.
_HEAD = "ref: refs/heads/none\n"
_CONFIG = {
    40: "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
    64: "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n",
}
# A killed fetch leaves these behind. Git refuses to fetch while a lock exists.
_LEFTOVERS = (
    "*.lock",
    "refs/**/*.lock",
    "objects/pack/tmp_*",
    "objects/pack/.tmp-*",
    "objects/tmp_*",
    "objects/*/tmp_obj_*",
)


class Relief(Protocol):
    """What else uses the same disk."""

    def relieve(self) -> None:
        """Delete what can be spared."""


class _Room:
    """Keeps a share of the cache's disk free."""

    def __init__(self, disk: Disk, relief: Relief | None) -> None:
        self._disk = disk
        self._relief = relief

    def make(self) -> None:
        """Raise StorageFull where the disk is full and nothing can be spared."""
        if self._relief and self._disk.shortage():
            self._relief.relieve()
        if shortage := self._disk.shortage():
            raise StorageFull(f"the git cache is full: {shortage}; free space or enlarge it")


@dataclass(frozen=True)
class Repacking:
    """When packs become one: there are more than so many, or they have more bytes than one pack of the same would."""

    packs: int = 20
    bytes: int = 32 << 20

    def is_due(self, sizes: Sequence[int]) -> bool:
        """Whether packs of these sizes are too many."""
        return len(sizes) > self.packs or sum(sizes) > max(self.bytes, _TIMES_LARGEST * max(sizes, default=0))


@dataclass(frozen=True)
class _Tools:
    """What all mirrors of a cache share."""

    git: Git
    packs: Packs
    room: _Room
    repacking: Repacking


class Mirror:
    """The bare repository of a source, while its lock is held."""

    def __init__(self, folder: Path, source: Source, remote: Remote, tools: _Tools) -> None:
        self.folder = folder
        self.source = source
        self.remote = remote
        self._tools = tools

    @property
    def head(self) -> str | None:
        """The commit of the last fetch, or None."""
        try:
            return (self.folder / self.source.ref).read_text(errors="replace").strip() or None
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def at(self, source: Source) -> "Mirror":
        """The same mirror, for another branch or revision of it."""
        return Mirror(self.folder, source, self.remote, self._tools)

    def update(self, tip: str) -> str:
        """Fetch unless the mirror has the tip; return the commit that was fetched, which may be a later one."""
        if self.head != tip:
            self._fetch(tip)
        return self.head or ""

    def rebuild(self, tip: str) -> str:
        """Fetch everything again, by git, into a new mirror: this one is broken. It stays if the fetch fails."""
        fresh = self.folder.with_name(f"{self.folder.name}{_FRESH}")
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            self._begin(fresh, tip)
            self._fetch_by_git(fresh)
            shutil.rmtree(self.folder, ignore_errors=True)
            fresh.rename(self.folder)
        except StorageFull:
            shutil.rmtree(self.folder, ignore_errors=True)  # the disk cannot hold both
            raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return self.head or ""

    def tidy(self) -> None:
        """Bound the number and the size of packs, however often and much is pushed."""
        if self._tools.repacking.is_due([pack.stat().st_size for pack in self.folder.glob("objects/pack/*.pack")]):
            try:
                self._tools.git.repack(self.folder)
            except SyncError as error:  # broken, or beyond the limits; its content is published already (F16)
                log.warning(
                    "mirror_dropped", repo=self.source.repo, error=str(error), consequence="it is fetched again"
                )
                shutil.rmtree(self.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Remove the remains of a git that was killed or ran out of space."""
        shutil.rmtree(self.folder.with_name(f"{self.folder.name}{_FRESH}"), ignore_errors=True)
        for pattern in _LEFTOVERS:
            for leftover in self.folder.glob(pattern):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()

    def _fetch(self, tip: str) -> None:
        is_new = not self.folder.exists()
        self.sweep()
        try:
            self._fetch_into(self.folder, tip)
        except SyncError as error:
            self.sweep()
            if is_new or not isinstance(error, GitFailed):
                raise
            self.rebuild(tip)

    def _fetch_into(self, folder: Path, tip: str) -> None:
        """Fetch by one request where the server supports it, else by git, whose verdict counts."""
        self._begin(folder, tip)
        if self.remote.url.startswith("http"):
            with suppress(NotUnderstood, GitFailed):
                self._tools.packs.fetch(folder, self.remote, tip, self.source.ref)
                return
        self._fetch_by_git(folder)

    def _begin(self, folder: Path, tip: str) -> None:
        """Prepare the folder. Where the repository now has longer ids, the fetch fails and a rebuild follows."""
        for name in ("objects", "refs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "HEAD").write_text(_HEAD)
        if not (folder / "config").exists():
            (folder / "config").write_text(_CONFIG[len(tip)])
        self._tools.room.make()

    def _fetch_by_git(self, folder: Path) -> None:
        self._tools.git.fetch(folder, self.remote, self.source.wants, self.source.ref)
        if self.source.revision:
            self._peel(folder)

    def _peel(self, folder: Path) -> None:
        """Replace an annotated tag, an object of its own, by the commit that it names, if it names one."""
        with self._tools.git.objects(folder) as objects:
            commit = objects.find(f"{self.source.ref}^{{commit}}")
        if commit is None:
            (folder / self.source.ref).unlink(missing_ok=True)
            raise RevisionNotFound(f"{self.source.revision} is neither a commit nor a tag of one; check spec.revision")
        set_ref(folder, self.source.ref, commit[0])


class Mirrors:
    """The cache of mirrors, each for one user at a time. ``relief`` is asked for space where the disk is full."""

    def __init__(
        self,
        root: Path,
        git: Git,
        policy: DiskPolicy | None = None,
        relief: Relief | None = None,
        *,
        repacking: Repacking | None = None,
    ) -> None:
        self.attempts = Attempts(root)
        self._root = root
        room = _Room(Disk(root, (policy or DiskPolicy()).keep_free), relief)
        self._tools = _Tools(git, Packs(git), room, repacking or Repacking())
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._locks_lock = threading.Lock()
        self._swept: set[str] = set()

    @contextmanager
    def open(self, source: Source, remote: Remote) -> Iterator[Mirror]:
        """The source's mirror, for this thread alone."""
        with self._lock_of(source.mirror_id):
            mirror = Mirror(self._root / source.mirror_id, source, remote, self._tools)
            if source.mirror_id not in self._swept:
                mirror.sweep()  # after a process that was killed
                self._swept.add(source.mirror_id)
            yield mirror

    def disk(self) -> DiskRoom:
        """The free and used space of the cache."""
        self._root.mkdir(parents=True, exist_ok=True)
        return DiskRoom.of(self._root)

    def keep_only(self, sources: Collection[Source]) -> None:
        """Delete the mirrors that no source uses any more, and the refs of unused branches."""
        refs: defaultdict[str, set[str]] = defaultdict(set)
        for source in sources:
            refs[source.mirror_id].add(source.ref)
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            ours = _MIRROR.fullmatch(folder.name)
            # A mirror in use has to wait for the next time.
            if ours and (lock := self._lock_of(ours[1])).acquire(blocking=False):
                try:
                    _keep_refs(folder, refs.get(ours[1], set()))
                finally:
                    lock.release()

    def _lock_of(self, mirror_id: str) -> threading.Lock:
        with self._locks_lock:
            return self._locks[mirror_id]


def _keep_refs(mirror: Path, refs: Collection[str]) -> None:
    """Delete other refs, whose objects go with the next repacking; without any ref, delete the mirror."""
    if not refs:
        shutil.rmtree(mirror, ignore_errors=True)
        return
    for ref in mirror.glob("refs/pages/*"):
        if str(ref.relative_to(mirror)) not in refs:
            ref.unlink()
