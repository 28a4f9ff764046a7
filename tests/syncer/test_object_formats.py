"""Repositories of SHA-256 are published like those of SHA-1, and a repository may change from one to the other."""

import shutil

import pytest

from syncer.outcome import Published
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site


def test_each_push_to_a_repository_of_sha256_is_live(bench: Bench, git_server: GitServer) -> None:
    repository, linked = git_server.repository(object_format="sha256"), []
    for text in ("one", "two"):
        commit = repository.commit({"index.html": text, "same/page.html": "x"}, symlinks={"link": "same"})
        outcome = bench.sync(parsed_site(repo=git_server.url()))["site"]
        assert isinstance(outcome, Published)
        assert (len(commit), outcome.release.commit) == (64, commit)
        assert bench.live() == {"index.html": text, "same/page.html": "x", "link/page.html": "x"}
        linked.append(outcome.changes and outcome.changes.linked)
    assert linked == [0, 2]
    assert git_server.requests.count("POST /site.git/git-upload-pack") == 3  # two questions and the pack


def test_a_site_is_pinned_to_a_commit_or_tag_of_sha256(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository(object_format="sha256")
    first = repository.commit({"index.html": "first"})
    repository.tag("v2", repository.commit({"index.html": "second"}), message="Two")
    bench.sync(parsed_site(repo=git_server.url(), revision=first))
    assert bench.live() == {"index.html": "first"}
    bench.sync(parsed_site(repo=git_server.url(), revision="v2"))
    assert bench.live() == {"index.html": "second"}


@pytest.mark.parametrize(("pinned", "kept"), [("sha1", "sha256"), ("sha256", "sha1")])
def test_a_commit_of_the_other_format_is_none_of_the_repositorys(
    bench: Bench, git_server: GitServer, pinned: str, kept: str
) -> None:
    other = git_server.repository("other", object_format=pinned).commit({"index.html": "other"})
    git_server.repository(object_format=kept).commit({"index.html": "x"})
    assert bench.reason(parsed_site(repo=git_server.url(), revision=other)) == "RevisionNotFound"
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.reason(parsed_site(repo=git_server.url(), revision=other)) == "RevisionNotFound"
    assert bench.live() == {"index.html": "x"}


def test_a_repository_that_changes_its_format_is_followed(bench: Bench, git_server: GitServer) -> None:
    for object_format in ("sha1", "sha256", "sha1"):
        shutil.rmtree(git_server.root / "site.git", ignore_errors=True)
        commit = git_server.repository(object_format=object_format).commit({"index.html": object_format})
        outcome = bench.sync(parsed_site(repo=git_server.url()))["site"]
        assert isinstance(outcome, Published)
        assert outcome.release.commit == commit
        assert bench.live() == {"index.html": object_format}
