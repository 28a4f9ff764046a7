"""What is counted of requests to git servers: few words that are ours, however the server is."""

from collections.abc import Callable, Iterator

import pytest

from syncer.egress.addresses import Addresses
from syncer.egress.hosts import AllowedHosts
from syncer.errors import SyncError
from syncer.git.commands import Git
from syncer.git.heads import Heads
from syncer.git.remote import Remote
from syncer.git.traffic import Request, Traffic, TrafficRecorder
from syncer.limits import Timeouts
from tests.support.git_server import GitServer


class Recorded(TrafficRecorder):
    """All requests, and the bytes that they brought."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.bytes = 0

    def git_requested(self, request: Request) -> None:
        self.requests.append(request)

    def git_received(self, size: int) -> None:
        self.bytes += size

    def kinds(self) -> list[tuple[str, str, str]]:
        return [(each.kind, each.by, each.outcome) for each in self.requests]


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def git(git_server: GitServer, recorded: Recorded) -> Iterator[Git]:
    addresses = Addresses(AllowedHosts.parse(git_server.origin))
    made = Git(Timeouts(ask=2), addresses=addresses, recorder=recorded)
    yield made
    made.close()


def ask(git: Git, server: GitServer) -> None:
    try:
        Heads(git).of(Remote(server.url()), ["refs/heads/main"])
    except SyncError:
        return


def test_an_idle_look_is_one_request(git: Git, git_server: GitServer, recorded: Recorded) -> None:
    git_server.repository().commit({"index.html": "1"})
    ask(git, git_server)
    assert recorded.kinds() == [("ask", "http", "ok")]
    assert recorded.requests[0].seconds > 0
    assert 40 < recorded.bytes < 500


@pytest.mark.parametrize(
    ("trouble", "outcomes"),
    [
        (lambda server: server.fail("site", 500), [("http", "Unreachable")]),
        (lambda server: server.fail("site", 429), [("http", "Unreachable")]),
        (lambda server: server.redirect("site", "https://example.com/secret?x=1"), [("http", "RepoMoved")]),
        (lambda server: server.require("site", "git", "secret"), [("http", "AuthFailed")]),
        (lambda server: server.hang("site"), [("http", "Timeout")]),
        (lambda server: server.speak_no_protocol_2("site", 404), [("http", "NotUnderstood"), ("git", "ok")]),
    ],
    ids=["500", "429", "redirect", "password", "hanging", "no protocol 2"],
)
def test_a_failure_is_recorded_by_the_name_of_its_class(
    git: Git,
    git_server: GitServer,
    recorded: Recorded,
    trouble: Callable[[GitServer], None],
    outcomes: list[tuple[str, str]],
) -> None:
    git_server.repository().commit({"index.html": "1"})
    trouble(git_server)
    ask(git, git_server)
    assert recorded.kinds() == [("ask", *each) for each in outcomes]


def test_an_unexpected_error_is_recorded_by_its_class_too(recorded: Recorded) -> None:
    traffic = Traffic(recorded)
    with pytest.raises(ValueError, match="free text"), traffic.request("fetch", "git"):
        raise ValueError("free text of a tenant")
    assert recorded.kinds() == [("fetch", "git", "ValueError")]
