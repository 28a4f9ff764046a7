"""Real git against a real server; what a hostile or broken one does ends as a named error."""

import os
from pathlib import Path

import pytest

from syncer import errors
from syncer.content import tree, walk
from syncer.git.commands import Git
from syncer.git.remote import Credential, Remote
from syncer.limits import SiteLimits, Timeouts
from tests.support.git_server import GitServer
from tests.support.serving import eventually, running_commands

REF = "refs/pages/head"


def remote(server: GitServer, credential: Credential | None = None) -> Remote:
    return Remote(server.url(), credential)


def test_the_default_branch(git: Git, git_server: GitServer) -> None:
    git_server.repository().commit({"a": "1"})
    assert git.default_branch(remote(git_server)) == "main"


def test_a_missing_branch_is_named_beside_those_that_exist(git: Git, git_server: GitServer) -> None:
    git_server.repository().commit({"a": "1"}, branch="master")
    with pytest.raises(errors.BranchNotFound, match=r"'main'.*master"):
        git.ref_head(remote(git_server), "refs/heads/main")


def test_an_empty_repository(git: Git, git_server: GitServer, bare: Path) -> None:
    git_server.repository()
    with pytest.raises(errors.EmptyRepo, match="push"):
        git.ref_head(remote(git_server), "refs/heads/main")
    with pytest.raises(errors.EmptyRepo, match="push"):
        git.fetch(bare, remote(git_server), "refs/heads/main", REF)


def test_a_fetch_brings_the_tip_without_history(git: Git, git_server: GitServer, bare: Path) -> None:
    repository = git_server.repository()
    old = repository.commit({"index.html": "old"})
    new = repository.commit({"index.html": "new"})
    git.fetch(bare, remote(git_server), "refs/heads/main", REF)
    with git.objects(bare) as objects:
        assert objects.find(REF) == (new, "commit")
        assert objects.find(old) is None
        found = objects.find(f"{REF}:index.html")
        assert found
        assert [stream.read(size) for _, size, stream in objects.contents([found[0]])] == [b"new"]


def test_many_objects_are_read_in_one_conversation(git: Git, git_server: GitServer, bare: Path) -> None:
    files = {f"f{number}": f"{number}" * 50 for number in range(1200)}
    git_server.repository().commit(files)
    git.fetch(bare, remote(git_server), "refs/heads/main", REF)
    with git.objects(bare) as objects:
        found = objects.find(f"{REF}^{{tree}}")
        assert found
        listed = tree.read(walk.entries(objects, found[0]), SiteLimits())
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
        git.ref_head(remote(git_server, credential), "refs/heads/main")
    assert "wrong" not in str(raised.value)


def test_credentials_that_open(git: Git, git_server: GitServer, bare: Path) -> None:
    head = git_server.repository().commit({"a": "1"})
    git_server.require("site", "tess", 'p4ss "word" $HOME `id`')
    opened = remote(git_server, Credential("tess", 'p4ss "word" $HOME `id`'))
    assert git.ref_head(opened, "refs/heads/main") == head
    git.fetch(bare, opened, "refs/heads/main", REF)
    assert "p4ss" not in "".join(path.read_text(errors="replace") for path in bare.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, errors.RepoNotFound), (403, errors.AuthFailed), (429, errors.Unreachable), (500, errors.Unreachable)],
)
def test_a_server_that_answers_with_an_error(
    git: Git, git_server: GitServer, status: int, error: type[Exception]
) -> None:
    git_server.fail("site", status)
    with pytest.raises(error):
        git.ref_head(remote(git_server), "refs/heads/main")


def test_a_server_that_does_not_exist(git: Git) -> None:
    with pytest.raises(errors.Unreachable):
        git.ref_head(Remote("http://127.0.0.1:1/site.git"), "refs/heads/main")


def test_a_server_that_hangs_is_given_up_with_all_its_processes(git_server: GitServer) -> None:
    git = Git(Timeouts(ask=0.5))
    git_server.repository()
    git_server.hang("site")
    with pytest.raises(errors.TimedOut, match=r"0\.5 seconds"):
        git.ref_head(remote(git_server), "refs/heads/main")
    eventually(lambda: not running_commands(git_server.url()))  # a killed process takes a moment to go


def test_a_git_that_is_too_old_is_refused(git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git.check_version().startswith("git version 2.")
    (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.38.5\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(errors.GitFailed, match=r"2\.38\.5.*install git 2\.39"):
        Git().check_version()


def test_closing_ends_what_runs_and_refuses_what_comes(git_server: GitServer) -> None:
    git = Git()
    git.close()
    with pytest.raises(errors.GitFailed, match="stopping"):
        git.ref_head(remote(git_server), "refs/heads/main")
