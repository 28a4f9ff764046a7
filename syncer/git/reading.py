"""What a mirror holds, read by as few children as possible."""

import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

from syncer.errors import SyncError
from syncer.git.commands import Git
from syncer.git.object_reader import Objects

_CONVERSATION_SECONDS = 20.0  # its clock allows for a large site after that


class Reading:
    """The conversation about a mirror's objects that several sites share; one that has gone on for long is ended."""

    def __init__(self, git: Git, folder: Path) -> None:
        self._git = git
        self._folder = folder
        self._stack = ExitStack()
        self._objects: Objects | None = None
        self._since = 0.0

    def objects(self) -> Objects:
        """The one that goes on, or a new one."""
        if self._objects and time.monotonic() - self._since > _CONVERSATION_SECONDS:
            self.close()
        if self._objects is None:
            self._objects = self._stack.enter_context(self._git.objects(self._folder))
            self._since = time.monotonic()
        return self._objects

    def close(self) -> None:
        """End it, however it went."""
        self._objects = None
        with suppress(SyncError):
            self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
