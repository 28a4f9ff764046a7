"""How full the disks are. The housekeeping measures them, because a failing disk blocks the caller."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from syncer.disk.policy import Usage, readable_size


class DiskRoom(NamedTuple):
    """Bytes and inodes of a file system, and those that are free for us."""

    size: int
    free: int
    inodes: int
    inodes_free: int

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Measure the file system of a folder."""
        stat = os.statvfs(folder)
        return cls(stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize, stat.f_files, max(0, stat.f_favail))


@dataclass(frozen=True)
class Disk:
    """The file system of a folder, and the share of it that stays free."""

    folder: Path
    keep_free: float

    def shortage(self, need: Usage = Usage()) -> str:  # noqa: B008 - frozen
        """What is missing for this need, in words; empty if nothing is."""
        stat = os.statvfs(self.folder)
        size, free = stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize
        # Each file takes whole blocks.
        needed = need.bytes + need.files * stat.f_frsize
        if free - needed < size * self.keep_free:
            return (
                f"{readable_size(free)} of {readable_size(size)} are free{self._reserve()}, "
                f"and {readable_size(needed)} are needed"
            )
        # 0 means that the file system has no limit.
        if stat.f_files and stat.f_favail - need.files < stat.f_files * self.keep_free:
            return (
                f"{stat.f_favail:,} of {stat.f_files:,} inodes are free{self._reserve()}, and {need.files:,} are needed"
            )
        return ""

    def _reserve(self) -> str:
        return f" ({self.keep_free:.0%} are reserved)" if self.keep_free else ""


@dataclass(frozen=True)
class Disks:
    """The disks by name (``volume``, ``cache``), and the numbers of ``live`` and ``kept`` releases."""

    rooms: Mapping[str, DiskRoom]
    live: int
    kept: int
