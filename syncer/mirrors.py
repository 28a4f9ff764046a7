"""Bare repositories in a cache that may be lost at any time."""

import shutil
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from syncer.attempts import Attempts
from syncer.errors import GitFailed
from syncer.git import Git, Remote
from syncer.heads import NotUnderstood
from syncer.packs import Packs
from syncer.sources import Source

_PACKS_BEFORE_REPACK = 20
# What `git init --bare` would write, without the process.
_SKELETON = {"HEAD": "ref: refs/heads/none\n", "config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"}
# A killed fetch leaves these behind, and the first kind blocks every later one (threats, fact 7).
_LEFTOVERS = ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*", "objects/tmp_*", "objects/*/tmp_obj_*")


class Mirror:
    """The bare repository of a source, while its lock is held."""

    def __init__(self, folder: Path, git: Git, packs: Packs, source: Source, remote: Remote) -> None:
        self.folder = folder
        self.source = source
        self._git = git
        self._packs = packs
        self.remote = remote

    @property
    def head(self) -> str | None:
        """The commit that was fetched last, or None."""
        try:
            return (self.folder / self.source.ref).read_text().strip() or None
        except FileNotFoundError:
            return None

    def at(self, source: Source) -> "Mirror":
        """The same mirror, for another branch of it."""
        return Mirror(self.folder, self._git, self._packs, source, self.remote)

    def update(self, tip: str) -> str:
        """Make the branch's tip present, which the server says to be that commit; return what it is by then."""
        if self.head != tip:
            self._fetch(tip)
        return self.head or ""

    def rebuild(self) -> str:
        """Fetch everything anew, for a mirror that turned out to be broken."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._fetch()
        return self.head or ""

    def tidy(self) -> None:
        """Keep the number of packs bounded, whatever the number of pushes."""
        if len(list(self.folder.glob("objects/pack/*.pack"))) > _PACKS_BEFORE_REPACK:
            self._git.repack(self.folder)

    def _fetch(self, tip: str | None = None) -> None:
        is_new = not self.folder.exists()
        self._prepare()
        try:
            self._fetch_into(tip)
        except GitFailed:
            if is_new:
                raise
            self.rebuild()

    def _fetch_into(self, tip: str | None) -> None:
        """By one request where the server plays along, else by git, whose verdict counts."""
        if tip and self.remote.url.startswith("http"):
            with suppress(NotUnderstood, GitFailed):
                self._packs.fetch(self.folder, self.remote, tip, self.source.ref)
                return
        self._git.fetch(self.folder, self.remote, self.source.branch, self.source.ref)

    def _prepare(self) -> None:
        for pattern in _LEFTOVERS:
            for leftover in self.folder.glob(pattern):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        for name in ("objects", "refs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name, content in _SKELETON.items():
            (self.folder / name).write_text(content)


class Mirrors:
    """The cache of mirrors; one user at a time for each."""

    def __init__(self, root: Path, git: Git) -> None:
        self.attempts = Attempts(root)
        self._root = root
        self._git = git
        self._packs = Packs(git)
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._locks_lock = threading.Lock()

    @contextmanager
    def open(self, source: Source, remote: Remote) -> Iterator[Mirror]:
        """The source's mirror, for this thread alone."""
        with self._locks_lock:
            lock = self._locks[source.mirror_id]
        with lock:
            yield Mirror(self._root / source.mirror_id, self._git, self._packs, source, remote)

    def keep_only(self, sources: Collection[Source]) -> None:
        """Delete the mirrors of sources that no site has any more."""
        wanted = {source.mirror_id for source in sources}
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            if folder.name not in wanted:
                with self._locks[folder.name]:
                    shutil.rmtree(folder, ignore_errors=True)
