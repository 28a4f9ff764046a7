"""The settings of `pages serve`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syncer.settings import Settings


@dataclass(frozen=True)
class Repository:
    """The one repository to publish without a manifest, by its canonical URL; ``branch`` is its default by default."""

    repo: str
    branch: str | None
    folder: str


@dataclass(frozen=True)
class ServeSettings:
    """Either ``manifests`` or one ``repository``; ``metrics_bind`` and ``site_metrics`` as for `pages syncer`."""

    manifests: Sequence[Path]
    repository: Repository | None
    state: Path
    address: str | None
    port: int
    sync_interval: str
    metrics_bind: str
    site_metrics: int
    syncer: Settings
