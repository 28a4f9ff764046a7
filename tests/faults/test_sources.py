"""F10, F12 to F15, F35: what happens to a repository and its server, and which release stays meanwhile."""

import dataclasses
from base64 import b64encode

import pytest

from pages.api import StaticSiteSpec
from syncer.schedule.lanes import EntrySpec, Result
from syncer.schedule.schedule import Schedule
from tests.faults.conftest import Volume
from tests.support.chance import Fixed
from tests.support.git_server import GitServer
from tests.support.relay import Relay


@pytest.mark.parametrize("fault", ["cut", "flipped"])
def test_f10_a_pack_that_arrives_cut_or_changed_leaves_everything_as_it_was(
    volume: Volume, git_server: GitServer, fault: str
) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "old"})
    with Relay(git_server.port) as relay:
        volume.hosts = relay.origin
        site = volume.site()
        site = site.model_copy(update={"spec": site.spec.model_copy(update={"repo": f"{relay.origin}/site.git"})})
        volume.publish(site)
        (mirror,) = (volume.root / "mirrors").iterdir()
        before = {path: path.read_bytes() for path in mirror.rglob("*") if path.is_file()}
        repository.commit({"index.html": "new", "blob": "lorem ipsum" * 10_000 + "x" * 50_000})
        if fault == "cut":
            relay.cut_after = 700
        else:
            relay.flip_at = 700
        volume.refuses(site)
        assert volume.live() == {"index.html": "old"}
        assert {path: path.read_bytes() for path in mirror.rglob("*") if path.is_file()} == before
        relay.heal()
        volume.publish(site)
    assert volume.live()["index.html"] == "new"


def test_f12_a_deleted_branch_and_a_repository_without_commits_are_told_apart(
    volume: Volume, git_server: GitServer
) -> None:
    repository = git_server.repository()
    site = volume.site()
    assert volume.refuses(site).reason == "EmptyRepo"
    repository.commit({"index.html": "x"})
    volume.publish(site)
    repository.commit({"index.html": "y"}, branch="other")
    repository.delete_branch("main")
    assert volume.refuses(site).reason == "BranchNotFound"
    repository.delete_branch("other")
    assert volume.refuses(site).reason == "EmptyRepo"
    assert volume.live() == {"index.html": "x"}


def test_f13_a_rewritten_history_is_followed_and_the_old_release_can_be_collected(
    volume: Volume, git_server: GitServer
) -> None:
    repository = git_server.repository()
    volume.policy = dataclasses.replace(volume.policy, keep_releases=0)
    volume.start()
    first = repository.commit({"index.html": "first"})
    repository.commit({"index.html": "second"})
    volume.publish(volume.site())
    rewritten = repository.commit({"index.html": "rewritten"}, orphan=True)
    assert volume.publish(volume.site()).commit == rewritten != first
    assert volume.live() == {"index.html": "rewritten"}
    volume.clocks.wait(1000)
    volume.releases.collect()
    assert volume.old_releases(volume.site()) == 0


@pytest.mark.parametrize(
    ("trouble", "reason"), [("deleted", "RepoNotFound"), ("moved", "RepoMoved"), ("private", "AuthFailed")]
)
def test_f14_a_repository_that_goes_away_has_a_reason_and_its_site_stays(
    volume: Volume, git_server: GitServer, trouble: str, reason: str
) -> None:
    git_server.repository().commit({"index.html": "x"})
    site = volume.site(served=True)
    volume.publish(site)
    match trouble:
        case "deleted":
            git_server.fail("site", 404)
        case "moved":
            git_server.redirect("site", "https://elsewhere.example.com/site.git")
        case "private":
            git_server.require("site", "git", "token")
    assert volume.refuses(site).reason == reason
    assert volume.live() == {"index.html": "x"}


@pytest.mark.parametrize("changed", ["repo", "branch", "path"])
def test_f15_the_old_is_served_until_the_new_is_good(volume: Volume, git_server: GitServer, changed: str) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "old"})
    volume.publish(volume.site())
    after = {
        "repo": volume.site(repository="other"),
        "branch": volume.site(branch="other"),
        "path": volume.site(path="/other"),
    }[changed]
    volume.refuses(after)
    assert volume.live() == {"index.html": "old"}
    if changed == "repo":
        git_server.repository("other").commit({"index.html": "new"})
    elif changed == "branch":
        repository.commit({"index.html": "new"}, branch="other")
    else:
        repository.commit({"other/index.html": "new"})
    volume.publish(after)
    assert volume.live() == {"index.html": "new"}
    assert volume.releases.sites() == [after.site_key]


def test_f15_a_new_credential_is_never_sent_to_the_old_repository(volume: Volume, git_server: GitServer) -> None:
    for name in ("old", "new"):
        git_server.repository(name).commit({"index.html": name})
    git_server.require("new", "git", "token")
    token = b64encode(b"git:token")
    volume.secrets = {"password": b64encode(b"token").decode()}
    with Relay(git_server.port) as old, Relay(git_server.port) as new:
        volume.hosts = f"{old.origin},{new.origin}"
        site = volume.site()
        spec = site.spec.model_copy(update={"repo": f"{old.origin}/old.git"})
        volume.publish(site.model_copy(update={"spec": spec}))
        spec = StaticSiteSpec.model_validate({"repo": f"{new.origin}/new.git", "secretRef": {"name": "token"}})
        volume.publish(site.model_copy(update={"spec": spec}))
    assert volume.live() == {"index.html": "new"}
    assert token in new.received
    assert token not in old.received


SPEC, WELL = EntrySpec(300, "site", "forge", "team"), {"site": Result(well=True)}


def test_f35_a_trigger_only_hastens_and_doubled_ones_cost_one_more_look() -> None:
    """It carries no commit: what is true is asked of the server, in whatever order triggers come."""
    schedule: Schedule[str] = Schedule(random=Fixed())
    schedule.keep({"site": SPEC}, now=0.0)
    (first,) = schedule.take_due(0.0)
    for _ in range(100):
        schedule.hasten("site", 1.0)
    assert schedule.take_due(1.0) == []  # never twice at once
    schedule.finished(first, WELL, 2.0)
    (second,) = schedule.take_due(2.0)
    schedule.finished(second, WELL, 3.0)
    assert schedule.take_due(3.0) == []


def test_f35_a_lost_trigger_is_made_good_by_the_next_look() -> None:
    schedule: Schedule[str] = Schedule(random=Fixed())
    schedule.keep({"site": SPEC}, now=0.0)
    (first,) = schedule.take_due(0.0)
    schedule.finished(first, WELL, 0.0)
    assert schedule.take_due(299.0) == []
    assert [run.keys for run in schedule.take_due(300.0)] == [("site",)]


def test_f35_triggers_out_of_order_end_at_the_newest_commit(volume: Volume, git_server: GitServer) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "1"})
    repository.commit({"index.html": "2"})
    for _ in range(3):  # one for the first push, late, and one twice
        volume.publish(volume.site())
    assert volume.live() == {"index.html": "2"}
    assert volume.old_releases(volume.site()) == 0
