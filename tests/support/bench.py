"""A syncer's inside, with a real git server and a real volume, that a test runs by hand."""

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from pages.api import ObjectMeta, StaticSite
from pages.core import Secret
from syncer import assembly
from syncer.egress.hosts import AllowedHosts
from syncer.errors import SyncError
from syncer.limits import Limits, SiteLimits, Timeouts
from syncer.outcome import Outcome
from syncer.settings import Settings
from syncer.sources import group
from tests.support.git_server import GitServer


class Bench:
    """A syncer's inside, run by hand: `sync` does one round for all sites."""

    def __init__(self, root: Path, server: GitServer) -> None:
        self.root = root
        self.server = server
        self.secrets: dict[tuple[str, str], dict[str, bytes]] = {}
        self.secret_type = "Opaque"
        self.settings = Settings(
            root / "volume",
            root / "mirrors",
            AllowedHosts.parse(server.origin),
            limits=Limits(timeouts=Timeouts(ask=10, transfer=10)),
        )
        self.git = assembly.make_git(self.settings)
        self.releases = assembly.make_workspace(self.settings, self.git).releases
        self.releases.prepare()
        self.limits = SiteLimits()
        self.hosts = server.origin
        self.outcomes: dict[str, Outcome] = {}

    def sync(self, *sites: StaticSite) -> dict[str, Outcome]:
        limits = replace(self.settings.limits, site=self.limits)
        settings = replace(self.settings, hosts=AllowedHosts.parse(self.hosts), limits=limits)
        workspace = replace(assembly.make_workspace(settings, self.git), releases=self.releases)
        source_sync = assembly.make_source_sync(settings, workspace, self)
        self.outcomes = {}
        self.server.requests.clear()
        for source, members in group(sites).items():
            for site, outcome in source_sync.run_all({source: members}):
                self.outcomes[site.metadata.name] = outcome
        return self.outcomes

    def secret(self, namespace: str, name: str) -> Secret | None:
        data = self.secrets.get((namespace, name))
        metadata = ObjectMeta(name=name, namespace=namespace)
        encoded = {key: b64encode(value).decode() for key, value in (data or {}).items()}
        written = {"metadata": metadata.dump(), "type": self.secret_type, "data": encoded}
        return None if data is None else Secret.model_validate(written)

    def live(self, name: str = "site") -> dict[str, str]:
        folder = self.root / "volume/live/team" / name
        found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".gz"))
        return {str(path.relative_to(folder)): path.read_text() for path in found}  # but for packed copies

    def reason(self, site: StaticSite) -> str:
        outcome = self.sync(site)[site.metadata.name]
        assert isinstance(outcome, SyncError)
        assert str(outcome)
        return outcome.reason
