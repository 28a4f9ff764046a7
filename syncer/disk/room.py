"""How full the disks are and what is on them: measured by the housekeeping, for a disk may hang whoever asks it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from syncer.disk.policy import Usage, readable_size


class DiskRoom(NamedTuple):
    """Bytes and inodes of a file system, and what of them is free for us."""

    size: int
    free: int
    inodes: int
    inodes_free: int

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The room on the file system that the folder is on."""
        found = os.statvfs(folder)
        return cls(
            found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, found.f_files, max(0, found.f_favail)
        )


@dataclass(frozen=True)
class Disk:
    """The file system that a folder is on, and the share of it that is kept free."""

    folder: Path
    keep_free: float

    def shortage(self, need: Usage = Usage()) -> str:  # noqa: B008 - frozen
        """What is short where this is needed, in words; nothing where there is room."""
        found = os.statvfs(self.folder)
        size, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
        # Each file takes whole blocks.
        needed = need.bytes + need.files * found.f_frsize
        if free - needed < size * self.keep_free:
            return (
                f"{readable_size(free)} of {readable_size(size)} are free{self._reserve()}, "
                f"and {readable_size(needed)} are needed"
            )
        # No number at all: there are as many as one likes.
        if found.f_files and found.f_favail - need.files < found.f_files * self.keep_free:
            return (
                f"room for {found.f_favail:,} of {found.f_files:,} files is free{self._reserve()}, "
                f"and {need.files:,} are needed"
            )
        return ""

    def _reserve(self) -> str:
        return f" (of which {self.keep_free:.0%} stays so)" if self.keep_free else ""


@dataclass(frozen=True)
class Disks:
    """The room by disk (``volume``, ``cache``), and how many releases are ``live`` or ``kept``."""

    rooms: Mapping[str, DiskRoom]
    live: int
    kept: int
