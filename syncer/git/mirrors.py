"""Bare repositories in a cache that may be lost at any time."""

import re
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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

_PACKS_BEFORE_REPACK = 20
_BYTES_BEFORE_REPACK = 32 << 20
_TIMES_LARGEST = 3
_FRESH = ".new"
_MIRROR = re.compile(rf"([0-9a-f]{{32}})({re.escape(_FRESH)})?")
# What `git init --bare` would write, without the process: for ids of SHA-1, and of SHA-256.
_HEAD = "ref: refs/heads/none\n"
_CONFIG = {
    40: "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
    64: "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n",
}
# A killed fetch leaves these behind, and the first kind blocks every later one (threats, fact 7).
_LEFTOVERS = (
    "*.lock",
    "refs/**/*.lock",
    "objects/pack/tmp_*",
    "objects/pack/.tmp-*",
    "objects/tmp_*",
    "objects/*/tmp_obj_*",
)


class Mirror:
    """The bare repository of a source, while its lock is held."""

    def __init__(
        self, folder: Path, git: Git, packs: Packs, source: Source, remote: Remote, *, make_room: Callable[[], None]
    ) -> None:
        self.folder = folder
        self.source = source
        self.remote = remote
        self._git = git
        self._packs = packs
        self._make_room = make_room

    @property
    def head(self) -> str | None:
        """The commit that was fetched last, or None."""
        try:
            return (self.folder / self.source.ref).read_text(errors="replace").strip() or None
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def at(self, source: Source) -> "Mirror":
        """The same mirror, for another branch or revision of it."""
        return Mirror(self.folder, self._git, self._packs, source, self.remote, make_room=self._make_room)

    def update(self, tip: str) -> str:
        """Make present what the server says to be that commit; return what it is by then."""
        if self.head != tip:
            self._fetch(tip)
        return self.head or ""

    def rebuild(self, tip: str) -> str:
        """Fetch everything anew, by git, for a mirror of ``tip`` that turned out to be broken.

        It stays where that fails.
        """
        fresh = self.folder.with_name(f"{self.folder.name}{_FRESH}")
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            self._begin(fresh, tip)
            self._fetch_by_git(fresh)
            shutil.rmtree(self.folder, ignore_errors=True)
            fresh.rename(self.folder)
        except StorageFull:
            shutil.rmtree(self.folder, ignore_errors=True)  # there is no room for both
            raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return self.head or ""

    def tidy(self) -> None:
        """Keep the number and the size of packs bounded, whatever is pushed."""
        sizes = [pack.stat().st_size for pack in self.folder.glob("objects/pack/*.pack")]
        if len(sizes) > _PACKS_BEFORE_REPACK or sum(sizes) > max(
            _BYTES_BEFORE_REPACK, _TIMES_LARGEST * max(sizes, default=0)
        ):
            try:
                self._git.repack(self.folder)
            except SyncError as error:  # broken, or too much for the limits: what it holds is published already (F16)
                log.warning("mirror_dropped", repo=self.source.repo, error=str(error), consequence="it is fetched anew")
                shutil.rmtree(self.folder, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what a git left behind that was killed or had no room."""
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
        """By one request where the server plays along, else by git, whose verdict counts."""
        self._begin(folder, tip)
        if self.remote.url.startswith("http"):
            with suppress(NotUnderstood, GitFailed):
                self._packs.fetch(folder, self.remote, tip, self.source.ref)
                return
        self._fetch_by_git(folder)

    def _begin(self, folder: Path, tip: str) -> None:
        """A repository that has another kind of ids by now is another one: its fetch fails, and it is fetched anew."""
        for name in ("objects", "refs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "HEAD").write_text(_HEAD)
        if not (folder / "config").exists():
            (folder / "config").write_text(_CONFIG[len(tip)])
        self._make_room()

    def _fetch_by_git(self, folder: Path) -> None:
        self._git.fetch(folder, self.remote, self.source.wants, self.source.ref)
        if self.source.revision:
            self._peel(folder)

    def _peel(self, folder: Path) -> None:
        """An annotated tag is an object of its own, and stands for a commit, or for anything else."""
        with self._git.objects(folder) as objects:
            found = objects.find(f"{self.source.ref}^{{commit}}")
        if found is None:
            (folder / self.source.ref).unlink(missing_ok=True)
            raise RevisionNotFound(f"{self.source.revision} is not a commit, nor a tag of one; check spec.revision")
        set_ref(folder, self.source.ref, found[0])


class Mirrors:
    """The cache of mirrors; one user at a time for each. ``relieve`` is asked for room elsewhere on the same disk."""

    def __init__(
        self, root: Path, git: Git, policy: DiskPolicy | None = None, relieve: Callable[[], None] = lambda: None
    ) -> None:
        self.attempts = Attempts(root)
        self._root = root
        self._git = git
        self._packs = Packs(git)
        self._disk = Disk(root, (policy or DiskPolicy()).keep_free)
        self._relieve = relieve
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._locks_lock = threading.Lock()
        self._swept: set[str] = set()

    @contextmanager
    def open(self, source: Source, remote: Remote) -> Iterator[Mirror]:
        """The source's mirror, for this thread alone."""
        with self._lock_of(source.mirror_id):
            mirror = Mirror(
                self._root / source.mirror_id, self._git, self._packs, source, remote, make_room=self._make_room
            )
            if source.mirror_id not in self._swept:
                mirror.sweep()  # after a process that was killed
                self._swept.add(source.mirror_id)
            yield mirror

    def disk(self) -> DiskRoom:
        """The room in the cache."""
        self._root.mkdir(parents=True, exist_ok=True)
        return DiskRoom.of(self._root)

    def keep_only(self, sources: Collection[Source]) -> None:
        """Delete the mirrors of sources that no site has any more, and the refs of their branches."""
        refs: defaultdict[str, set[str]] = defaultdict(set)
        for source in sources:
            refs[source.mirror_id].add(source.ref)
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            ours = _MIRROR.fullmatch(folder.name)
            # One that is in use is looked at the next time.
            if ours and (lock := self._lock_of(ours[1])).acquire(blocking=False):
                try:
                    _keep_refs(folder, refs.get(ours[1], set()))
                finally:
                    lock.release()

    def _lock_of(self, mirror_id: str) -> threading.Lock:
        with self._locks_lock:
            return self._locks[mirror_id]

    def _make_room(self) -> None:
        if self._disk.shortage():
            self._relieve()
        if shortage := self._disk.shortage():
            raise StorageFull(f"the git cache is full: {shortage}; free space or make it larger")


def _keep_refs(mirror: Path, wanted: Collection[str]) -> None:
    """Without a ref, a branch's objects go at the next repacking; without any, the mirror goes."""
    if not wanted:
        shutil.rmtree(mirror, ignore_errors=True)
        return
    for ref in mirror.glob("refs/pages/*"):
        if str(ref.relative_to(mirror)) not in wanted:
            ref.unlink()
