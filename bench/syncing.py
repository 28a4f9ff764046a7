"""A syncer without a cluster, for measuring."""

from collections.abc import Sequence
from pathlib import Path

from bench.adapters import Site
from pages.api import ALLOW_LOCAL, StaticSite, StaticSiteStatus
from pages.core import Secret
from syncer import assembly
from syncer.assembly import Assembly, World
from syncer.egress.hosts import AllowedHosts
from syncer.publishing.source import SourceSync
from syncer.publishing.workspace import Workspace
from syncer.settings import Settings
from syncer.stores import Snapshot


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


def source_sync(root: Path, hosts: AllowedHosts) -> tuple[SourceSync, Workspace]:
    """A SourceSync, which the syncer's workers run, and the objects that it uses."""
    settings = Settings(root / "volume", root / "mirrors", hosts)
    workspace = assembly.make_workspace(settings, assembly.make_git(settings))
    return assembly.make_source_sync(settings, workspace, _Store([])), workspace


def make_syncer(sites: Sequence[Site], root: Path, origin: str) -> Assembly:
    """A syncer with an empty volume that may contact that server."""
    settings = Settings(root / "volume", root / "mirrors", AllowedHosts.parse(origin))
    store = _Store([static_site(site) for site in sites])
    return assembly.assemble(settings, World(store, assembly.make_workspace(settings, assembly.make_git(settings))))
