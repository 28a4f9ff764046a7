"""Asking for branches without a process: against a real git http-backend, and against servers that mean no good."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from syncer import errors
from syncer.git.commands import Git
from syncer.git.heads import Heads, NotUnderstood, question, read_answer
from syncer.git.remote import Credential, Remote
from syncer.git.smart_http import GitAnswer, SmartHTTP
from syncer.limits import Timeouts
from tests.support.git_server import GitServer
from tests.support.repositories import git as run_git
from tests.support.scripted_server import Script, ScriptedServer, drips, floods, read_request, says

A_COMMIT = "1" * 40
MAIN = "refs/heads/main"
RESULT = "application/x-git-upload-pack-result"


@pytest.fixture
def git() -> Iterator[Git]:
    made = Git(Timeouts(ask=10))
    yield made
    made.close()


@pytest.fixture
def heads(git: Git) -> Heads:
    return Heads(git)


def remote(server: GitServer, name: str = "site", credential: Credential | None = None) -> Remote:
    return Remote(server.url(name), credential)


def packets(*lines: str) -> bytes:
    return b"".join(b"%04x%b" % (len(line.encode()) + 4, line.encode()) for line in lines) + b"0000"


def http(body: bytes, status: str = "200 OK", *, length: int | None = None, **headers: str) -> bytes:
    fields = {"Content-Type": RESULT, "Content-Length": str(len(body) if length is None else length)} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def test_one_small_request_tells_the_tip(heads: Heads, git_server: GitServer) -> None:
    commit = git_server.repository().commit({"index.html": "1"})
    assert heads.of(remote(git_server), [MAIN]) == {MAIN: commit}
    assert git_server.requests == ["POST /site.git/git-upload-pack"]
    assert git_server.bytes_received + git_server.bytes_sent < 1000


def test_one_request_asks_for_tags_and_the_commits_they_name(heads: Heads, git_server: GitServer) -> None:
    repository = git_server.repository()
    old, new = repository.commit({"a": "1"}), repository.commit({"a": "2"})
    repository.tag("v1", old, message="the first")
    repository.tag("v2", old)
    wanted = {MAIN: new, "refs/tags/v1": old, "refs/tags/v2": old}
    assert heads.of(remote(git_server), list(wanted)) == wanted
    assert git_server.requests == ["POST /site.git/git-upload-pack"]
    git_server.speak_no_protocol_2("site", 404)
    assert heads.of(remote(git_server), list(wanted)) == wanted  # by git


def test_a_missing_tag_differs_from_a_branch_of_that_name(heads: Heads, git_server: GitServer) -> None:
    repository = git_server.repository()
    commit = repository.commit({"a": "1"})
    repository.commit({"a": "2"}, branch="v1")
    for number in range(2, 12):
        repository.tag(f"v{number}", commit)
    found = heads.of(remote(git_server), ["refs/tags/v1"])["refs/tags/v1"]
    assert isinstance(found, errors.RevisionNotFound)
    assert "v11, v10, v9" in str(found)


def test_all_branches_of_a_repository_are_asked_for_in_one_request(heads: Heads, git_server: GitServer) -> None:
    repository = git_server.repository()
    names = ("main", "main2", "release/1.0")
    commits = {f"refs/heads/{name}": repository.commit({"a": name}, branch=name) for name in names}
    repository.tag("main", commits["refs/heads/main2"])
    assert heads.of(remote(git_server), list(commits)) == commits
    assert len(git_server.requests) == 1


def test_very_many_branches_are_asked_for_in_parts(heads: Heads, git_server: GitServer) -> None:
    commit = git_server.repository().commit({"a": "1"})
    for number in range(250):
        run_git("-C", str(git_server.root / "site.git"), "update-ref", f"refs/heads/b{number}", commit)
    assert heads.of(remote(git_server), [f"refs/heads/b{number}" for number in range(250)]) == {
        f"refs/heads/b{number}": commit for number in range(250)
    }
    assert len(git_server.requests) == 3


def test_a_symref_in_place_of_a_branch(heads: Heads, git_server: GitServer) -> None:
    commit = git_server.repository().commit({"a": "1"})
    run_git("-C", str(git_server.root / "site.git"), "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    assert heads.of(remote(git_server), ["refs/heads/alias"]) == {"refs/heads/alias": commit}


def test_connections_are_kept_between_questions(git: Git, heads: Heads, git_server: GitServer) -> None:
    git_server.repository().commit({"a": "1"})
    for _ in range(5):
        heads.of(remote(git_server), [MAIN])
    assert git_server.connections == 1
    git.server.rest()
    heads.of(remote(git_server), [MAIN])
    assert git_server.connections == 2


def test_a_kept_connection_that_the_server_has_closed_is_replaced(heads: Heads) -> None:
    with ScriptedServer(says(http(packets(f"{A_COMMIT} refs/heads/main\n")))) as server:  # and closes, unannounced
        for _ in range(3):
            assert heads.of(Remote(f"{server.origin}/x.git"), [MAIN]) == {MAIN: A_COMMIT}


def test_the_error_for_a_missing_branch_lists_existing_ones(heads: Heads, git_server: GitServer) -> None:
    commit = git_server.repository().commit({"a": "1"}, branch="trunk")
    found = heads.of(remote(git_server), ["refs/heads/trunk", MAIN])
    assert found["refs/heads/trunk"] == commit
    assert isinstance(found[MAIN], errors.BranchNotFound)
    assert "trunk" in str(found[MAIN])


def test_an_empty_repository(heads: Heads, git_server: GitServer) -> None:
    git_server.repository()
    assert isinstance(heads.of(remote(git_server), [MAIN])[MAIN], errors.EmptyRepo)


@pytest.mark.parametrize("page", ["", "<html>Log in</html>", "<html>\n<p>Log\tin</p>\n</html>\n", "\n\n"])
def test_a_web_page_is_no_repository(heads: Heads, page: str) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    answer = f"{head}Content-Length: {len(page)}\r\nConnection: close\r\n\r\n{page}"
    with ScriptedServer(says(answer.encode())) as server, pytest.raises(errors.RepoNotFound, match=r"check spec\.repo"):
        heads.of(Remote(f"{server.origin}/x.git"), [MAIN])


def test_a_repository_of_sha256(heads: Heads, git_server: GitServer) -> None:
    commit = git_server.repository(object_format="sha256").commit({"a": "1"})
    assert len(commit) == 64
    assert heads.of(remote(git_server), [MAIN]) == {MAIN: commit}


@pytest.mark.parametrize(
    ("credential", "says_"), [(None, "spec.secretRef"), (Credential("tess", "wrong"), "token is valid")]
)
def test_credentials_that_do_not_open(
    heads: Heads, git_server: GitServer, credential: Credential | None, says_: str
) -> None:
    git_server.repository().commit({"a": "1"})
    git_server.require("site", "tess", "s3cret")
    with pytest.raises(errors.AuthFailed, match=says_):
        heads.of(remote(git_server, credential=credential), [MAIN])


def test_credentials_that_open(heads: Heads, git_server: GitServer, caplog: pytest.LogCaptureFixture) -> None:
    commit = git_server.repository().commit({"a": "1"})
    git_server.require("site", "tess", "s3crét")
    with caplog.at_level("DEBUG"):
        assert heads.of(remote(git_server, credential=Credential("tess", "s3crét")), [MAIN]) == {MAIN: commit}
    assert "s3cr" not in caplog.text
    assert "Authorization" not in caplog.text


def test_a_redirect_is_not_followed_and_its_host_is_named(heads: Heads, git_server: GitServer, tmp_path: Path) -> None:
    """U10: nor does the credential go there."""
    with GitServer(tmp_path) as elsewhere:
        git_server.redirect("site", f"http://user:secret@127.0.0.1:{elsewhere.port}/x.git?token=1")
        with pytest.raises(errors.RepoMoved, match=f"127.0.0.1:{elsewhere.port}\\)") as raised:
            heads.of(remote(git_server, credential=Credential("tess", "s3cret")), [MAIN])
        assert elsewhere.requests == []
    assert "secret" not in str(raised.value) and "token" not in str(raised.value)


@pytest.mark.parametrize("location", ["", "/elsewhere.git", "http://[", "//\x7f"])
def test_a_redirect_to_nowhere(heads: Heads, git_server: GitServer, location: str) -> None:
    git_server.fail("site", 301, {"Location": location})
    with pytest.raises(errors.RepoMoved, match=r"update spec\.repo"):
        heads.of(remote(git_server), [MAIN])


def test_an_endless_redirect(heads: Heads) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example.com/x\r\n\r\n"
    with (
        ScriptedServer(drips(head)) as server,
        pytest.raises(errors.RepoMoved, match=r"elsewhere\.example\.com"),  # and not Timeout
    ):
        heads.of(Remote(f"{server.origin}/x.git"), [MAIN])


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_fails(heads: Heads, git_server: GitServer, status: int) -> None:
    git_server.fail("site", status)
    with pytest.raises(errors.Unreachable, match=f"HTTP {status}") as raised:
        heads.of(remote(git_server), [MAIN])
    assert not isinstance(raised.value, errors.Busy)
    assert len(git_server.requests) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [(429, "120", 120), (503, "7", 7), (429, None, 60), (429, "never", 60), (429, "99999999", 900), (429, "-5", 60)],
)
def test_a_server_that_wants_to_be_left_alone(
    heads: Heads, git_server: GitServer, status: int, retry_after: str | None, seconds: float
) -> None:
    git_server.fail("site", status, {"Retry-After": retry_after} if retry_after else {})
    with pytest.raises(errors.Busy, match=f"{seconds} seconds") as raised:
        heads.of(remote(git_server), [MAIN])
    assert raised.value.seconds == seconds
    assert raised.value.reason == "Unreachable"


def test_a_missing_repository(heads: Heads, git_server: GitServer) -> None:
    with pytest.raises(errors.RepoNotFound):
        heads.of(remote(git_server), [MAIN])


@pytest.mark.parametrize("status", [404, 405, 415])
def test_a_server_without_protocol_2_is_asked_by_git_and_that_is_remembered(
    heads: Heads, git_server: GitServer, status: int
) -> None:
    commit = git_server.repository().commit({"a": "1"})
    git_server.speak_no_protocol_2("site", status)
    for _ in range(3):
        assert heads.of(remote(git_server), [MAIN]) == {MAIN: commit}
    posts = [each for each in git_server.requests if each.startswith("POST")]
    assert len(posts) == 1
    assert len(git_server.requests) == 4  # git's own question is a GET


@pytest.mark.parametrize(
    "answer",
    [
        http(b""),
        http(b"0000", Content_Type="text/html"),
        http(packets(f"{A_COMMIT} refs/heads/main\n")[:-4]),
        http(packets(f"{A_COMMIT} refs/heads/main\n")[:-9]),
        http(packets("ERR access denied")),
        http(packets("version 2\n", "ls-refs\n")),
        http(packets("unborn refs/heads/main")),
        http(b"0001" + packets(f"{A_COMMIT} refs/heads/main\n")),
        http(b"zzzz"),
        http(b"-001"),
        http(b"0003"),
        http(b"ffff" + b"x" * 10),
        http(packets(f"{A_COMMIT} refs/heads/main\n"), Content_Encoding="gzip"),
    ],
    ids=range(13),
)
def test_an_answer_that_is_none_is_gits_to_judge(heads: Heads, answer: bytes) -> None:
    with ScriptedServer(says(answer)) as server:
        try:
            found = heads.of(Remote(f"{server.origin}/x.git"), [MAIN])[MAIN]
        except errors.SyncError as error:
            found = error
    assert isinstance(found, errors.SyncError)
    assert server.requests[0].startswith(b"POST /x.git/git-upload-pack")
    assert server.requests[1].startswith(b"GET /x.git/info/refs")


def test_attributes_after_a_name_are_passed_over(heads: Heads) -> None:
    lines = packets(
        f"{A_COMMIT} refs/heads/main symref-target:refs/heads/x peeled:{'2' * 40}\n",
        f"{'3' * 40} refs/heads/main-old\n",
    )
    with ScriptedServer(says(http(lines))) as server:
        assert heads.of(Remote(f"{server.origin}/x.git"), [MAIN]) == {MAIN: A_COMMIT}


class Loopback:
    """Every name leads to this machine."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def of(self, url: str) -> Sequence[str]:
        self.asked.append(url)
        return ["127.0.0.1"]


