"""A syncer on an empty volume, for measuring."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from pages.api import ALLOW_LOCAL, StaticSite, StaticSiteStatus
from pages.core import Secret
from syncer.git import Git
from syncer.hosts import AllowedHosts
from syncer.mirrors import Mirrors
from syncer.releases import Releases
from syncer.service import Syncer
from syncer.stores import Snapshot
from syncer.sync import SourceSync


@dataclass(frozen=True)
class Source:
    """A site by name and repository."""

    name: str
    repo: str

    def site(self) -> StaticSite:
        """The StaticSite."""
        metadata = {"namespace": "bench", "name": self.name, "uid": self.name}
        return StaticSite.model_validate(
            {"metadata": metadata, "spec": {"repo": self.repo}}, context={ALLOW_LOCAL: True}
        )


class _Store:
    """Sites that never change; statuses that nobody reads."""

    def __init__(self, sites: Sequence[StaticSite]) -> None:
        self._snapshot = Snapshot(sites=list(sites))

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def secret(self, namespace: str, name: str) -> Secret | None:  # noqa: ARG002 - a Store's
        return None

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        pass


def source_sync(root: Path, hosts: AllowedHosts) -> tuple[SourceSync, Git, Releases, Mirrors]:
    """What a worker of the syncer does, and what it stands on."""
    git = Git(local=hosts.local)
    releases, mirrors = Releases(root / "volume"), Mirrors(root / "mirrors", git)
    made = SourceSync(
        git=git, mirrors=mirrors, releases=releases, hosts=hosts, read_secret=lambda _namespace, _name: None
    )
    return made, git, releases, mirrors


@contextmanager
def syncer_of(sources: Sequence[Source], root: Path, *, hosts: str, done: Callable[[], None]) -> Iterator[None]:
    """A running syncer; ``done`` is called after each sync."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sync, git, releases, mirrors = source_sync(root, AllowedHosts.parse(hosts))
    store = _Store([source.site() for source in sources])
    syncer = Syncer(store, sync, releases, mirrors, observer=lambda _site, _outcome: done())
    thread = threading.Thread(target=syncer.run)
    thread.start()
    try:
        yield
    finally:
        git.close()
        syncer.stop()
        thread.join()
