"""Real git against a real server; what a hostile or broken one does ends as a named error."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncer import errors, tree, walk
from syncer.git import Credential, Git, Remote, Timeouts
from syncer.tree import SiteLimits
from tests.support.git_server import GitServer
from tests.support.repositories import git as run_git
from tests.support.serving import eventually

REF = "refs/pages/head"


@pytest.fixture
def git() -> Iterator[Git]:
    made = Git(Timeouts(ask=10, transfer=10))
    yield made
    made.close()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    run_git("init", "--quiet", "--bare", str(tmp_path / "mirror"))
    return tmp_path / "mirror"


def remote(server: GitServer, credential: Credential | None = None) -> Remote:
    return Remote(server.url(), credential)


def test_the_tip_of_exactly_this_branch(git: Git, git_server: GitServer) -> None:
    repository = git_server.repository()
    main = repository.commit({"a": "1"})
    repository.commit({"a": "2"}, branch="feature/main")
    repository.tag("main", repository.commit({"a": "3"}, branch="other"))
    assert git.branch_head(remote(git_server), "main") == main


def test_the_default_branch(git: Git, git_server: GitServer) -> None:
    git_server.repository().commit({"a": "1"})
    assert git.default_branch(remote(git_server)) == "main"


def test_a_missing_branch_is_named_beside_those_that_exist(git: Git, git_server: GitServer) -> None:
    git_server.repository().commit({"a": "1"}, branch="master")
    with pytest.raises(errors.BranchNotFound, match=r"'main'.*master"):
        git.branch_head(remote(git_server), "main")


def test_an_empty_repository(git: Git, git_server: GitServer, bare: Path) -> None:
    git_server.repository()
    with pytest.raises(errors.EmptyRepo, match="push"):
        git.branch_head(remote(git_server), "main")
    with pytest.raises(errors.EmptyRepo, match="push"):
        git.fetch(bare, remote(git_server), "main", REF)


def test_a_fetch_brings_the_tip_without_history(git: Git, git_server: GitServer, bare: Path) -> None:
    repository = git_server.repository()
    old = repository.commit({"index.html": "old"})
    new = repository.commit({"index.html": "new"})
    git.fetch(bare, remote(git_server), "main", REF)
    with git.objects(bare) as objects:
        assert objects.find(REF) == (new, "commit")
        assert objects.find(old) is None
        found = objects.find(f"{REF}:index.html")
        assert found
        assert [stream.read(size) for _, size, stream in objects.contents([found[0]])] == [b"new"]


def test_many_objects_are_read_in_one_conversation(git: Git, git_server: GitServer, bare: Path) -> None:
    files = {f"f{number}": f"{number}" * 50 for number in range(1200)}
    git_server.repository().commit(files)
    git.fetch(bare, remote(git_server), "main", REF)
    with git.objects(bare) as objects:
        found = objects.find(f"{REF}^{{tree}}")
        assert found
        listed = tree.read(walk.listing(objects, found[0]), SiteLimits())
        oids = [file.oid for file in listed.files]
        assert {stream.read(size).decode() for _, size, stream in objects.contents(oids)} == set(files.values())


@pytest.mark.parametrize(
    ("credential", "error", "says"),
    [
        (None, errors.AuthFailed, "spec.secretRef"),
        (Credential("tess", "wrong"), errors.AuthFailed, "token is valid"),
    ],
)
def test_credentials_that_do_not_open(
    git: Git, git_server: GitServer, credential: Credential | None, error: type[Exception], says: str
) -> None:
    git_server.repository().commit({"a": "1"})
    git_server.require("site", "tess", "s3cret-canary")
    with pytest.raises(error, match=says) as raised:
        git.branch_head(remote(git_server, credential), "main")
    assert "wrong" not in str(raised.value)


def test_credentials_that_open(git: Git, git_server: GitServer, bare: Path) -> None:
    head = git_server.repository().commit({"a": "1"})
    git_server.require("site", "tess", 'p4ss "word" $HOME `id`')
    opened = remote(git_server, Credential("tess", 'p4ss "word" $HOME `id`'))
    assert git.branch_head(opened, "main") == head
    git.fetch(bare, opened, "main", REF)
    assert "p4ss" not in "".join(path.read_text(errors="replace") for path in bare.rglob("*") if path.is_file())


def test_a_redirect_is_refused_and_its_target_never_asked(git: Git, git_server: GitServer, tmp_path: Path) -> None:
    git_server.repository().commit({"a": "1"})
    (tmp_path / "elsewhere").mkdir()
    with GitServer(tmp_path / "elsewhere") as elsewhere:
        elsewhere.repository().commit({"a": "1"})
        git_server.redirect("site", f"{elsewhere.url()}/info/refs?service=git-upload-pack")
        with pytest.raises(errors.RepoMoved, match="has moved"):
            git.branch_head(remote(git_server, Credential("tess", "s3cret")), "main")
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, errors.RepoNotFound), (403, errors.AuthFailed), (429, errors.Unreachable), (500, errors.Unreachable)],
)
def test_a_server_that_answers_with_an_error(
    git: Git, git_server: GitServer, status: int, error: type[Exception]
) -> None:
    git_server.fail("site", status)
    with pytest.raises(error):
        git.branch_head(remote(git_server), "main")


def test_a_server_that_does_not_exist(git: Git) -> None:
    with pytest.raises(errors.Unreachable):
        git.branch_head(Remote("http://127.0.0.1:1/site.git"), "main")


def test_a_server_that_hangs_is_given_up_with_all_its_processes(git_server: GitServer) -> None:
    git = Git(Timeouts(ask=0.5))
    git_server.repository()
    git_server.hang("site")
    with pytest.raises(errors.TimedOut, match=r"0\.5 seconds"):
        git.branch_head(remote(git_server), "main")
    eventually(lambda: not processes_that_mention(git_server.url()))  # a killed process takes a moment to go


def test_closing_ends_what_runs_and_refuses_what_comes(git_server: GitServer) -> None:
    git = Git()
    git.close()
    with pytest.raises(errors.GitFailed, match="stopping"):
        git.branch_head(remote(git_server), "main")


@pytest.mark.parametrize("url", ["ext::sh -c id", "file:///etc", "ssh://-oProxyCommand=id/x", "git://127.0.0.1/x"])
def test_no_transport_but_http_is_spoken(git: Git, url: str) -> None:
    with pytest.raises(errors.HostNotAllowed, match="not allowed"):
        git.branch_head(Remote(url), "main")


@pytest.mark.parametrize("branch", ["--upload-pack=touch canary", "-c core.sshCommand=touch"])
def test_an_option_in_disguise_stays_a_name(
    git: Git, git_server: GitServer, bare: Path, tmp_path: Path, branch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git_server.repository().commit({"a": "1"})
    with pytest.raises(errors.SyncError):
        git.branch_head(remote(git_server), branch)
    with pytest.raises(errors.SyncError):
        git.fetch(bare, remote(git_server), branch, REF)
    assert not (tmp_path / "canary").exists()


def test_nothing_of_the_machines_environment_reaches_git(
    git: Git, git_server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = git_server.repository().commit({"a": "1"})
    for name, value in {
        "http_proxy": "http://127.0.0.1:1",
        "GIT_DIR": "/nonexistent",
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "protocol.http.allow",
        "GIT_CONFIG_VALUE_0": "never",
    }.items():
        monkeypatch.setenv(name, value)
    assert git.branch_head(remote(git_server), "main") == head
    assert not (tmp_path / "trace").exists()


def processes_that_mention(text: str) -> list[str]:
    """The command lines of all processes that contain the text (Linux)."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            lines.append(line)
    return lines
