"""Reads a mirror with as few children as possible."""

import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

from syncer.errors import SyncError
from syncer.git.commands import Git
from syncer.git.object_reader import Objects

_CONVERSATION_SECONDS = 20.0  # which leaves a large site enough of its time


class Reading:
    """A ``git cat-file`` that several sites share; it is replaced when it gets old, because its time is limited."""

    def __init__(self, git: Git, folder: Path) -> None:
        self._git = git
        self._folder = folder
        self._stack = ExitStack()
        self._objects: Objects | None = None
        self._since = 0.0

    def objects(self) -> Objects:
        """The running reader, or a new one."""
        if self._objects and time.monotonic() - self._since > _CONVERSATION_SECONDS:
            self.close()
        if self._objects is None:
            self._objects = self._stack.enter_context(self._git.objects(self._folder))
            self._since = time.monotonic()
        return self._objects

    def close(self) -> None:
        """End the reader and ignore how it ended."""
        self._objects = None
        with suppress(SyncError):
            self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
