"""A syncer without a cluster, for measuring."""

from collections.abc import Sequence
from pathlib import Path

from bench.adapters import Site
from pages.api import ALLOW_LOCAL, StaticSite, StaticSiteStatus
from pages.core import Secret
from syncer.egress.addresses import Addresses
from syncer.egress.hosts import AllowedHosts
from syncer.git.commands import Git
from syncer.git.mirrors import Mirrors
from syncer.publishing.source import SourceSync
from syncer.service.loop import Syncer
from syncer.stores import Snapshot
from syncer.volume.releases import Releases


class _Store:
    """A store with constant sites, which discards statuses."""

    def __init__(self, sites: Sequence[StaticSite]) -> None:
        self._snapshot = Snapshot(sites=list(sites))

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def secret(self, namespace: str, name: str) -> Secret | None:  # noqa: ARG002 - a Store's
        return None

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        pass


def static_site(site: Site) -> StaticSite:
    """The StaticSite of a site."""
    metadata = {"namespace": "bench", "name": site.name, "uid": site.name}
    spec = {"repo": site.repo, "path": f"/{site.path}"}
    return StaticSite.model_validate({"metadata": metadata, "spec": spec}, context={ALLOW_LOCAL: True})


def source_sync(root: Path, hosts: AllowedHosts) -> tuple[SourceSync, Git, Releases, Mirrors]:
    """A SourceSync, which the syncer's workers run, and the objects that it uses."""
    git = Git(addresses=Addresses(hosts), local=hosts.local)
    releases, mirrors = Releases(root / "volume"), Mirrors(root / "mirrors", git)
    made = SourceSync(
        git=git, mirrors=mirrors, releases=releases, hosts=hosts, read_secret=lambda _namespace, _name: None
    )
    return made, git, releases, mirrors


def make_syncer(sites: Sequence[Site], root: Path, origin: str) -> tuple[Syncer, Git]:
    """A syncer with an empty volume that may contact that server. Stop it first, then close the Git."""
    sync, git, releases, mirrors = source_sync(root, AllowedHosts.parse(origin))
    return Syncer(_Store([static_site(site) for site in sites]), sync, releases, mirrors), git
