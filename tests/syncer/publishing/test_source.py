"""From a real git server to live files, one source at a time."""

import shutil
from typing import Any

import pytest

from syncer.errors import SyncError
from syncer.git.commands import Git
from syncer.limits import SiteLimits, Timeouts
from syncer.outcome import Published
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site


def test_a_push_is_live_after_the_next_sync(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    site = parsed_site(repo=git_server.url())
    repository.commit({"index.html": "one", "gone.html": "x"})
    bench.sync(site)
    assert bench.live() == {"index.html": "one", "gone.html": "x"}
    repository.commit({"index.html": "two", "gone.html": None})
    bench.sync(site)
    assert bench.live() == {"index.html": "two"}


def test_a_folder_of_another_branch(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"public/a.html": "a", "secret.txt": "s"}, branch="release/1.0")
    bench.sync(parsed_site(repo=git_server.url(), branch="release/1.0", path="/public"))
    assert bench.live() == {"a.html": "a"}


def test_a_push_beside_the_published_folder_makes_no_release(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    site = parsed_site(repo=git_server.url(), path="/public")
    repository.commit({"public/a.html": "a"})
    bench.sync(site)
    before = (bench.root / "volume/live/team/site").readlink()
    commit = repository.commit({"README.md": "changed"})
    outcome = bench.sync(site)["site"]
    assert isinstance(outcome, Published)
    assert (outcome.changed, outcome.release.commit) == (False, commit)
    assert (bench.root / "volume/live/team/site").readlink() == before


def test_many_sites_of_one_branch_cost_one_question_and_one_fetch(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    repository.commit({f"s{number}/index.html": str(number) for number in range(20)})
    sites = [parsed_site(f"s{number}", repo=git_server.url(), path=f"/s{number}") for number in range(20)]
    bench.sync(*sites)
    assert bench.live("s7") == {"index.html": "7"}
    posts = [each for each in git_server.requests if each.startswith("POST")]
    assert len(posts) == 2  # the refs and the pack of one fetch
    bench.sync(*sites)
    assert len([each for each in git_server.requests if each.startswith("POST")]) == 1  # the refs


def test_without_news_nothing_is_fetched(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "x"})
    bench.sync(parsed_site(repo=git_server.url()))
    git_server.requests.clear()
    bench.sync(parsed_site(repo=git_server.url()))
    assert git_server.requests == ["POST /site.git/git-upload-pack"]  # where the branch is, and no pack


@pytest.mark.parametrize(
    ("files", "spec", "reason"),
    [
        ({"index.html": "x"}, {"branch": "nope"}, "BranchNotFound"),
        ({}, {}, "EmptyRepo"),
        ({"index.html": "x"}, {"path": "/nope"}, "SubpathNotFound"),
        ({"public": "a file"}, {"path": "/public"}, "NotADirectory"),
        ({"index.html": "x"}, {"path": "/index.html/deeper"}, "SubpathNotFound"),
        ({"index.html": "x"}, {"secretRef": {"name": "token"}}, "SecretMissing"),
    ],
)
def test_what_a_tenant_got_wrong_has_a_reason(
    bench: Bench, git_server: GitServer, files: dict[str, str], spec: dict[str, Any], reason: str
) -> None:
    repository = git_server.repository()
    if files:
        repository.commit(files)
    assert bench.reason(parsed_site(**{"repo": git_server.url(), **spec})) == reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"password": b"right"}, None),
        ({"password": b"right\n"}, None),
        ({"username": b"git", "password": b"right"}, None),
        ({"password": b"wrong"}, "AuthFailed"),
        ({"username": b"other", "password": b"right"}, "AuthFailed"),
        ({"token": b"right"}, "SecretMissing"),
        ({"password": b""}, "SecretMissing"),
        ({"password": b"right\r\nX-Header: 1"}, "SecretMissing"),
        ({"password": b"\xff\xfe"}, "SecretMissing"),
    ],
)
def test_a_private_repository(bench: Bench, git_server: GitServer, data: dict[str, bytes], reason: str | None) -> None:
    git_server.repository().commit({"index.html": "private"})
    git_server.require("site", "git", "right")
    bench.secrets["team", "token"] = data
    outcome = bench.sync(parsed_site(repo=git_server.url(), secretRef={"name": "token"}))["site"]
    assert (outcome.reason if isinstance(outcome, SyncError) else None) == reason
    assert "right" not in str(outcome)


