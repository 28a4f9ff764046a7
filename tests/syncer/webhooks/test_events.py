"""W5: pushes of branches, and nothing else; every answer says why."""

import pytest

from tests.support import deliveries
from tests.support.deliveries import Sent, github_push, gitlab_push
from tests.support.objects import parsed_site
from tests.syncer.webhooks.conftest import API

REPO = "https://github.com/team/docs"
AT_GITLAB = "https://gitlab.example.com/group/team/docs"
ZEROS = "0" * 40


def push(forge: str, ref: str, after: str = "a" * 40) -> Sent:
    """A push of the ref at any forge, of a repository that has sites."""
    if forge == "github":
        return deliveries.github(github_push(ref, after=after, deleted=after == ZEROS))
    if forge == "gitlab":
        return deliveries.gitlab(gitlab_push(ref, after=after))
    payload = {"ref": ref, "after": after, "repository": {"clone_url": REPO}}
    return deliveries.gitea(payload, forge=forge)


@pytest.fixture(params=["forgejo", "gitea", "github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def api(api: API, forge: str) -> API:
    repo = AT_GITLAB if forge == "gitlab" else REPO
    branches = {"main": "main", "look": "feature/new-look", "odd": "refs/heads/x", "look2": "new-look"}
    return API(api.trust, [parsed_site(f"{name}", repo=repo, branch=branch) for name, branch in branches.items()])


@pytest.mark.parametrize(
    ("ref", "site"),
    [
        ("refs/heads/main", "team/main"),
        ("refs/heads/feature/new-look", "team/look"),
        ("refs/heads/refs/heads/x", "team/odd"),
        ("refs/heads/new-look", "team/look2"),
    ],
)
def test_w5_a_branch_is_all_that_follows_refs_heads(api: API, forge: str, ref: str, site: str) -> None:
    answer = api.send(push(forge, ref))
    assert (answer.status_code, answer.get_json()["sites"]) == (202, [site])


@pytest.mark.parametrize(
    "ref", ["refs/tags/main", "refs/heads/", "refs/pull/1/head", "refs/merge-requests/1/head", "refs/x"]
)
def test_w5_other_refs_are_ignored(api: API, forge: str, ref: str) -> None:
    answer = api.send(push(forge, ref))
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ignored")
    assert answer.get_json()["message"] == f"{ref} is not a branch; only branches are published"
    assert not api.requested


@pytest.mark.parametrize("zeros", [ZEROS, "0" * 64])
def test_w5_a_deleted_branch_stays_live(api: API, forge: str, zeros: str) -> None:
    answer = api.send(push(forge, "refs/heads/main", zeros))
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ignored")
    assert answer.get_json()["message"] == "refs/heads/main was deleted; what is live stays"
    assert not api.requested


def test_w5_another_branch_is_ignored_and_the_answer_names_those_that_are_not(api: API, forge: str) -> None:
    answer = api.send(push(forge, "refs/heads/develop"))
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ignored")
    assert answer.get_json()["message"] == (
        "no site matches: none has branch develop of this repository, "
        "only feature/new-look, main, new-look, refs/heads/x"
    )


def test_w5_a_repository_without_sites_is_answered_well(api: API, forge: str) -> None:
    """GitLab disables a webhook after four failures."""
    none = API(api.trust, [])
    answer = none.send(push(forge, "refs/heads/main"))
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ignored")
    assert answer.get_json()["message"].startswith("no site matches: none has the repository https://git")


def test_w5_unknown_events_are_ignored(api: API, forge: str) -> None:
    header = {"forgejo": "X_Forgejo_Event", "gitea": "X_Gitea_Event", "github": "X_GitHub_Event"}
    sent = push(forge, "refs/heads/main").but(**{header.get(forge, "X_Gitlab_Event"): "earth\x7fquake"})
    answer = api.send(sent)
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ignored")
    assert "this is 'earth?quake'" in answer.get_json()["message"]


def test_w5_events_of_a_site_are_told_to_its_owner(api: API, forge: str) -> None:
    api.send(push(forge, "refs/tags/v1"))
    seen = api.last("team/main")["lastDelivery"]
    assert seen["outcome"] == "ignored: refs/tags/v1 is not a branch; only branches are published"


def test_a_pinned_site_is_not_asked_to_follow_its_branch_but_the_tag_that_it_is_pinned_to(api: API, forge: str) -> None:
    repo = AT_GITLAB if forge == "gitlab" else REPO
    sites = [
        parsed_site("main", repo=repo),
        parsed_site("tag", repo=repo, revision="v1"),
        parsed_site("old", repo=repo, revision="1" * 40),
    ]
    pinned = API(api.trust, sites)
    assert pinned.send(push(forge, "refs/heads/main")).get_json()["sites"] == ["team/main"]
    outcome = pinned.last("team/tag")["lastDelivery"]["outcome"]
    assert outcome.startswith("ignored: branch main was pushed, and this site is made of v1 (spec.revision)")
    assert pinned.send(push(forge, "refs/tags/v1")).get_json()["sites"] == ["team/tag"]
    assert [source.wants for source in pinned.requested] == ["refs/heads/main", "refs/tags/v1"]
    assert pinned.send(push(forge, "refs/tags/v2")).get_json()["status"] == "ignored"
