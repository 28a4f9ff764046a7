"""Credentials of private repositories: never shown, of the own namespace only, read for each use (K1-K4, U12)."""

from typing import Any

import pytest
import yaml

from pages import validation
from syncer.errors import SyncError
from syncer.git.commands import Git
from syncer.git.heads import Heads
from syncer.git.remote import Credential, Remote
from syncer.outcome import Published
from syncer.webhooks.trust import sync_token
from tests.support.bench import Bench
from tests.support.canary import CommandLines, spellings
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site, static_site
from tests.support.scripted_server import ScriptedServer, says
from tests.support.serving import Serving, eventually, pages

CANARY = "canary-4f2a9c-do not/sing"


def outcome(bench: Bench, git_server: GitServer, **spec: Any) -> str:
    """The reason, or "Published"."""
    found = bench.sync(parsed_site(secretRef={"name": "token"}, **{"repo": git_server.url(), **spec}))["site"]
    return "Published" if isinstance(found, Published) else found.reason


# By the site's name: what it adds to its manifest, and the reason of its condition.
FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "works": ({}, "Synced"),
    "refused": ({}, "AuthFailed"),
    "missing": ({}, "RepoNotFound"),
    "broken": ({}, "Unreachable"),
    "echo": ({}, "Unreachable"),
    "echo-auth": ({}, "AuthFailed"),
    "moved": ({}, "RepoMoved"),
    "hanging": ({}, "Timeout"),
    "cut": ({}, "Unreachable"),
    "large": ({}, "LimitExceeded"),
    "empty": ({}, "EmptyRepo"),
    "branch": ({"branch": "gone"}, "BranchNotFound"),
    "folder": ({"path": "/gone"}, "SubpathNotFound"),
    "host": ({"repo": "https://forge.example.com/x/y"}, "HostNotAllowed"),
    "key": ({"secretRef": {"name": "token", "key": "gone"}}, "SecretMissing"),
}


def misbehave(git_server: GitServer) -> None:
    """Make repositories that ask for the canary and fail in all these ways.

    The same for a cluster, with its Events and Secrets, is in tests/cluster/test_secrets.py.
    """
    for name in FAILURES.keys() - {"missing", "empty"}:
        git_server.repository(name).commit({"index.html": name})
        git_server.require(name, "deploy", CANARY)
    git_server.repository("empty")
    git_server.repository("large").commit({f"{number}": "x" for number in range(5)})
    git_server.repository("branch").commit({"x": "x"}, branch=CANARY.replace(" ", "-"))
    git_server.require("refused", "deploy", "something else")
    git_server.fail("broken", 500)
    git_server.speak_no_protocol_2("works", 404)  # so that git is given the credential too
    git_server.echo("echo", 500)
    git_server.echo("echo-auth", 403)
    git_server.redirect("moved", f"{git_server.origin}/works.git")
    git_server.hang("hanging")
    git_server.cut("cut", 10)


