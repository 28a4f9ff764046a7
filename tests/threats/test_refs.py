"""What a tenant writes into spec.branch, and what refs a repository has (R1, R2)."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages import validation
from syncer.git.commands import Git
from syncer.git.remote import Remote
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site
from tests.support.repositories import ENVIRONMENT
from tests.support.repositories import git as run_git


@pytest.mark.parametrize(
    "branch",
    [
        "",
        "--foo",
        "-",
        "a..b",
        "a b",
        "x~1",
        "x^",
        "@{1}",
        "a@{u}",
        "HEAD",
        "@",
        ":x",
        "+x:y",
        "*",
        "a?",
        "a[b",
        "a.lock",
        "a.lock/b",
        "main\n",
        "a\nb",
        "a\0b",
        "a\\b",
        ".a",
        "a/.b",
        "/a",
        "a/",
        "a//b",
        "x" * 201,
        "x" * 5000,
    ],
)
def test_r1_what_is_no_plain_branch_name_is_refused(branch: str) -> None:
    with pytest.raises(ValueError, match="must"):
        validation.branch(branch)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
@settings(max_examples=60)
def test_r1_what_is_accepted_git_accepts_as_well(branch: str) -> None:
    try:
        validation.branch(branch)
    except ValueError:
        return
    done = subprocess.run(["git", "check-ref-format", f"refs/heads/{branch}"], env=ENVIRONMENT, check=False)
    assert done.returncode == 0


def test_r2_the_tip_of_exactly_this_branch(git: Git, git_server: GitServer) -> None:
    repository = git_server.repository()
    main = repository.commit({"a": "1"})
    repository.commit({"a": "2"}, branch="feature/main")
    repository.tag("main", repository.commit({"a": "3"}, branch="other"))
    assert git.ref_head(Remote(git_server.url()), "refs/heads/main") == main


def test_r2_a_branch_that_is_no_commit_is_not_published(bench: Bench, git_server: GitServer) -> None:
    """No git would write it, but anybody may serve it."""
    repository = git_server.repository()
    blob = run_git("-C", str(repository.folder), "rev-parse", f"{repository.commit({'a': '1'})}:a")
    (repository.folder / "refs/heads/main").write_text(f"{blob}\n")
    assert bench.reason(parsed_site(repo=git_server.url())) == "RevisionNotFound"
    assert "check spec.branch" in str(bench.outcomes["site"])
    assert bench.live() == {}


def test_r2_a_tag_or_a_longer_branch_is_never_published_instead(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "branch"})
    repository.commit({"index.html": "longer"}, branch="feature/main")
    repository.tag("main", repository.commit({"index.html": "tag"}, branch="other"))
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.live() == {"index.html": "branch"}
    repository.delete_branch("main")
    assert bench.reason(parsed_site(repo=git_server.url())) == "BranchNotFound"
    assert bench.live() == {"index.html": "branch"}
