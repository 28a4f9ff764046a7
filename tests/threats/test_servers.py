"""Git servers that are hostile, broken or slow: each ends as a named error, nothing of it stays (U10-U13, F9-F11)."""

import functools
import http.server
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from syncer import errors
from syncer.git.commands import Git
from syncer.git.remote import Credential, Remote
from syncer.limits import Timeouts
from tests.support.answering import answering
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site
from tests.support.processes import running_commands
from tests.support.repositories import git as run_git
from tests.support.serving import eventually

REF = "refs/pages/head"
TOKEN = Credential("deploy", "canary-81c-token")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[GitServer]:
    """A second server, with a repository of the same name."""
    (tmp_path / "elsewhere").mkdir()
    with GitServer(tmp_path / "elsewhere") as server:
        server.repository().commit({"index.html": "from elsewhere"})
        yield server


@pytest.fixture
def hasty() -> Iterator[Git]:
    made = Git(Timeouts(ask=0.5, transfer=1))
    yield made
    made.close()


@pytest.mark.parametrize("only", [None, "POST"])
@pytest.mark.parametrize(
    "where", ["{elsewhere}/site.git{rest}", "http://169.254.169.254/latest", "https://127.0.0.1:1/"]
)
def test_u10_a_redirect_is_never_followed_and_no_token_goes_along(
    git: Git, git_server: GitServer, elsewhere: GitServer, bare: Path, where: str, only: str | None
) -> None:
    git_server.repository().commit({"index.html": "x"})
    rest = "/git-upload-pack" if only else "/info/refs?service=git-upload-pack"
    git_server.redirect("site", where.format(elsewhere=elsewhere.origin, rest=rest), only=only)
    for ask in (
        lambda: git.ref_head(Remote(git_server.url(), TOKEN), "refs/heads/main"),
        lambda: git.default_branch(Remote(git_server.url(), TOKEN)),
        lambda: git.fetch(bare, Remote(git_server.url(), TOKEN), "refs/heads/main", REF),
    ):
        with pytest.raises(errors.RepoMoved, match=r"has moved.*update spec\.repo"):
            ask()
    assert elsewhere.requests == []


def test_u10_a_redirect_is_never_followed_by_a_sync(bench: Bench, git_server: GitServer, elsewhere: GitServer) -> None:
    git_server.repository().commit({"index.html": "good"})
    bench.sync(parsed_site(repo=git_server.url()))
    git_server.redirect("site", f"{elsewhere.url()}/info/refs?service=git-upload-pack")
    assert bench.reason(parsed_site(repo=git_server.url())) == "RepoMoved"
    assert bench.live() == {"index.html": "good"}
    assert elsewhere.requests == []


