"""What spec.revision publishes: a commit or a tag, from the volume or from git."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.api import SiteKey, StaticSiteStatus
from syncer.disk.policy import DiskPolicy
from syncer.outcome import Published
from syncer.sources import source_of
from syncer.volume.releases import Releases
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site
from tests.support.repositories import Repository
from tests.support.repositories import git as run_git
from tests.support.serving import eventually
from tests.syncer.service.test_loop import Running


def test_a_release_that_is_still_on_the_volume_is_live_again_without_a_question(
    bench: Bench, git_server: GitServer
) -> None:
    repository = git_server.repository()
    old = repository.commit({"index.html": "old", "same.css": "s"})
    bench.sync(parsed_site(repo=git_server.url()))
    before = (bench.root / "volume/live/team/site").readlink()
    repository.commit({"index.html": "new", "same.css": "s"})
    bench.sync(parsed_site(repo=git_server.url()))
    outcome = bench.sync(parsed_site(repo=git_server.url(), revision=old))["site"]
    assert isinstance(outcome, Published)
    assert (outcome.changed, outcome.release.commit) == (True, old)
    assert (bench.live()["index.html"], git_server.requests) == ("old", [])
    assert (bench.root / "volume/live/team/site").readlink() == before
    again = bench.sync(parsed_site(repo=git_server.url(), revision=old))["site"]
    assert isinstance(again, Published)
    assert (again.changed, git_server.requests) == (False, [])


def test_without_the_pin_the_tip_is_live_again_and_is_not_written_anew(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    old = repository.commit({"index.html": "old"})
    bench.sync(parsed_site(repo=git_server.url()))
    repository.commit({"index.html": "new"})
    bench.sync(parsed_site(repo=git_server.url()))
    bench.sync(parsed_site(repo=git_server.url(), revision=old))
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.live() == {"index.html": "new"}
    assert git_server.requests == ["POST /site.git/git-upload-pack"]  # where the branch is
    assert len(list((bench.root / "volume/releases/team/site").glob("*.json"))) == 2


@pytest.mark.parametrize("way", ["by one request", "by git"])
def test_a_commit_that_is_not_on_the_volume_is_fetched_by_its_id(bench: Bench, git_server: GitServer, way: str) -> None:
    repository = git_server.repository()
    first = repository.commit({"index.html": "first"})
    repository.commit({"index.html": "second"})
    if way == "by git":
        git_server.speak_no_protocol_2("site", 404)
        run_git("-C", str(repository.folder), "config", "uploadpack.allowReachableSHA1InWant", "true")
    bench.sync(parsed_site(repo=git_server.url(), revision=first))
    assert bench.live() == {"index.html": "first"}


def test_a_commit_that_the_server_does_not_give_out_has_a_reason(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    first = repository.commit({"index.html": "first"})
    repository.commit({"index.html": "second"})
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.reason(parsed_site(repo=git_server.url(), revision="1" * 40)) == "RevisionNotFound"
    git_server.speak_no_protocol_2("site", 404)
    assert bench.reason(parsed_site(repo=git_server.url(), revision=first)) == "RevisionNotFound"
    assert "push a tag" in str(bench.outcomes["site"])
    assert bench.live() == {"index.html": "second"}


@pytest.mark.parametrize("way", ["by one request", "by git"])
@pytest.mark.parametrize("message", ["", "annotated"])
def test_a_tag_is_published_followed_when_it_moves_and_stays_when_it_goes(
    bench: Bench, git_server: GitServer, message: str, way: str
) -> None:
    repository = git_server.repository()
    first = repository.commit({"index.html": "first"})
    second = repository.commit({"index.html": "second"})
    repository.commit({"index.html": "a branch of that name"}, branch="v1")
    repository.tag("v1", first, message=message)
    if way == "by git":
        git_server.speak_no_protocol_2("site", 404)
    site = parsed_site(repo=git_server.url(), revision="v1")
    outcome = bench.sync(site)["site"]
    assert isinstance(outcome, Published), outcome
    assert (outcome.release.commit, bench.live()) == (first, {"index.html": "first"})
    again = bench.sync(site)["site"]
    assert isinstance(again, Published) and not again.changed
    repository.commit({"index.html": "third"})
    bench.sync(site)
    assert bench.live() == {"index.html": "first"}
    repository.tag("v1", second, message=message)
    bench.sync(site)
    assert bench.live() == {"index.html": "second"}
    repository.delete_tag("v1")
    assert bench.reason(site) == "RevisionNotFound"
    assert bench.live() == {"index.html": "second"}


@pytest.mark.parametrize("way", ["by its id", "by a tag", "by a tag and git"])
def test_what_is_no_commit_is_not_published(bench: Bench, git_server: GitServer, way: str) -> None:
    repository = git_server.repository()
    commit = repository.commit({"index.html": "x"})
    blob = run_git("-C", str(repository.folder), "rev-parse", f"{commit}:index.html")
    repository.tag("a-blob", blob)
    if way == "by a tag and git":
        git_server.speak_no_protocol_2("site", 404)
    assert (
        bench.reason(parsed_site(repo=git_server.url(), revision=blob if way == "by its id" else "a-blob"))
        == "RevisionNotFound"
    )
    assert bench.live() == {}


def test_an_abbreviation_is_the_name_of_a_tag_and_nothing_else(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    commit = repository.commit({"index.html": "x"})
    assert bench.reason(parsed_site(repo=git_server.url(), revision=commit[:10])) == "RevisionNotFound"
    assert "all its digits" in str(bench.outcomes["site"])
    repository.tag(commit[:10], repository.commit({"index.html": "tagged"}))
    bench.sync(parsed_site(repo=git_server.url(), revision=commit[:10]))
    assert bench.live() == {"index.html": "tagged"}


def test_nothing_of_another_repository_folder_or_site_goes_live(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    git_server.repository("other").commit({"x": "x"})
    commit = repository.commit({"a/index.html": "a", "b/index.html": "b"})
    bench.sync(parsed_site(repo=git_server.url(), path="/a"))
    repository.commit({"a/index.html": "changed"})
    bench.sync(parsed_site(repo=git_server.url(), path="/a"))
    assert bench.reason(parsed_site(repo=git_server.url("other"), path="/a", revision=commit)) == "RevisionNotFound"
    bench.sync(parsed_site(repo=git_server.url(), path="/b", revision=commit))
    assert bench.live() == {"index.html": "b"}
    git_server.fail("site", 500)
    shutil.rmtree(bench.root / "mirrors")
    assert (
        bench.reason(parsed_site(repo=git_server.url(), path="/a", revision=commit, metadata={"uid": "another"}))
        == "Unreachable"
    )
    assert bench.live() == {}  # N3


@pytest.mark.parametrize("damage", ["content", "missing", "record"])
def test_a_damaged_release_is_not_gone_back_to_but_made_anew(bench: Bench, git_server: GitServer, damage: str) -> None:
    repository = git_server.repository()
    old = repository.commit({"index.html": "old!"})
    bench.sync(parsed_site(repo=git_server.url()))
    release = (bench.root / "volume/live/team/site").resolve()
    repository.commit({"index.html": "new!"})
    bench.sync(parsed_site(repo=git_server.url()))
    match damage:
        case "content":
            stat = (release / "index.html").stat()
            (release / "index.html").write_text("evil")
            os.utime(release / "index.html", (stat.st_atime, stat.st_mtime))
        case "missing":
            (release / "index.html").unlink()
        case "record":
            release.with_name(f"{release.name}.json").write_text("{}")
    bench.sync(parsed_site(repo=git_server.url(), revision=old))
    assert bench.live() == {"index.html": "old!"}
    assert git_server.requests != []


def test_the_release_that_a_site_is_pinned_to_is_kept(bench: Bench, git_server: GitServer) -> None:
    """However old it is, and however many are newer."""
    repository = git_server.repository()
    commits = []
    for number in range(3):
        commits.append(repository.commit({"index.html": f"{number}"}))
        bench.sync(parsed_site(repo=git_server.url()))
    bench.sync(parsed_site(repo=git_server.url(), revision=commits[0]))
    moment = time.time() + 1e8
    keeper = Releases(bench.root / "volume", DiskPolicy(grace_seconds=0), clock=lambda: moment)
    keeper.collect()
    assert bench.live() == {"index.html": "0"}
    assert [release.commit for release in keeper.history(SiteKey("team", "site"))] == [commits[0]]


@pytest.fixture
def running(tmp_path: Path, git_server: GitServer) -> Iterator[Running]:
    made = Running(tmp_path, git_server)
    yield made
    made.stop()


def status_of(running: Running, name: str) -> StaticSiteStatus:
    return running.store.statuses[name]


def look_again(running: Running) -> None:
    running.queue.hasten([source_of(site) for site in running.store.sites])


def published_twice(running: Running, repository: Repository, server: GitServer) -> tuple[str, str]:
    old = repository.commit({"index.html": "old"}, message="The first\n\nand more")
    running.follow(parsed_site("a", repo=server.url("a")))
    eventually(lambda: running.text("a") == "old" and running.phase("a") == "Synced")
    new = repository.commit({"index.html": "new"}, message="The second")
    look_again(running)
    eventually(lambda: running.text("a") == "new" and status_of(running, "a").last_commit == new)
    return old, new


@pytest.mark.parametrize("trouble", ["refuses", "hangs"])
def test_a_rollback_waits_for_no_server(running: Running, git_server: GitServer, trouble: str) -> None:
    old, new = published_twice(running, git_server.repository("a"), git_server)
    others = [parsed_site(name, repo=git_server.url(name)) for name in ("b", "c", "d", "e")]
    for name in ("a", "b", "c", "d", "e"):
        if trouble == "hangs":
            git_server.hang(name)
        else:
            git_server.fail(name, 500)
    if trouble == "hangs":
        running.follow(parsed_site("a", repo=git_server.url("a")), *others)
        look_again(running)
        eventually(lambda: git_server.hanging >= 2)  # as many as one server may have
    running.follow(parsed_site("a", repo=git_server.url("a"), revision=old, metadata={"generation": 2}), *others)
    eventually(lambda: running.text("a") == "old" and status_of(running, "a").last_commit == old)
    found = status_of(running, "a")
    assert (
        f"commit {old[:12]} is live, pinned by spec.revision (branch main is not followed)"
        == found.conditions[1].message
    )
    assert [(each.commit, each.live, each.available) for each in found.releases] == [
        (new, False, True),
        (old, True, True),
    ]
    assert [each.subject for each in found.releases] == ["The second", "The first"]
    assert all(each.author_date and each.files == 1 and each.bytes == 3 for each in found.releases)


def test_a_pinned_site_is_not_advanced_and_follows_its_branch_again_without_the_pin(
    running: Running, git_server: GitServer
) -> None:
    repository = git_server.repository("a")
    old, _ = published_twice(running, repository, git_server)
    running.follow(parsed_site("a", repo=git_server.url("a"), revision=old, metadata={"generation": 2}))
    eventually(lambda: running.text("a") == "old" and status_of(running, "a").last_commit == old)
    newest = repository.commit({"index.html": "newest"})
    git_server.requests.clear()
    look_again(running)
    running.follow(
        parsed_site("a", repo=git_server.url("a"), revision=old, syncInterval="10m", metadata={"generation": 3})
    )
    eventually(lambda: status_of(running, "a").observed_generation == 3 and running.phase("a") == "Synced")
    assert (running.text("a"), git_server.requests) == ("old", [])
    running.follow(parsed_site("a", repo=git_server.url("a"), metadata={"generation": 4}))
    eventually(lambda: running.text("a") == "newest" and status_of(running, "a").last_commit == newest)


def test_what_a_site_was_made_of_never_replaces_what_it_is_pinned_to(running: Running, git_server: GitServer) -> None:
    """A push that is being fetched when the pin comes."""
    repository = git_server.repository("a")
    old, _ = published_twice(running, repository, git_server)
    git_server.hang("a", b"command=fetch")
    repository.commit({"index.html": "newest"})
    look_again(running)
    eventually(lambda: git_server.hanging)
    running.follow(parsed_site("a", repo=git_server.url("a"), revision=old, metadata={"generation": 2}))
    eventually(lambda: running.text("a") == "old")
    git_server.released.set()
    git_server.heal("a")
    eventually(lambda: running.queue.backlog().running == 0)
    assert running.text("a") == "old"


def test_the_history_survives_a_restart_and_what_is_gone_from_the_volume_is_said_to_be(
    tmp_path: Path, git_server: GitServer
) -> None:
    repository = git_server.repository("a")
    first = Running(tmp_path, git_server)
    old, new = published_twice(first, repository, git_server)
    first.stop()
    (gone,) = (
        path
        for path in (tmp_path / "volume/releases/team/a").iterdir()
        if (path / "index.html").is_file() and (path / "index.html").read_text() == "old"
    )
    shutil.rmtree(gone)
    gone.with_name(f"{gone.name}.json").unlink()
    again = Running(tmp_path, git_server)
    site = parsed_site("a", repo=git_server.url("a")).model_copy(update={"status": status_of(first, "a")})
    again.follow(site)
    eventually(lambda: "a" in again.store.statuses and again.store.statuses["a"].releases[-1].available is False)
    found = status_of(again, "a").releases
    again.stop()
    assert [(each.commit, each.live, each.available) for each in found] == [(new, True, True), (old, False, False)]
