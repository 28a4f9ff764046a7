"""A tenant's day at a real Gitea, as far as webhooks go."""

import pytest

from tests.forge.conftest import SECRET, Pages
from tests.support.gitea import USER, Gitea
from tests.support.serving import eventually


def published(gitea: Gitea, pages: Pages, name: str, *, content_type: str = "json", secret: str = SECRET) -> int:
    """A repository with a webhook, whose site is live."""
    gitea.repository(name)
    gitea.commit(name, {"index.html": "one"})
    pages.site(name, gitea.url(name))
    eventually(lambda: pages.shows(name, "one"))
    return gitea.hook(name, pages.hook_url, secret, content_type=content_type)


@pytest.mark.parametrize("content_type", ["json", "form"])
def test_a_push_over_http_is_live_at_once(gitea: Gitea, pages: Pages, content_type: str) -> None:
    name = f"push-{content_type}"
    published(gitea, pages, name, content_type=content_type)
    commit = gitea.commit(name, {"index.html": "two"})
    eventually(lambda: pages.shows(name, "two"))
    eventually(lambda: pages.status(name)["lastCommit"] == commit)
    assert pages.last_delivery(name).items() >= {"forge": "gitea", "event": "push", "outcome": "queued"}.items()


def test_a_sites_own_token_can_sign_as_well(gitea: Gitea, pages: Pages) -> None:
    gitea.repository("own")
    gitea.commit("own", {"index.html": "one"})
    pages.site("own", gitea.url("own"))
    token = str(eventually(lambda: pages.status("own").get("syncToken")))
    eventually(lambda: pages.shows("own", "one"))
    gitea.hook("own", pages.hook_url, token)
    gitea.commit("own", {"index.html": "two"})
    eventually(lambda: pages.shows("own", "two"))


def test_a_wrong_secret_shows_where_the_owner_looks(gitea: Gitea, pages: Pages) -> None:
    published(gitea, pages, "wrong", secret="mistyped")
    gitea.commit("wrong", {"index.html": "two"})
    eventually(lambda: pages.last_delivery("wrong", refused=True))
    assert pages.last_delivery("wrong", refused=True)["outcome"].startswith("refused: ")
    assert pages.shows("wrong", "one")


def test_gitea_can_test_its_webhook(gitea: Gitea, pages: Pages) -> None:
    number = published(gitea, pages, "tested")
    gitea.test_hook("tested", number)
    eventually(lambda: pages.last_delivery("tested").get("outcome") == "queued")


def test_a_private_repository_with_a_token(gitea: Gitea, pages: Pages) -> None:
    gitea.repository("private", private=True)
    gitea.commit("private", {"index.html": "one"})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "forge", "namespace": "team"},
        "stringData": {"username": USER, "password": gitea.token("read", "read:repository")},
    }
    pages.site("private", gitea.url("private"), secret, secretRef={"name": "forge"})
    eventually(lambda: pages.shows("private", "one"))
    gitea.hook("private", pages.hook_url, SECRET)
    gitea.commit("private", {"index.html": "two"})
    eventually(lambda: pages.shows("private", "two"))


def test_other_branches_and_tags_are_ignored(gitea: Gitea, pages: Pages) -> None:
    published(gitea, pages, "branches")
    gitea.commit("branches", {"index.html": "draft"}, branch="feature/new-look")
    eventually(lambda: "branch feature/new-look was pushed" in pages.last_delivery("branches").get("outcome", ""))
    gitea.push("branches", "refs/heads/main:refs/tags/v1.0")
    eventually(lambda: "refs/tags/v1.0 is not a branch" in pages.last_delivery("branches")["outcome"])
    assert pages.shows("branches", "one")
    pages.site("look", gitea.url("branches"), branch="feature/new-look")
    eventually(lambda: pages.shows("look", "draft"))
    gitea.commit("branches", {"index.html": "a better draft"}, branch="feature/new-look")
    eventually(lambda: pages.shows("look", "a better draft"))


def test_a_deleted_branch_stays_live_and_the_next_look_says_so(gitea: Gitea, pages: Pages) -> None:
    gitea.repository("gone")
    gitea.commit("gone", {"index.html": "the default"})
    gitea.commit("gone", {"index.html": "to be deleted"}, branch="live")
    pages.site("gone", gitea.url("gone"), branch="live")
    eventually(lambda: pages.shows("gone", "to be deleted"))
    gitea.hook("gone", pages.hook_url, SECRET, "push", "delete")
    gitea.push("gone", ":refs/heads/live")
    eventually(lambda: pages.last_delivery("gone").get("outcome", "").startswith("ignored: "))
    assert pages.shows("gone", "to be deleted")
    assert pages.ask("POST", "/sync/team/gone", "gone")["sites"] == ["team/gone"]
    eventually(lambda: pages.synced("gone") == "BranchNotFound")
    assert pages.shows("gone", "to be deleted")


def test_a_renamed_repository_stays_live_until_its_site_names_it(gitea: Gitea, pages: Pages) -> None:
    published(gitea, pages, "old-name")
    gitea.rename("old-name", "new-name")
    gitea.commit("new-name", {"index.html": "two"})
    pages.ask("POST", "/sync/team/old-name", "old-name")
    eventually(lambda: pages.synced("old-name") == "RepoMoved")
    assert pages.shows("old-name", "one")
    pages.site("old-name", gitea.url("new-name"))
    eventually(lambda: pages.shows("old-name", "two"))
    gitea.commit("new-name", {"index.html": "three"})
    eventually(lambda: pages.shows("old-name", "three"))


def test_a_force_push_replaces_what_was_live(gitea: Gitea, pages: Pages) -> None:
    published(gitea, pages, "forced")
    gitea.commit("forced", {"index.html": "two", "more.html": "more"})
    eventually(lambda: pages.shows("forced", "two"))
    gitea.commit("forced", {"index.html": "history is rewritten"}, orphan=True)
    eventually(lambda: pages.shows("forced", "history is rewritten"))
    assert pages.serving.get("forced.pages.localhost", "/more.html")[0] == 404


def test_commit_statuses_show_at_the_forge(gitea: Gitea, pages: Pages) -> None:
    gitea.repository("status")
    first = gitea.commit("status", {"public/index.html": "one"})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "status", "namespace": "team"},
        "stringData": {"token": gitea.token("status", "write:repository")},
    }
    wanted = {"secretRef": {"name": "status", "key": "token"}, "forge": "gitea"}
    pages.site("status", gitea.url("status"), secret, path="/public", commitStatus=wanted)
    eventually(lambda: pages.shows("status", "one"))
    shown = eventually(lambda: [s for s in gitea.statuses("status", first) if s["status"] == "success"])[0]
    assert shown["target_url"] == f"http://status.pages.localhost:{pages.serving.port}/"
    assert (shown["context"], shown["description"]) == ("pages/team/status", "live")
    gitea.hook("status", pages.hook_url, SECRET)
    broken = gitea.commit("status", {"public/index.html": None, "other.html": "x"})
    failure = eventually(lambda: [s for s in gitea.statuses("status", broken) if s["status"] == "failure"])[0]
    assert failure["description"].startswith("SubpathNotFound: ")
    assert pages.shows("status", "one")
    mended = gitea.commit("status", {"public/index.html": "two"})
    eventually(lambda: pages.shows("status", "two"))
    eventually(lambda: [s for s in gitea.statuses("status", mended) if s["status"] == "success"])
    combined = gitea.api("GET", f"/repos/{USER}/status/commits/{mended}/status")
    assert combined["state"] == "success"
    assert [each["context"] for each in combined["statuses"]] == ["pages/team/status"]