class Forbidden:
    """No name leads to an address that may be contacted."""

    def of(self, url: str) -> Sequence[str]:
        raise errors.AddressForbidden(url)


def impatient() -> SmartHTTP:
    return SmartHTTP(Loopback(), seconds=0.5)


def stays_silent(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.parametrize(
    "script",
    [
        drips(b""),
        drips(b"HTTP/1.1 200 OK\r\nX: "),
        drips(http(b"", length=10_000)),
        stays_silent,
    ],
    ids=["first line", "headers", "body", "silence"],
)
def test_a_server_that_drips_or_says_nothing_is_hung_up_on(git: Git, script: Script) -> None:
    """F9: each byte comes in time, and the whole never."""
    heads = Heads(git, impatient())
    with ScriptedServer(script) as server, pytest.raises(errors.TimedOut, match=r"0\.5 seconds"):
        heads.of(Remote(f"{server.origin}/x.git"), [MAIN])
    assert len(server.requests) == 1


def test_an_endless_answer_is_cut(heads: Heads) -> None:
    script = floods(b"HTTP/1.1 200 OK\r\nContent-Type: " + RESULT.encode() + b"\r\n\r\n", b"0" * 65536)
    server = SmartHTTP(Loopback())
    with ScriptedServer(script) as scripted:
        answer = server.post(Remote(f"{scripted.origin}/x.git"), "git-upload-pack", question([MAIN]))
    assert not answer.whole
    assert len(answer.body) == 1 << 20
    with pytest.raises(NotUnderstood):
        read_answer(answer, Remote(scripted.origin))


def test_closing_ends_a_question_that_is_under_way(git: Git, git_server: GitServer) -> None:
    heads = Heads(git)
    git_server.repository()
    git_server.hang("site")
    closing = threading.Timer(0.3, git.close)
    closing.start()
    with pytest.raises(errors.SyncError):
        heads.of(remote(git_server), [MAIN])
    with pytest.raises(errors.Unreachable, match="stopping"):
        heads.of(remote(git_server), [MAIN])


def test_only_the_checked_addresses_are_dialled(git: Git, git_server: GitServer) -> None:
    """U9: the name does not even exist."""
    commit = git_server.repository().commit({"a": "1"})
    loopback = Loopback()
    heads = Heads(git, SmartHTTP(loopback))
    origin = f"http://forge.invalid:{git_server.port}"
    assert heads.of(Remote(f"{origin}/site.git"), [MAIN]) == {MAIN: commit}
    assert loopback.asked == [origin]
    assert git_server.hosts == [f"forge.invalid:{git_server.port}"]


def test_an_address_that_is_forbidden_is_not_dialled(git: Git, git_server: GitServer) -> None:
    with pytest.raises(errors.AddressForbidden):
        Heads(git, SmartHTTP(Forbidden())).of(remote(git_server), [MAIN])
    assert git_server.requests == []


def test_the_environments_proxy_and_netrc_are_not_used(
    heads: Heads, git_server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U11."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login tess password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    git_server.repository().commit({"a": "1"})
    assert heads.of(remote(git_server), [MAIN])
    git_server.require("site", "tess", "s3cret")
    with pytest.raises(errors.AuthFailed):
        heads.of(remote(git_server), [MAIN])


def test_cookies_are_not_kept(heads: Heads) -> None:
    answer = http(packets(f"{A_COMMIT} refs/heads/main\n"), Set_Cookie="session=1; Path=/")
    with ScriptedServer(says(answer)) as server:
        for _ in range(2):
            heads.of(Remote(f"{server.origin}/x.git"), [MAIN])
        assert not any(b"ookie" in request for request in server.requests)


def test_a_server_that_does_not_listen_is_unreachable(heads: Heads) -> None:
    with ScriptedServer(says(b"")) as server:
        origin = server.origin
    with pytest.raises(errors.Unreachable, match="cannot be reached"):
        heads.of(Remote(f"{origin}/x.git"), [MAIN])


def test_an_untrusted_certificate_is_refused_and_a_trusted_one_is_not(git: Git, tmp_path: Path) -> None:
    server_side, trusting = certificate_for("forge.example.com", tmp_path)
    answer = says(http(packets(f"{A_COMMIT} refs/heads/main\n")))

    def script(connection: socket.socket) -> None:
        with server_side.wrap_socket(connection, server_side=True) as secure:
            read_request(secure)
            answer(secure)

    with TLSServer(script) as server:
        url = f"https://forge.example.com:{server.port}/x.git"
        with pytest.raises(errors.Unreachable, match="certificate"):
            Heads(git, SmartHTTP(Loopback())).of(Remote(url), [MAIN])
        trusted = Heads(git, SmartHTTP(Loopback(), tls=trusting))
        assert trusted.of(Remote(url), [MAIN]) == {MAIN: A_COMMIT}
        other = url.replace("forge", "other")  # the name in the URL counts, not what is dialled
        with pytest.raises(errors.Unreachable, match="certificate"):
            trusted.of(Remote(other), [MAIN])


class TLSServer(ScriptedServer):
    """Leaves the first bytes to the script, for they are a handshake."""

    @property
    def port(self) -> int:
        return int(self.origin.rpartition(":")[2])

    def _play(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._script(connection)


def certificate_for(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A self-signed certificate: a context to serve with it, and one that trusts it and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


@given(st.binary(max_size=200))
def test_random_answers_yield_no_refs_that_they_do_not_contain(body: bytes) -> None:
    answer = GitAnswer(200, RESULT, "", "", whole=True, body=body)
    try:
        commits = read_answer(answer, Remote("https://forge.example.com/x.git"))
    except NotUnderstood:
        return
    assert all(len(commit) in (40, 64) and commit.encode() in body for commit in commits.values())
    assert all(name.startswith(("refs/heads/", "refs/tags/")) and name.encode() in body for name in commits)


def test_a_chunk_of_negative_length_is_no_answer(heads: Heads) -> None:
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with ScriptedServer(says(head + b"-5\r\n0000\r\n0\r\n\r\n")) as server, pytest.raises(errors.Unreachable):
        heads.of(Remote(f"{server.origin}/x.git"), [MAIN])