def manifests(git_server: GitServer) -> str:
    """The Secret with the canary, and a site of each repository that uses it."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token", "namespace": "team"},
        "stringData": {"username": "deploy", "password": CANARY},
    }
    sites = [
        static_site(name, **{"repo": git_server.url(name), "secretRef": {"name": "token"}, **spec})
        for name, (spec, _) in FAILURES.items()
    ]
    return yaml.safe_dump_all([secret, *sites])


def reasons(serving: Serving) -> dict[str, str]:
    """The reason of each site's condition Synced."""
    conditions = {site: status.get("conditions", []) for site, status in serving.statuses().items()}
    return {site: each["reason"] for site, found in conditions.items() for each in found if each["type"] == "Synced"}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All that can be read of a `pages serve` after each of the failures, by where it can be read."""
    folder = tmp_path_factory.mktemp("credentials")
    (folder / "repositories").mkdir()
    (folder / "manifests").mkdir()
    state = folder / "state"
    limits = ("--git-ask-time", "3s", "--git-transfer-time", "3s", "--max-files", "4", "--workers", "8")
    with GitServer(folder / "repositories") as git_server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("PAGES_VERBOSE", "2")
        misbehave(git_server)
        (folder / "manifests/all.yaml").write_text(manifests(git_server))
        arguments = (folder / "manifests", "--allowed-hosts", git_server.origin, *limits)
        with CommandLines() as command_lines, Serving(state, arguments) as serving:
            expected = {f"team/{name}": reason for name, (_, reason) in FAILURES.items()}
            eventually(lambda: reasons(serving) == expected)
            answers = str([serving.get(f"{name}.pages.localhost") for name in FAILURES])
            status = pages("status", "--state", state, "-o", "yaml").stdout
    assert any(b"git" in line and b"fetch" in line for line in command_lines.seen), "no git was started"
    assert any(git_server.authorizations), "no credential was used"
    return {
        "argv": b"\n".join(command_lines.seen),
        "disk": b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file()),
        "logs": serving.output.encode(),
        "status": status.encode(),
        "answers": answers.encode(),
    }


@pytest.mark.xdist_group("credentials")
@pytest.mark.parametrize("place", ["argv", "disk", "logs", "status", "answers"])
def test_k1_a_credential_shows_nowhere_after_any_failure(places: dict[str, bytes], place: str) -> None:
    """The same for a cluster, with its Events and Secrets, is in tests/cluster/test_secrets.py."""
    assert places[place]
    for spelling in spellings(CANARY):
        assert spelling not in places[place]


@pytest.mark.parametrize(
    "answer",
    [
        "{}\r\n\r\n",  # where the status belongs
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n",
        "HTTP/1.1 302 Found\r\nLocation: https://{}.example.com/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 {}\r\nRetry-After: {}\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 {}\r\nX: {}\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_k1_a_credential_that_a_server_returns_is_hidden(
    git: Git, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    credential = Credential("deploy", "canary-4f2a9c")
    for spelling in credential.spellings():
        with ScriptedServer(says(answer.replace("{}", spelling).encode())) as server, caplog.at_level("DEBUG"):
            with pytest.raises(SyncError) as raised:
                Heads(git).of(Remote(f"{server.origin}/x.git", credential), ["refs/heads/main"])
            assert server.requests
        for text in (str(raised.value), caplog.text):
            assert spelling not in text
            assert text.replace("\n", " ").isprintable()


def test_k1_a_credential_never_shows_in_its_repr(git_server: GitServer) -> None:
    assert CANARY not in repr(Remote(git_server.url(), Credential("deploy", CANARY)))


def test_k2_a_secret_of_another_namespace_or_kind_is_never_used(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "x"})
    git_server.require("site", "git", "right")
    bench.secrets["other", "token"] = {"password": b"right"}
    assert outcome(bench, git_server) == "SecretMissing"
    bench.secrets["team", "token"] = {"password": b"right"}
    for kind in ("kubernetes.io/service-account-token", "kubernetes.io/tls", "helm.sh/release.v1"):
        bench.secret_type = kind
        assert outcome(bench, git_server) == "SecretMissing"
    assert set(git_server.authorizations) <= {None}


@pytest.mark.parametrize("name", ["../other/token", "other/token", "Token", "", "a" * 254, "a\n"])
def test_k2_a_secrets_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(ValueError, match="must"):
        validation.secret_name(name)


@pytest.mark.parametrize(
    "data",
    [{}, {"token": b"right"}, {"password": b""}, {"password": b"\n"}, {"password": b"\xff\xfe"}, {"password": b"a\0b"}],
)
def test_k3_each_sync_reads_the_secret_again(bench: Bench, git_server: GitServer, data: dict[str, bytes]) -> None:
    git_server.repository().commit({"index.html": "private"})
    git_server.require("site", "git", "right")
    bench.secrets["team", "token"] = data
    assert outcome(bench, git_server) == "SecretMissing"
    bench.secrets["team", "token"] = {"password": b"right\n"}
    assert outcome(bench, git_server) == "Published"
    bench.secrets["team", "token"] = {"password": b"revoked"}
    assert outcome(bench, git_server) == "AuthFailed"
    bench.secrets["team", "token"] = {"password": b"right"}
    assert outcome(bench, git_server) == "Published"


@pytest.mark.parametrize("key", ["username", "password"])
@pytest.mark.parametrize("value", [b"right\r\nhost=evil.test", b"right\nurl=http://evil.test", b"ri\0ght", b"right\r"])
def test_u12_a_secret_says_nothing_else_in_gits_protocol(
    bench: Bench, git_server: GitServer, key: str, value: bytes
) -> None:
    git_server.repository().commit({"index.html": "x"})
    bench.secrets["team", "token"] = {"username": b"git", "password": b"right"} | {key: value}
    assert outcome(bench, git_server) == "SecretMissing"
    assert git_server.requests == []


def test_k4_a_sync_token_is_for_one_site_and_hides_the_key() -> None:
    key = b"k" * 32
    tokens = {sync_token(key, uid) for uid in ("one", "two", "")} | {sync_token(b"K" * 32, "one")}
    assert len(tokens) == 4
    assert all(len(token) == 64 and key.hex() not in token for token in tokens)
