"""Readers that check continuously that visitors see whole releases only."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class Reader:
    """Reads the files of a live site over and over, on a thread. Each file holds the number of its commit.

    Two requests of a visitor may rightly see two releases, with a swap in between. So a pair is read below one open
    folder, where it has to be equal; and each file alone by its path, where numbers may only grow (unless two syncers
    are at work that know nothing of each other: not ``monotonic``). Where old releases have no grace time (not
    ``graced``), one that the link has left while it was read may be gone; one that it has named all the time may not.
    """

    def __init__(
        self,
        site: Path,
        names: Sequence[str] = ("a", "b/b"),
        *,
        monotonic: bool = True,
        graced: bool = True,
        pause: float = 0.005,
    ) -> None:
        self.reads = 0
        self.errors: list[str] = []
        self.torn: list[str] = []
        self._site = site
        self._names = names
        self._pause = pause
        self._monotonic = monotonic
        self._graced = graced
        self._highest = dict.fromkeys(names, 0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def assert_content(self) -> None:
        """Check that it has read, and whole releases only."""
        assert self.reads > 0
        assert self.errors == [], self.errors[:3]
        assert self.torn == [], self.torn[:3]

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._look(self._read_pair)
            self._look(self._read_paths)
            self.reads += 1
            self._stopping.wait(self._pause)

    def _look(self, read: Callable[[], None]) -> None:
        before = self._link()
        try:
            read()
        except (OSError, ValueError) as error:
            if self._graced or self._link() == before:
                self.errors.append(repr(error))

    def _link(self) -> Path | None:
        try:
            return self._site.readlink()
        except OSError as error:
            self.errors.append(repr(error))
            return None

    def _read_pair(self) -> None:
        folder = os.open(self._site, os.O_RDONLY | os.O_DIRECTORY)
        try:
            numbers = {_number(name, folder) for name in self._names}
        finally:
            os.close(folder)
        if len(numbers) != 1:
            self.torn.append(f"one release holds {numbers}")

    def _read_paths(self) -> None:
        for name in self._names:
            number = _number(str(self._site / name))
            if self._monotonic and number < self._highest[name]:
                self.torn.append(f"{name} went back from {self._highest[name]} to {number}")
            self._highest[name] = number


def _number(path: str, folder: int | None = None) -> int:
    descriptor = os.open(path, os.O_RDONLY, dir_fd=folder)
    try:
        return int(os.read(descriptor, 100).split()[0])
    finally:
        os.close(descriptor)
