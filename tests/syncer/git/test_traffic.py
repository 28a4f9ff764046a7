"""What is counted of requests to git servers: few words that are ours, however the server is."""

from collections.abc import Callable, Iterator

import pytest

from syncer.egress.addresses import Addresses
from syncer.egress.hosts import AllowedHosts
from syncer.errors import SyncError
from syncer.git.commands import Git
from syncer.git.heads import Heads
from syncer.git.remote import Remote
from syncer.git.traffic import Request, Traffic
from syncer.limits import Timeouts
from tests.support.git_server import GitServer

Told = list[Request]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def received() -> list[int]:
    return []


@pytest.fixture
def git(git_server: GitServer, told: Told, received: list[int]) -> Iterator[Git]:
    addresses = Addresses(AllowedHosts.parse(git_server.origin))
    made = Git(Timeouts(ask=2), addresses=addresses, traffic=Traffic(told.append, received.append))
    yield made
    made.close()


def ask(git: Git, server: GitServer) -> None:
    try:
        Heads(git).of(Remote(server.url()), ["refs/heads/main"])
    except SyncError:
        return


def kinds(told: Told) -> list[tuple[str, str, str]]:
    return [(each.kind, each.by, each.outcome) for each in told]


def test_an_idle_look_is_one_request(git: Git, git_server: GitServer, told: Told, received: list[int]) -> None:
    git_server.repository().commit({"index.html": "1"})
    ask(git, git_server)
    assert kinds(told) == [("ask", "http", "ok")]
    assert told[0].seconds > 0
    assert 40 < sum(received) < 500


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
def test_trouble_is_told_by_the_name_of_its_class(
    git: Git, git_server: GitServer, told: Told, trouble: Callable[[GitServer], None], outcomes: list[tuple[str, str]]
) -> None:
    git_server.repository().commit({"index.html": "1"})
    trouble(git_server)
    ask(git, git_server)
    assert kinds(told) == [("ask", *each) for each in outcomes]


def test_what_is_not_ours_is_told_by_its_class_too(told: Told) -> None:
    traffic = Traffic(told.append)
    with pytest.raises(ValueError, match="free text"), traffic.request("fetch", "git"):
        raise ValueError("free text of a tenant")
    assert kinds(told) == [("fetch", "git", "ValueError")]
