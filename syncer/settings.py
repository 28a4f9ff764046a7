"""The operator's settings of the syncer: the same in a cluster and on one machine, and what only a cluster needs."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from syncer.disk.policy import DiskPolicy
from syncer.egress.hosts import AllowedHosts
from syncer.limits import Limits
from syncer.schedule.lanes import Backoff, Capacity
from syncer.webhooks.trust import Trust

HOUSEKEEPING_SECONDS = 60.0


@dataclass(frozen=True)
class Settings:
    """``heartbeat`` is how often ``lastSync`` alone is a reason to write a status."""

    volume: Path
    cache: Path
    hosts: AllowedHosts
    limits: Limits = field(default_factory=Limits)
    disk: DiskPolicy = field(default_factory=DiskPolicy)
    capacity: Capacity = field(default_factory=Capacity)
    backoff: Backoff = field(default_factory=Backoff)
    trust: Trust = field(default_factory=Trust)
    heartbeat: timedelta = timedelta(hours=1)
    housekeeping_seconds: float = HOUSEKEEPING_SECONDS


@dataclass(frozen=True)
class Binds:
    """Where each of the syncer's web applications listens, as HOST:PORT; empty for those that are turned off."""

    api: str
    health: str
    dashboard: str
    metrics: str


@dataclass(frozen=True)
class ClusterSettings:
    """``lease`` is how long others wait after the last renewal; ``site_metrics`` sites have metrics of their own."""

    namespace: str
    lease: timedelta
    binds: Binds
    site_metrics: int
    syncer: Settings