def test_a_mirror_is_never_shared_between_credentials(bench: Bench, git_server: GitServer) -> None:
    """A site without the credential gets nothing of what another one fetched with it (F15)."""
    git_server.repository().commit({"index.html": "private"})
    git_server.require("site", "git", "right")
    bench.secrets["team", "token"] = {"password": b"right"}
    outcomes = bench.sync(
        parsed_site("insider", repo=git_server.url(), secretRef={"name": "token"}),
        parsed_site("outsider", repo=git_server.url()),
    )
    assert isinstance(outcomes["insider"], Published)
    assert isinstance(outcomes["outsider"], SyncError)
    assert bench.live("outsider") == {}


@pytest.mark.parametrize("trouble", ["fail", "hang", "branch", "folder"])
def test_the_last_good_release_stays(bench: Bench, git_server: GitServer, trouble: str) -> None:
    repository = git_server.repository()
    repository.commit({"public/index.html": "good"})
    site = parsed_site(repo=git_server.url(), path="/public")
    bench.sync(site)
    match trouble:
        case "fail":
            git_server.fail("site", 500)
        case "hang":
            bench.git = Git(Timeouts(ask=0.3, transfer=0.3))
            git_server.hang("site")
        case "branch":
            repository.commit({"x": "y"}, branch="other")
            repository.delete_branch("main")
        case "folder":
            repository.commit({"public/index.html": None, "elsewhere": "x"})
    outcome = bench.sync(site)["site"]
    assert isinstance(outcome, SyncError)
    assert bench.live() == {"index.html": "good"}


def test_a_rewritten_history_is_followed(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "old"})
    bench.sync(parsed_site(repo=git_server.url()))
    repository.commit({"index.html": "rewritten"}, orphan=True)
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.live() == {"index.html": "rewritten"}


@pytest.mark.parametrize(
    "damage", ["objects", "HEAD", "config", "shallow.lock", "refs", "everything", "pack", "empty ref"]
)
def test_a_damaged_mirror_is_mended(bench: Bench, git_server: GitServer, damage: str) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "old"})
    bench.sync(parsed_site(repo=git_server.url()))
    (mirror,) = (bench.root / "mirrors").iterdir()
    match damage:
        case "shallow.lock":
            (mirror / damage).touch()
        case "everything":
            shutil.rmtree(mirror)
        case "objects" | "refs":
            shutil.rmtree(mirror / damage)
        case "pack":
            for pack in mirror.glob("objects/pack/*.pack"):
                pack.chmod(0o644)
                pack.write_bytes(b"garbage")
        case "empty ref":
            for ref in (mirror / "refs/pages").iterdir():
                ref.write_text("")
        case _:
            (mirror / damage).write_text("")
    repository.commit({"index.html": "new"})
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.live() == {"index.html": "new"}


def test_a_site_with_another_uid_never_shows_the_old_content(bench: Bench, git_server: GitServer) -> None:
    git_server.repository("mine").commit({"index.html": "the old owner's"})
    bench.sync(parsed_site(repo=git_server.url("mine"), metadata={"uid": "old"}))
    git_server.fail("theirs", 500)
    outcome = bench.sync(parsed_site(repo=git_server.url("theirs"), metadata={"uid": "new"}))["site"]
    assert isinstance(outcome, SyncError)
    assert bench.live() == {}


def test_a_changed_repository_serves_the_old_until_the_new_is_good(bench: Bench, git_server: GitServer) -> None:
    git_server.repository("one").commit({"index.html": "one"})
    bench.sync(parsed_site(repo=git_server.url("one")))
    git_server.fail("two", 500)
    bench.sync(parsed_site(repo=git_server.url("two")))
    assert bench.live() == {"index.html": "one"}
    git_server.heal("two")
    git_server.repository("two").commit({"index.html": "two"})
    bench.sync(parsed_site(repo=git_server.url("two")))
    assert bench.live() == {"index.html": "two"}


