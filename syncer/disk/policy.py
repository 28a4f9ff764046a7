"""How the volume and the cache are used: what is kept, what is kept free, how much a tenant may take."""

from dataclasses import dataclass, field
from typing import Self

_GIB = 1 << 30


@dataclass(frozen=True)
class Quota:
    """Bytes and files (folders count too) on the volume, hard-linked ones once; 0 means any number."""

    bytes: int = 0
    files: int = 0


@dataclass(frozen=True)
class Usage:
    """Bytes of files, and how many files and folders."""

    bytes: int = 0
    files: int = 0

    def __add__(self, other: Self) -> "Usage":
        return Usage(self.bytes + other.bytes, self.files + other.files)


@dataclass(frozen=True)
class DiskPolicy:
    """What the operator decides about the disk.

    A release that is not live any more is kept for the grace time whatever happens, then among the newest
    ``keep_releases`` for at most ``keep_seconds``, and less long where the disk or a quota is full. ``keep_free`` is
    the share of the disk that is never used. ``verify_bytes`` are read back at each housekeeping. Assets that a release
    has no more are answered for ``keep_assets_seconds``, for pages that are open.
    """

    grace_seconds: float = 600
    keep_releases: int = 3
    keep_seconds: float = 7 * 24 * 3600
    keep_free: float = 0.01
    keep_assets_seconds: float = 24 * 3600
    site: Quota = field(default_factory=lambda: Quota(2 * _GIB, 100_000))
    namespace: Quota = field(default_factory=lambda: Quota(20 * _GIB, 1_000_000))
    verify_bytes: int = 16 << 20


def readable_size(number: float) -> str:
    """``1.5 GiB``."""
    for unit in ("bytes", "KiB", "MiB"):
        if number < 1 << 10:
            return f"{number:.3g} {unit}" if unit != "bytes" else f"{number:.0f} bytes"
        number /= 1 << 10
    return f"{number:.3g} GiB" if number < 1 << 10 else f"{number:,.0f} GiB"
