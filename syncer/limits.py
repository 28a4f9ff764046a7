"""The operator's limits for sites, git processes and waiting times, with their defaults."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SiteLimits:
    """How large a published site may be (C4). The depth of a path counts its names, its length its bytes."""

    files: int = 20_000
    file_bytes: int = 100 << 20
    site_bytes: int = 500 << 20
    path_depth: int = 64
    path_bytes: int = 1024


@dataclass(frozen=True)
class ProcessLimits:
    """What one git process may use: CPU seconds, bytes of a file it writes (a pack), bytes of memory, open files."""

    cpu_seconds: int = 120
    file_bytes: int = 1 << 30
    memory_bytes: int = 2 << 30
    open_files: int = 256


@dataclass(frozen=True)
class Timeouts:
    """Seconds for a request to a server or a mirror, and for a transfer or a whole release."""

    ask: float = 30
    transfer: float = 120


@dataclass(frozen=True)
class Limits:
    """All limits of the operator."""

    site: SiteLimits = field(default_factory=SiteLimits)
    process: ProcessLimits = field(default_factory=ProcessLimits)
    timeouts: Timeouts = field(default_factory=Timeouts)
