"""The syncer at work on its threads, against a real git server."""

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pages.api import StaticSite, StaticSiteStatus
from pages.core import Secret
from syncer import assembly
from syncer.assembly import World
from syncer.egress.hosts import AllowedHosts
from syncer.git.attempts import Attempts
from syncer.limits import Limits, Timeouts
from syncer.outcome import Outcome
from syncer.recorder import Recorder
from syncer.schedule.lanes import Backoff, Capacity
from syncer.settings import Settings
from syncer.sources import source_of
from syncer.stores import Snapshot
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site
from tests.support.serving import eventually


class Memory:
    """The smallest store there is."""

    def __init__(self) -> None:
        self.sites: list[StaticSite] = []
        self.secrets: dict[str, Secret] = {}
        self.complete = True
        self.statuses: dict[str, StaticSiteStatus] = {}

    def snapshot(self) -> Snapshot:
        return Snapshot(sites=list(self.sites), complete=self.complete)

    def secret(self, namespace: str, name: str) -> Secret | None:
        return self.secrets.get(name)

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        self.statuses[site.metadata.name] = status


class Finished(Recorder):
    """The names of the sites whose syncs have ended, once for each sync."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def sync_finished(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:
        self.names.append(site.metadata.name)


class Running:
    """A syncer on its thread, with its store and its volume."""

    def __init__(
        self,
        root: Path,
        *servers: GitServer,
        timeouts: Timeouts | None = None,
        backoff: Backoff | None = None,
        slow_seconds: float = Capacity.slow_seconds,
    ) -> None:
        self.store = Memory()
        self.live = root / "volume/live/team"
        settings = Settings(
            root / "volume",
            root / "mirrors",
            AllowedHosts.parse(",".join(server.origin for server in servers)),
            limits=Limits(timeouts=timeouts or Timeouts(ask=2, transfer=5)),
            capacity=Capacity(workers=3, per_host=2, per_namespace=2, slow_seconds=slow_seconds),
            backoff=backoff or Backoff(),
        )
        self.git = assembly.make_git(settings)
        self.finished = Finished()
        workspace = assembly.make_workspace(settings, self.git)
        parts = assembly.assemble(settings, World(self.store, workspace, recorders=[self.finished]))
        self.syncer = parts.syncer
        self.queue = parts.queue
        self.thread = threading.Thread(target=self.syncer.run)
        self.thread.start()

    def follow(self, *sites: StaticSite) -> None:
        self.store.sites = list(sites)
        self.syncer.store_changed()

    def stop(self) -> None:
        self.syncer.stop()
        self.git.close()
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


@pytest.fixture
def running(tmp_path: Path, git_server: GitServer) -> Iterator[Running]:
    made = Running(tmp_path, git_server)
    yield made
    made.stop()


@pytest.fixture
def hasty(tmp_path: Path, git_server: GitServer) -> Iterator[Running]:
    """One that retries at once, and never waits for long."""
    made = Running(tmp_path, git_server, backoff=Backoff(0.01, 0.01))
    yield made
    made.stop()


def test_sites_are_published_reported_and_removed(running: Running, git_server: GitServer) -> None:
    for name in ("a", "b"):
        git_server.repository(name).commit({"index.html": name})
    running.follow(parsed_site("a", repo=git_server.url("a")), parsed_site("b", repo=git_server.url("b")))
    eventually(lambda: running.phase("a") == running.phase("b") == "Synced")
    assert (running.text("a"), running.text("b")) == ("a", "b")
    running.follow(parsed_site("b", repo=git_server.url("b")))
    eventually(lambda: not (running.live / "a").exists())
    assert running.text("b") == "b"


def test_f17_an_incomplete_list_removes_nothing(running: Running, git_server: GitServer) -> None:
    git_server.repository("a").commit({"index.html": "a"})
    running.follow(parsed_site("a", repo=git_server.url("a")))
    eventually(lambda: running.text("a"))
    running.store.complete = False
    git_server.repository("b").commit({"index.html": "b"})
    running.follow(parsed_site("b", repo=git_server.url("b")))
    eventually(lambda: running.text("b"))
    assert running.text("a") == "a"


def test_a_changed_path_counts_at_once(running: Running, git_server: GitServer) -> None:
    git_server.repository("a").commit({"one/index.html": "1", "two/index.html": "2"})
    running.follow(parsed_site("a", repo=git_server.url("a"), path="/one"))
    eventually(lambda: running.text("a") == "1")
    running.follow(parsed_site("a", repo=git_server.url("a"), path="/two", metadata={"generation": 2}))
    eventually(lambda: running.text("a") == "2")


def test_a_hanging_server_does_not_hold_up_the_others(running: Running, git_server: GitServer) -> None:
    for name in ("bad", "good"):
        git_server.repository(name).commit({"index.html": name})
    git_server.hang("bad")
    running.follow(parsed_site("bad", repo=git_server.url("bad")), parsed_site("good", repo=git_server.url("good")))
    eventually(lambda: running.text("good"))
    assert running.text("bad") is None
    git_server.heal("bad")


def test_f26_a_site_deleted_while_it_is_synced_does_not_come_back(
    running: Running, git_server: GitServer, tmp_path: Path
) -> None:
    git_server.repository("a").commit({"index.html": "a"})
    git_server.hang("a", b"command=fetch")
    running.follow(parsed_site("a", repo=git_server.url("a")))
    eventually(lambda: git_server.hanging)
    running.follow()
    git_server.heal("a")
    git_server.released.set()
    eventually(lambda: Attempts(tmp_path / "mirrors").read() == {})  # the sync has ended
    assert running.text("a") is None


def test_f4_stopping_ends_a_running_git(tmp_path: Path, git_server: GitServer) -> None:
    running = Running(tmp_path, git_server)
    git_server.repository("a").commit({"index.html": "a"})
    git_server.hang("a")
    running.follow(parsed_site("a", repo=git_server.url("a")))
    eventually(lambda: git_server.requests)
    running.stop()
    assert "a" not in {name for name, status in running.store.statuses.items() if status.phase == "Error"}


def test_a_failure_is_tried_again_and_recovers(hasty: Running, git_server: GitServer) -> None:
    running = hasty
    git_server.repository("a").commit({"index.html": "a"})
    git_server.fail("a", 500)
    running.follow(parsed_site("a", repo=git_server.url("a")))
    eventually(lambda: running.phase("a") == "Unreachable")
    git_server.heal("a")
    eventually(lambda: running.phase("a") == "Synced")


def test_sites_of_several_branches_share_one_question(running: Running, git_server: GitServer) -> None:
    repository = git_server.repository("a")
    for branch in ("main", "dev", "old"):
        repository.commit({"index.html": branch}, branch=branch)
    sites = [
        parsed_site(branch, repo=git_server.url("a"), branch=branch, syncInterval="10s")
        for branch in ("main", "dev", "old")
    ]
    running.follow(*sites)
    eventually(lambda: all(running.text(name) == name for name in ("main", "dev", "old")))
    eventually(lambda: all(running.phase(name) == "Synced" for name in ("main", "dev", "old")))
    git_server.requests.clear()
    repository.commit({"index.html": "new"}, branch="dev")
    running.queue.hasten([source_of(sites[0])])  # a webhook says that main was pushed
    eventually(lambda: running.text("dev") == "new")
    assert git_server.requests[0] == "POST /a.git/git-upload-pack"
    assert len(git_server.requests) == 2  # and one fetch, of the branch that has moved


def test_f8_a_server_that_asks_for_a_pause_gets_it(tmp_path: Path, git_server: GitServer) -> None:
    """F8: even if a webhook comes meanwhile; other servers are not affected."""
    (tmp_path / "other").mkdir()
    with GitServer(tmp_path / "other") as other:
        other.repository("good").commit({"index.html": "good"})
        git_server.repository("a").commit({"index.html": "a"})
        git_server.fail("a", 429, {"Retry-After": "2"})
        running = Running(tmp_path, git_server, other, backoff=Backoff(first_seconds=0.01))
        site = parsed_site("a", repo=git_server.url("a"))
        running.follow(site)
        eventually(lambda: running.phase("a") == "Unreachable")
        begin = time.monotonic()
        git_server.heal("a")
        running.queue.hasten([source_of(site)])
        running.follow(site, parsed_site("b", repo=git_server.url("b")), parsed_site("good", repo=other.url("good")))
        eventually(lambda: running.text("good"))
        eventually(lambda: running.text("a"))
        asked = len(git_server.requests)
        running.stop()
    assert time.monotonic() - begin > 1.5
    assert asked >= 2


def test_f8_f9_each_failure_of_a_server_has_its_reason_and_the_release_stays(
    tmp_path: Path, git_server: GitServer
) -> None:
    """F8, F9: an error, silence, and silence once the pack is requested."""
    patience = Timeouts(ask=1, transfer=1)
    running = Running(tmp_path, git_server, timeouts=patience, backoff=Backoff(first_seconds=0.05))
    site = parsed_site("a", repo=git_server.url("a"))
    repository = git_server.repository("a")
    repository.commit({"index.html": "one"})
    running.follow(site)
    eventually(lambda: running.text("a") == "one")
    repository.commit({"index.html": "two"})
    misbehaviours: list[tuple[Callable[[], None], str]] = [
        (lambda: git_server.fail("a", 502), "Unreachable"),
        (lambda: git_server.hang("a"), "Timeout"),
        (lambda: git_server.fail("a", 404), "RepoNotFound"),
        (lambda: git_server.hang("a", b"command=fetch"), "Timeout"),
    ]
    for misbehave, reason in misbehaviours:
        git_server.heal("a")
        misbehave()
        running.queue.hasten([source_of(site)])
        eventually(lambda reason=reason: running.phase("a") == reason)  # type: ignore[misc]
        assert running.text("a") == "one"
    git_server.heal("a")
    eventually(lambda: running.text("a") == "two")
    running.stop()


def test_f32_a_poison_site_delays_no_other(tmp_path: Path, git_server: GitServer) -> None:
    """F32: several that hang at once, tried again all the time, at the very server of the others."""
    patience = Timeouts(ask=3, transfer=3)
    running = Running(tmp_path, git_server, timeouts=patience, backoff=Backoff(0.01, 0.01), slow_seconds=0.3)
    poison = [parsed_site(f"bad{number}", repo=git_server.url(f"bad{number}")) for number in range(4)]
    for number in range(4):
        git_server.repository(f"bad{number}").commit({"index.html": "bad"})
        git_server.hang(f"bad{number}")
    running.follow(*poison)
    eventually(lambda: all(running.phase(site.metadata.name) == "Timeout" for site in poison))
    good = [parsed_site(f"good{number}", repo=git_server.url(f"good{number}")) for number in range(5)]
    for site in good:
        git_server.repository(site.metadata.name).commit({"index.html": "good"})
    running.follow(*poison, *good)
    eventually(lambda: all(running.text(site.metadata.name) for site in good))
    assert all(running.phase(site.metadata.name) == "Timeout" for site in poison)
    for number in range(4):
        git_server.heal(f"bad{number}")
    git_server.released.set()
    running.stop()


def test_f33_a_cold_start_publishes_many_within_the_capacity(tmp_path: Path, git_server: GitServer) -> None:
    """F33."""
    running = Running(tmp_path, git_server)
    for number in range(30):
        git_server.repository(f"s{number}").commit({"index.html": str(number)})
    running.follow(*(parsed_site(f"s{number}", repo=git_server.url(f"s{number}")) for number in range(30)))
    eventually(lambda: all(running.text(f"s{number}") == str(number) for number in range(30)))
    assert git_server.most_at_once <= 2  # as many as one server may get
    running.stop()


def a_secret(password: str) -> Secret:
    encoded = {"username": b64encode(b"tess").decode(), "password": b64encode(password.encode()).decode()}
    return Secret.model_validate(
        {"metadata": {"namespace": "team", "name": "token"}, "type": "Opaque", "data": encoded}
    )


def test_f11_a_rejected_credential_is_not_retried_but_a_new_one_is(hasty: Running, git_server: GitServer) -> None:
    """F11."""
    running = hasty
    git_server.repository("a").commit({"index.html": "a"})
    git_server.require("a", "tess", "right")
    running.store.secrets["token"] = a_secret("wrong")
    site = parsed_site("a", repo=git_server.url("a"), secretRef={"name": "token"})
    running.follow(site)
    eventually(lambda: running.phase("a") == "AuthFailed")
    for _ in range(5):
        syncs = len(running.finished.names)
        running.queue.hasten([source_of(site)])
        eventually(lambda syncs=syncs: len(running.finished.names) > syncs)  # type: ignore[misc]
    assert len(git_server.requests) == 1
    running.store.secrets["token"] = a_secret("right")
    eventually(lambda: running.text("a"))


def test_f34_a_source_that_killed_processes_waits_while_others_are_synced(
    tmp_path: Path, git_server: GitServer
) -> None:
    """F34: the markers that a process leaves which was killed over a site, three times in a row."""
    sites = [parsed_site(name, repo=git_server.url(name)) for name in ("deadly", "good")]
    for site in sites:
        git_server.repository(site.metadata.name).commit({"index.html": "x"})
    mirrors = tmp_path / "mirrors"
    mirrors.mkdir()
    (mirrors / f"{source_of(sites[0]).mirror_id}.at-work").write_text("3")
    running = Running(tmp_path, git_server)
    running.follow(*sites)
    eventually(lambda: running.phase("good") == "Synced")
    assert running.text("deadly") is None
    running.queue.hasten([source_of(sites[0])])  # a user insists
    eventually(lambda: running.text("deadly"))
    eventually(lambda: not list(mirrors.glob("*.at-work")))
    running.stop()


def test_f34_a_killed_process_leaves_a_marker_of_its_source(tmp_path: Path, git_server: GitServer) -> None:
    git_server.repository("a").commit({"index.html": "a"})
    git_server.hang("a", b"command=fetch")
    running = Running(tmp_path, git_server, timeouts=Timeouts(ask=30, transfer=30))
    running.follow(parsed_site("a", repo=git_server.url("a")))
    attempts = Attempts(tmp_path / "mirrors")
    eventually(lambda: list(attempts.read().values()) == [1])  # what the next one would find
    running.stop()
    assert attempts.read() == {}