def test_a_site_beyond_a_limit_is_refused_and_says_so(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({f"{number}.html": "x" for number in range(5)})
    bench.limits = SiteLimits(files=4)
    assert bench.reason(parsed_site(repo=git_server.url())) == "LimitExceeded"


def test_hidden_files_and_links_are_left_out_and_counted(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit(
        {"index.html": "x", ".env": "SECRET=1", ".well-known/security.txt": "Contact: x"},
        symlinks={"passwd": "/etc/passwd"},
    )
    outcome = bench.sync(parsed_site(repo=git_server.url()))["site"]
    assert isinstance(outcome, Published)
    assert outcome.release.skipped == {"hidden file": 1, "symlink": 1}
    assert bench.live() == {"index.html": "x", ".well-known/security.txt": "Contact: x"}
    assert not [path for path in (bench.root / "volume/releases").rglob("*") if path.is_symlink()]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "folder / of commit "),
        ({".env": "x", ".htaccess": "y"}, "only ignored files: 2 hidden files"),
        ({"_redirects": ""}, "has no files; push a page, or check spec.path"),
    ],
)
def test_a_push_that_leaves_nothing_to_show_takes_no_page_away(
    bench: Bench, git_server: GitServer, files: dict[str, str], says: str
) -> None:
    repository, site = git_server.repository(), parsed_site(repo=git_server.url())
    repository.commit({"index.html": "good"})
    bench.sync(site)
    repository.commit(files, orphan=True)
    assert bench.reason(site) == "NothingToPublish"
    assert says in str(bench.outcomes["site"])
    assert bench.live() == {"index.html": "good"}
    repository.commit({"index.html": "better"})
    bench.sync(site)
    assert bench.live() == {"index.html": "better"}


def test_a_site_may_be_nothing_but_rules(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"_redirects": "/* https://elsewhere.example.com/:splat 301\n"})
    outcome = bench.sync(parsed_site(repo=git_server.url()))["site"]
    assert isinstance(outcome, Published)
    assert outcome.release.has_rules
    assert bench.live().keys() == {".own-rules.json"}


def test_the_mirror_stays_small_over_many_pushes(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    for number in range(25):
        repository.commit({"index.html": f"{number}"})
        bench.sync(parsed_site(repo=git_server.url()))
    assert len(list((bench.root / "mirrors").glob("*/objects/pack/*.pack"))) <= 21
    assert bench.live() == {"index.html": "24"}


def rules_of(bench: Bench) -> str:
    return bench.live().get(".own-rules.json", "")


def test_rules_are_compiled_into_the_release_and_their_files_are_not_published(
    bench: Bench, git_server: GitServer
) -> None:
    repository, site = git_server.repository(), parsed_site(repo=git_server.url())
    repository.commit({"index.html": "x", "_redirects": "/old /new\n/lonely\n", "_headers": "/*\n  X-A: 1\n"})
    outcome = bench.sync(site)["site"]
    assert isinstance(outcome, Published)
    assert bench.live().keys() == {"index.html", ".own-rules.json"}
    assert '"/old":[1]' in rules_of(bench)
    assert outcome.release.rules
    assert [each["line"] for each in outcome.release.rules["problems"]] == [2]


def test_a_change_of_the_staticsites_rules_makes_a_new_release_of_the_same_commit(
    bench: Bench, git_server: GitServer
) -> None:
    commit = git_server.repository().commit({"index.html": "x"})
    bench.sync(parsed_site(repo=git_server.url()))
    assert rules_of(bench) == ""
    outcome = bench.sync(parsed_site(repo=git_server.url(), redirects=[{"from": "/a", "to": "/b"}]))["site"]
    assert isinstance(outcome, Published)
    assert (outcome.changed, outcome.release.commit) == (True, commit)
    assert '"/a":[1]' in rules_of(bench)
    again = bench.sync(parsed_site(repo=git_server.url(), redirects=[{"from": "/a", "to": "/b"}]))["site"]
    assert isinstance(again, Published)
    assert not again.changed
    bench.sync(parsed_site(repo=git_server.url()))
    assert rules_of(bench) == ""
