"""How full the disks are and what is on them: measured by the housekeeping, for a disk may hang whoever asks it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self


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
class Disks:
    """The room by disk (``volume``, ``cache``), and how many releases are ``live`` or ``kept``."""

    rooms: Mapping[str, DiskRoom]
    live: int
    kept: int
