"""What each forge's API is sent, after its documentation."""

import pytest

from syncer.reporting.commit_status.calls import call, kind_of
from syncer.reporting.commit_status.commit_state import CommitState

COMMIT = "a" * 40
LIVE = CommitState(COMMIT, "success", "live", "https://docs.pages.example.com/")
CONTEXT = "pages/team/docs"


@pytest.mark.parametrize("kind", ["forgejo", "gitea"])
def test_forgejo_and_gitea(kind: str) -> None:
    made = call("https://forge.example.com/team/docs.git", kind, LIVE, CONTEXT, "t0ken")  # type: ignore[arg-type]
    assert made.url == f"https://forge.example.com/api/v1/repos/team/docs/statuses/{COMMIT}"
    assert made.headers == {"Authorization": "token t0ken"}
    assert made.content == {
        "state": "success",
        "context": CONTEXT,
        "description": "live",
        "target_url": "https://docs.pages.example.com/",
    }


def test_a_forge_below_a_path_and_on_a_port() -> None:
    made = call("http://127.0.0.1:3000/git/team/docs", "gitea", LIVE, CONTEXT, "t")
    assert made.url == f"http://127.0.0.1:3000/git/api/v1/repos/team/docs/statuses/{COMMIT}"


def test_github_and_its_enterprise_server() -> None:
    made = call("https://github.com/team/docs", "github", LIVE, CONTEXT, "t0ken")
    assert made.url == f"https://api.github.com/repos/team/docs/statuses/{COMMIT}"
    assert made.headers["Authorization"] == "Bearer t0ken"
    assert made.content["state"] == "success"
    enterprise = call("https://git.example.com/team/docs", "github", LIVE, CONTEXT, "t")
    assert enterprise.url == f"https://git.example.com/api/v3/repos/team/docs/statuses/{COMMIT}"


@pytest.mark.parametrize(("state", "gitlabs"), [("pending", "pending"), ("success", "success"), ("failure", "failed")])
def test_gitlab_with_its_groups_and_its_own_words(state: str, gitlabs: str) -> None:
    commit_state = CommitState(COMMIT, state, "text", "")  # type: ignore[arg-type]
    made = call("https://gitlab.com/group/sub/docs.git", "gitlab", commit_state, CONTEXT, "t0ken")
    assert made.url == f"https://gitlab.com/api/v4/projects/group%2Fsub%2Fdocs/statuses/{COMMIT}"
    assert made.headers == {"Authorization": "Bearer t0ken"}
    assert made.content == {"state": gitlabs, "name": CONTEXT, "description": "text"}


def test_the_kind_is_what_the_site_says_or_what_the_host_is() -> None:
    assert kind_of("https://github.com/a/b", None) == "github"
    assert kind_of("https://gitlab.com/a/b", None) == "gitlab"
    assert kind_of("https://git.example.com/a/b", None) == "forgejo"
    assert kind_of("https://git.example.com/a/b", "gitlab") == "gitlab"


def test_k1_a_token_never_shows() -> None:
    assert "t0ken" not in repr(call("https://github.com/a/b", "github", LIVE, CONTEXT, "t0ken"))
