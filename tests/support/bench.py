"""A syncer's inside, with a real git server and a real volume, that a test runs by hand."""

from base64 import b64encode
from pathlib import Path

from pages.api import ObjectMeta, StaticSite
from pages.core import Secret
from syncer.egress.hosts import AllowedHosts
from syncer.errors import SyncError
from syncer.git.commands import Git
from syncer.git.mirrors import Mirrors
from syncer.limits import SiteLimits, Timeouts
from syncer.publishing.release import Outcome
from syncer.publishing.source import SourceSync
from syncer.sources import group
from syncer.volume.releases import Releases
from tests.support.git_server import GitServer


class Bench:
    """A syncer's inside, run by hand: `sync` does one round for all sites."""

    def __init__(self, root: Path, server: GitServer) -> None:
        self.root = root
        self.server = server
        self.secrets: dict[tuple[str, str], dict[str, bytes]] = {}
        self.secret_type = "Opaque"
        self.git = Git(Timeouts(ask=10, transfer=10))
        self.releases = Releases(root / "volume")
        self.releases.prepare()
        self.limits = SiteLimits()
        self.hosts = server.origin
        self.outcomes: dict[str, Outcome] = {}

    def sync(self, *sites: StaticSite) -> dict[str, Outcome]:
        source_sync = SourceSync(
            git=self.git,
            mirrors=Mirrors(self.root / "mirrors", self.git),
            releases=self.releases,
            hosts=AllowedHosts.parse(self.hosts),
            read_secret=self._secret,
            limits=self.limits,
        )
        self.outcomes = {}
        self.server.requests.clear()
        for source, members in group(sites).items():
            source_sync.run(source, members, self._note)
        return self.outcomes

    def _secret(self, namespace: str, name: str) -> Secret | None:
        data = self.secrets.get((namespace, name))
        metadata = ObjectMeta(name=name, namespace=namespace)
        encoded = {key: b64encode(value).decode() for key, value in (data or {}).items()}
        written = {"metadata": metadata.dump(), "type": self.secret_type, "data": encoded}
        return None if data is None else Secret.model_validate(written)

    def _note(self, site: StaticSite, outcome: Outcome) -> None:
        self.outcomes[site.metadata.name] = outcome

    def live(self, name: str = "site") -> dict[str, str]:
        folder = self.root / "volume/live/team" / name
        found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".gz"))
        return {str(path.relative_to(folder)): path.read_text() for path in found}  # but for packed copies

    def reason(self, site: StaticSite) -> str:
        outcome = self.sync(site)[site.metadata.name]
        assert isinstance(outcome, SyncError)
        assert str(outcome)
        return outcome.reason
