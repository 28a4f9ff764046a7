"""A syncer's inside on a volume of its own, started as often as a test wants."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pages.api import StaticSite
from pages.core import Secret
from syncer import assembly
from syncer.disk.policy import DiskPolicy
from syncer.egress.hosts import AllowedHosts
from syncer.errors import SyncError
from syncer.git.mirrors import Mirrors
from syncer.limits import Limits, Timeouts
from syncer.outcome import Outcome, Published
from syncer.publishing.release import CurrentSites
from syncer.publishing.source import SourceSync
from syncer.publishing.workspace import Workspace
from syncer.settings import Settings
from syncer.sources import group
from syncer.volume.records import Release
from syncer.volume.releases import Releases
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site
from tests.support.readers import Reader

# Every size and number of files is known in the tests; nothing is kept free or collected unless a test says so.
POLICY = DiskPolicy(keep_free=0)


class Clocks:
    """The time of day, which may jump, and the monotonic time, which cannot."""

    def __init__(self) -> None:
        self.day = 1_700_000_000.0
        self.ticked = 5.0

    def wait(self, seconds: float) -> None:
        self.day += seconds
        self.ticked += seconds


class Volume:
    """What a test does with the syncer, the volume and the cache."""

    def __init__(self, root: Path, server: GitServer) -> None:
        self.root = root
        self.server = server
        self.clocks = Clocks()
        self.policy = POLICY
        self.secrets: dict[str, str] = {}  # base64, as in Kubernetes
        self.hosts = server.origin
        self.start()

    def start(self) -> None:
        """A new process, as far as the volume can tell."""
        self.settings = Settings(
            self.root / "volume",
            self.root / "mirrors",
            AllowedHosts.parse(self.hosts, local=True),
            limits=Limits(timeouts=Timeouts(ask=10, transfer=20)),
            disk=self.policy,
            housekeeping_seconds=0.05,
        )
        self.git = assembly.make_git(self.settings)
        self.releases = Releases(
            self.settings.volume, self.policy, clock=lambda: self.clocks.day, ticks=lambda: self.clocks.ticked
        )
        self.releases.prepare()
        self.mirrors = Mirrors(self.settings.cache, self.git, self.policy, self.releases.relieve)
        self.workspace = Workspace(self.git, self.mirrors, self.releases)

    def site(
        self, name: str = "site", repository: str = "", uid: str = "", *, served: bool = False, **spec: Any
    ) -> StaticSite:
        """A site; its repository is read from the disk, which is quicker, where it need not be ``served``."""
        repository = repository or name
        repo = self.server.url(repository) if served else f"file://{self.server.root}/{repository}.git"
        return parsed_site(name, metadata={"uid": uid or name}, repo=repo, **spec)

    def source_sync(self, sites: CurrentSites | None = None) -> SourceSync:
        settings = replace(self.settings, hosts=AllowedHosts.parse(self.hosts, local=True))
        return assembly.make_source_sync(settings, self.workspace, self, sites)

    def secret(self, namespace: str, name: str) -> Secret | None:
        metadata = {"namespace": namespace, "name": name}
        return Secret.model_validate({"metadata": metadata, "data": self.secrets}) if self.secrets else None

    def sync(self, *sites: StaticSite) -> Outcome:
        """Sync all; return the last outcome."""
        outcomes: list[Outcome] = []
        for source, members in group(sites).items():
            outcomes += [outcome for _, outcome in self.source_sync().run_all({source: members})]
        return outcomes[-1]

    def publish(self, site: StaticSite) -> Release:
        """Sync a site, which has to succeed."""
        outcome = self.sync(site)
        assert isinstance(outcome, Published), outcome
        return outcome.release

    def refuses(self, site: StaticSite) -> SyncError:
        """Sync a site, which has to fail."""
        outcome = self.sync(site)
        assert isinstance(outcome, SyncError)
        return outcome

    def live(self, name: str = "site") -> dict[str, str]:
        """What a visitor sees."""
        folder = self.live_link(name)
        found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".gz"))
        return {str(path.relative_to(folder)): path.read_text() for path in found}  # but for packed copies

    @contextmanager
    def visited(self) -> Iterator[None]:
        """A visitor reads ``a`` and ``b/b`` of the site all the time, and sees whole releases only."""
        with Reader(self.live_link()) as reader:
            yield
        reader.assert_content()

    def live_link(self, name: str = "site") -> Path:
        return self.root / "volume/live/team" / name

    def home(self, name: str = "site") -> Path:
        return self.root / "volume/releases/team" / name

    def old_releases(self, site: StaticSite) -> int:
        """How many releases there are besides the live one."""
        return len([each for each in self.home(site.site_key.name).iterdir() if each.is_dir()]) - 1


@pytest.fixture
def volume(tmp_path: Path, git_server: GitServer) -> Iterator[Volume]:
    made = Volume(tmp_path, git_server)
    yield made
    made.git.close()


Mount = Callable[..., Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a tmpfs with these options over a folder, whose content it takes over."""
    mounted: list[Path] = []

    def do(folder: Path, options: str) -> Path:
        folder.mkdir(exist_ok=True)
        aside = shutil.copytree(folder, tmp_path / "aside", symlinks=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if not sys.platform.startswith("linux") or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a small file system can be mounted by root on Linux only")
        mounted.append(folder)
        shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(aside)
        return folder

    yield do
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)
