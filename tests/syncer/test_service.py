"""The syncer at work on its threads, against a real git server."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pages.api import StaticSite, StaticSiteStatus
from pages.core import Secret
from syncer.git import Git
from syncer.hosts import AllowedHosts
from syncer.limits import Timeouts
from syncer.mirrors import Mirrors
from syncer.releases import Releases
from syncer.service import Syncer
from syncer.stores import Snapshot
from syncer.sync import SourceSync
from tests.support.git_server import GitServer


class Memory:
    """The smallest store there is."""

    def __init__(self) -> None:
        self.sites: list[StaticSite] = []
        self.complete = True
        self.statuses: dict[str, StaticSiteStatus] = {}

    def snapshot(self) -> Snapshot:
        return Snapshot(sites=list(self.sites), complete=self.complete)

    def secret(self, namespace: str, name: str) -> Secret | None:
        return None

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        self.statuses[site.metadata.name] = status


class Running:
    """A syncer on its thread, with its store and its volume."""

    def __init__(self, root: Path, server: GitServer) -> None:
        self.store = Memory()
        self.live = root / "volume/live/team"
        self.git = Git(Timeouts(ask=2, transfer=5))
        releases = Releases(root / "volume")
        mirrors = Mirrors(root / "mirrors", self.git)
        source_sync = SourceSync(
            git=self.git,
            mirrors=mirrors,
            releases=releases,
            hosts=AllowedHosts.parse(server.origin),
            read_secret=self.store.secret,
        )
        self.syncer = Syncer(self.store, source_sync, releases, mirrors, workers=3)
        self.thread = threading.Thread(target=self.syncer.run)
        self.thread.start()

    def follow(self, *sites: StaticSite) -> None:
        self.store.sites = list(sites)
        self.syncer.store_changed()

    def stop(self) -> None:
        self.git.close()
        self.syncer.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()

    def text(self, name: str) -> str | None:
        try:
            return (self.live / name / "index.html").read_text()
        except OSError:
            return None

    def phase(self, name: str) -> str | None:
        status = self.store.statuses.get(name)
        return status.conditions[1].reason if status else None


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def running(tmp_path: Path, git_server: GitServer) -> Iterator[Running]:
    made = Running(tmp_path, git_server)
    yield made
    made.stop()


def a_site(server: GitServer, name: str, uid: str = "", generation: int = 1, **spec: Any) -> StaticSite:
    return StaticSite.model_validate(
        {
            "metadata": {"namespace": "team", "name": name, "uid": uid or name, "generation": generation},
            "spec": {"repo": server.url(name), **spec},
        }
    )


def test_sites_come_are_said_to_be_synced_and_go(running: Running, git_server: GitServer) -> None:
    for name in ("a", "b"):
        git_server.repository(name).commit({"index.html": name})
    running.follow(a_site(git_server, "a"), a_site(git_server, "b"))
    eventually(lambda: running.phase("a") == running.phase("b") == "Synced")
    assert (running.text("a"), running.text("b")) == ("a", "b")
    running.follow(a_site(git_server, "b"))
    eventually(lambda: not (running.live / "a").exists())
    assert running.text("b") == "b"


def test_an_incomplete_list_removes_nothing(running: Running, git_server: GitServer) -> None:
    git_server.repository("a").commit({"index.html": "a"})
    running.follow(a_site(git_server, "a"))
    eventually(lambda: running.text("a"))
    running.store.complete = False
    git_server.repository("b").commit({"index.html": "b"})
    running.follow(a_site(git_server, "b"))
    eventually(lambda: running.text("b"))
    assert running.text("a") == "a"


def test_a_changed_path_counts_at_once(running: Running, git_server: GitServer) -> None:
    git_server.repository("a").commit({"one/index.html": "1", "two/index.html": "2"})
    running.follow(a_site(git_server, "a", path="/one"))
    eventually(lambda: running.text("a") == "1")
    running.follow(a_site(git_server, "a", generation=2, path="/two"))
    eventually(lambda: running.text("a") == "2")


def test_a_hanging_server_does_not_hold_up_the_others(running: Running, git_server: GitServer) -> None:
    for name in ("bad", "good"):
        git_server.repository(name).commit({"index.html": name})
    git_server.hang("bad")
    running.follow(a_site(git_server, "bad"), a_site(git_server, "good"))
    eventually(lambda: running.text("good"))
    assert running.text("bad") is None
    git_server.heal("bad")


def test_a_site_deleted_while_it_is_synced_does_not_come_back(running: Running, git_server: GitServer) -> None:
    git_server.repository("a").commit({"index.html": "a"})
    git_server.hang("a")
    running.follow(a_site(git_server, "a"))
    eventually(lambda: git_server.requests)
    running.follow()
    git_server.heal("a")
    git_server.released.set()
    time.sleep(0.3)
    assert running.text("a") is None


def test_stopping_ends_a_running_git(tmp_path: Path, git_server: GitServer) -> None:
    running = Running(tmp_path, git_server)
    git_server.repository("a").commit({"index.html": "a"})
    git_server.hang("a")
    running.follow(a_site(git_server, "a"))
    eventually(lambda: git_server.requests)
    running.stop()
    assert "a" not in {name for name, status in running.store.statuses.items() if status.phase == "Error"}


def test_a_failure_is_tried_again_and_recovers(
    running: Running, git_server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncer.schedule.FIRST_BACKOFF_SECONDS", 0.05)
    git_server.repository("a").commit({"index.html": "a"})
    git_server.fail("a", 500)
    running.follow(a_site(git_server, "a"))
    eventually(lambda: running.phase("a") == "Unreachable")
    git_server.heal("a")
    eventually(lambda: running.phase("a") == "Synced")
