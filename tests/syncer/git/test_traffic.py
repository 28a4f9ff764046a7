"""Requests to git servers are counted by few words of our own, whatever the server answers."""

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


class Observer(TrafficRecorder):
    """What was counted."""

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
def observer() -> Observer:
    return Observer()


@pytest.fixture
def git(git_server: GitServer, observer: Observer) -> Iterator[Git]:
    addresses = Addresses(AllowedHosts.parse(git_server.origin))
    made = Git(Timeouts(ask=2), addresses=addresses, recorder=observer)
    yield made
    made.close()


def ask(git: Git, server: GitServer) -> None:
    try:
        Heads(git).of(Remote(server.url()), ["refs/heads/main"])
    except SyncError:
        return


def test_a_look_that_finds_nothing_new_is_one_request(git: Git, git_server: GitServer, observer: Observer) -> None:
    git_server.repository().commit({"index.html": "1"})
    ask(git, git_server)
    assert observer.kinds() == [("ask", "http", "ok")]
    assert observer.requests[0].seconds > 0
    assert 40 < observer.bytes < 500


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
def test_a_failure_is_counted_by_the_name_of_its_class(
    git: Git,
    git_server: GitServer,
    observer: Observer,
    trouble: Callable[[GitServer], None],
    outcomes: list[tuple[str, str]],
) -> None:
    git_server.repository().commit({"index.html": "1"})
    trouble(git_server)
    ask(git, git_server)
    assert observer.kinds() == [("ask", *each) for each in outcomes]


def test_a_foreign_exception_is_counted_by_its_class_too(observer: Observer) -> None:
    traffic = Traffic(observer)
    with pytest.raises(ValueError, match="free text"), traffic.request("fetch", "git"):
        raise ValueError("free text of a tenant")
    assert observer.kinds() == [("fetch", "git", "ValueError")]