def test_u11_nothing_of_the_machines_environment_reaches_git(
    bench: Bench, git_server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_server.repository().commit({"index.html": "x"})
    canary = tmp_path / "canary"
    (tmp_path / "config").write_text(f"[core]\n\tsshCommand = touch {canary}\n[http]\n\tproxy = http://127.0.0.1:1\n")
    poison = {
        "http_proxy": "http://127.0.0.1:1",
        "https_proxy": "http://127.0.0.1:1",
        "ALL_PROXY": "socks5://127.0.0.1:1",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": str(tmp_path / "config"),
        "GIT_CONFIG_SYSTEM": str(tmp_path / "config"),
        "GIT_CONFIG_PARAMETERS": "'protocol.http.allow=never'",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "protocol.http.allow",
        "GIT_CONFIG_VALUE_0": "never",
        "GIT_DIR": "/nonexistent",
        "GIT_WORK_TREE": "/nonexistent",
        "GIT_OBJECT_DIRECTORY": "/nonexistent",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nonexistent",
        "GIT_NAMESPACE": "other",
        "GIT_EXEC_PATH": "/nonexistent",
        "GIT_SSL_NO_VERIFY": "1",
        "GIT_TRACE": str(canary),
        "GIT_TRACE_CURL": str(canary),
        "GIT_TRACE_PACKET": str(canary),
        "GIT_TRACE2_EVENT": str(canary),
        "GIT_PROXY_COMMAND": f"touch {canary}",
        "GIT_ASKPASS": f"touch {canary}",
        "LD_PRELOAD": "/nonexistent/poison.so",
        "LD_LIBRARY_PATH": "/nonexistent",
    }
    for name, value in poison.items():
        monkeypatch.setenv(name, value)
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.live() == {"index.html": "x"}
    assert not canary.exists()


def test_u11_the_whole_environment_of_git_is_known(
    bench: Bench, git_server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "bin/git"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nenv >>{tmp_path}/environment\nexec {shutil.which("git")} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SECRET_OF_THE_POD", "s3cret")
    git_server.repository().commit({"index.html": "x"})
    bench.git = Git(Timeouts(ask=10, transfer=10))
    bench.sync(parsed_site(repo=git_server.url()))
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert "GIT_CONFIG_NOSYSTEM" in names
    allowed = {"PATH", "HOME", "XDG_CONFIG_HOME", "LC_ALL", "SSH_ASKPASS", "PWD", "_", "SHLVL", "OLDPWD"}
    assert {name for name in names if not name.startswith("GIT_")} <= allowed


def test_u13_a_server_that_only_hands_out_files_is_not_followed_to_others(
    bench: Bench, git_server: GitServer, elsewhere: GitServer
) -> None:
    """Its `http-alternates` name a second server where the objects would be."""
    repository = git_server.repository()
    repository.commit({"index.html": "x"})
    run_git("-C", str(repository.folder), "update-server-info")
    info = repository.folder / "objects/info"
    (info / "http-alternates").write_text(f"{elsewhere.url()}/objects\n")
    (info / "alternates").write_text(f"{elsewhere.url()}/objects\n")
    files = functools.partial(_Quiet, directory=str(git_server.root))
    with answering(http.server.ThreadingHTTPServer(("127.0.0.1", 0), files)) as dumb:
        bench.hosts = f"http://127.0.0.1:{dumb.server_port}"
        outcome = bench.sync(parsed_site(repo=f"{bench.hosts}/site.git"))["site"]
    assert isinstance(outcome, errors.UnsupportedServer)
    assert "smart HTTP" in str(outcome)
    assert elsewhere.requests == []


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Nobody reads it."""


@contextmanager
def full_backlog() -> Iterator[str]:
    """A server that takes no connection any more: a connect to it hangs."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting: list[socket.socket] = []
        try:
            for _ in range(64):
                client = socket.socket()
                waiting.append(client)
                client.settimeout(0.2)
                client.connect(server.getsockname())
        except TimeoutError:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/site.git"
        finally:
            for client in waiting:
                client.close()


def test_f9_a_server_that_takes_no_connection_is_given_up(hasty: Git, bare: Path) -> None:
    with full_backlog() as url:
        with pytest.raises(errors.TimedOut, match=r"0\.5 seconds, the limit of --git-ask-time"):
            hasty.ref_head(Remote(url), "refs/heads/main")
        with pytest.raises(errors.TimedOut, match=r"1 seconds, the limit of --git-transfer-time"):
            hasty.fetch(bare, Remote(url), "refs/heads/main", REF)
        eventually(lambda: not running_commands(url))


@pytest.mark.parametrize("manner", ["silent", "drip"])
def test_f9_a_server_that_is_silent_or_drips_is_given_up(
    hasty: Git, git_server: GitServer, bare: Path, manner: str
) -> None:
    git_server.repository().commit({"index.html": "x"})
    git_server.hang("site") if manner == "silent" else git_server.drip("site")
    with pytest.raises(errors.TimedOut, match="--git-ask-time"):
        hasty.ref_head(Remote(git_server.url()), "refs/heads/main")
    with pytest.raises(errors.TimedOut, match="--git-transfer-time"):
        hasty.fetch(bare, Remote(git_server.url()), "refs/heads/main", REF)
    eventually(lambda: not running_commands(git_server.url()))


@pytest.mark.parametrize("size", [0, 4, 100, 2000])
def test_f10_a_pack_that_is_cut_short_changes_nothing(bench: Bench, git_server: GitServer, size: int) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "good"})
    bench.sync(parsed_site(repo=git_server.url()))
    repository.commit({f"{number}.html": f"{number}" * 100 for number in range(100)})
    git_server.cut("site", size)
    assert bench.reason(parsed_site(repo=git_server.url())) == "Unreachable"
    assert bench.live() == {"index.html": "good"}
    git_server.heal("site")
    bench.sync(parsed_site(repo=git_server.url()))
    assert len(bench.live()) == 101


def test_f10_a_pack_of_garbage_changes_nothing(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "good"})
    bench.sync(parsed_site(repo=git_server.url()))
    repository.commit({"index.html": "new"})
    git_server.send_pack("site", lambda: iter([b"PACK\0\0\0\2\0\0\0\1", b"\xb0garbage" * 100]))
    assert bench.reason(parsed_site(repo=git_server.url())) in {"GitFailed", "Unreachable"}
    assert bench.live() == {"index.html": "good"}


def test_f11_a_server_that_changes_its_mind_about_a_token_is_refused(
    git: Git, git_server: GitServer, bare: Path
) -> None:
    git_server.repository().commit({"index.html": "x"})
    git_server.require("site", "deploy", TOKEN.password)
    assert git.ref_head(Remote(git_server.url(), TOKEN), "refs/heads/main")
    git_server.require("site", "deploy", "another", only="POST")
    with pytest.raises(errors.AuthFailed, match="token is valid") as raised:
        git.fetch(bare, Remote(git_server.url(), TOKEN), "refs/heads/main", REF)
    assert TOKEN.password not in str(raised.value)
    assert len(git_server.requests) < 10


def test_the_recorder_of_processes_sees_a_running_git(git_server: GitServer, bare: Path) -> None:
    """Else the tests above would see none in any case."""
    git_server.repository()
    git_server.hang("site")
    with subprocess.Popen(["git", "ls-remote", git_server.url()], stderr=subprocess.DEVNULL) as child:
        eventually(lambda: running_commands(git_server.url()))
        git_server.released.set()
        child.wait(30)
