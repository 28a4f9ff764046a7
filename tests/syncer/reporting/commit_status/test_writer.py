"""Commit statuses on their way to a real HTTP server, well-behaved and not."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from pages.core import Secret
from syncer.egress.hosts import AllowedHosts
from syncer.errors import SubpathNotFound, Unreachable
from syncer.outcome import Published
from syncer.recorder import Recorder
from syncer.reporting.commit_status.commit_state import MAX_DESCRIPTION
from syncer.reporting.commit_status.writer import CommitStatuses
from syncer.volume.records import Release
from tests.support.forge_api import ForgeAPI
from tests.support.objects import parsed_site
from tests.support.serving import eventually

COMMIT, OTHER = "a" * 40, "b" * 40
URL = "https://docs.pages.example.com/"
Make = Callable[..., CommitStatuses]
docs = partial(
    parsed_site,
    "docs",
    metadata={"uid": "docs"},
    status={"url": URL},
    commitStatus={"secretRef": {"name": "forge"}},
)


@pytest.fixture
def forge() -> Iterator[ForgeAPI]:
    with ForgeAPI() as running:
        yield running


class Secrets:
    """The one Secret that the sites name."""

    def secret(self, namespace: str, name: str) -> Secret | None:
        if (namespace, name) != ("team", "forge"):
            return None
        return Secret.model_validate(
            {"metadata": {"name": name}, "stringData": {"password": "canary", "odd": "t\u00f6ken"}}
        )


class Attempts(Recorder):
    """The results of all attempts."""

    def __init__(self) -> None:
        self.results: list[tuple[str, str]] = []

    def commit_status_sent(self, state: str, result: str) -> None:
        self.results.append((state, result))


@pytest.fixture
def make(forge: ForgeAPI) -> Iterator[Make]:
    made: list[CommitStatuses] = []

    def start(hosts: str = forge.origin, **options: Any) -> CommitStatuses:
        made.append(CommitStatuses(Secrets(), AllowedHosts.parse(hosts), pauses=(0.01, 0.01), **options))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop()


def live(commit: str = COMMIT, *, changed: bool = True) -> Published:
    return Published(Release("docs", "repo", "main", commit, "", "tree"), changed=changed)


def failed(commit: str = COMMIT, text: str = "commit has no folder /public") -> SubpathNotFound:
    error = SubpathNotFound(text)
    error.commit = commit
    return error


def test_a_commit_is_pending_and_then_live(forge: ForgeAPI, make: Make) -> None:
    statuses, site = make(), docs(repo=forge.repo)
    statuses.sync_started(site, COMMIT)
    eventually(lambda: forge.states == ["pending"])
    statuses.outcome_reported(site, live(), 0)
    eventually(lambda: forge.states == ["pending", "success"])
    last = forge.taken[-1]
    assert last.path == f"/api/v1/repos/team/docs/statuses/{COMMIT}"
    assert last.headers["Authorization"] == "token canary"
    assert last.content["target_url"] == URL
    assert last.content["context"] == "pages/team/docs"
    eventually(lambda: statuses.result("docs") == f"success on commit {COMMIT[:12]}: sent")


def test_a_failure_says_its_reason_once(forge: ForgeAPI, make: Make) -> None:
    statuses, site = make(), docs(repo=forge.repo)
    for _ in range(3):  # as often as the schedule tries again
        statuses.sync_started(site, COMMIT)
        statuses.outcome_reported(site, failed(text="x" * 500), 0)
    eventually(lambda: forge.states[-1:] == ["failure"])
    statuses.sync_started(site, OTHER)
    statuses.outcome_reported(site, live(OTHER), 0)
    eventually(lambda: forge.states[-1:] == ["success"])
    failures = [each.content["description"] for each in forge.taken if each.state == "failure"]
    assert len(failures) == 1
    assert failures[0].startswith("SubpathNotFound: xxx")
    assert len(failures[0]) == MAX_DESCRIPTION


def test_what_is_no_news_is_not_sent(forge: ForgeAPI, make: Make) -> None:
    statuses, site = make(), docs(repo=forge.repo)
    statuses.outcome_reported(site, live(changed=False), 0)  # it was live before we started
    statuses.outcome_reported(site, Unreachable("the forge is down"), 0)  # there is no commit to say it of
    quiet = site.model_copy(update={"spec": site.spec.model_copy(update={"commit_status": None})})
    statuses.sync_started(quiet, COMMIT)
    statuses.sync_started(site, OTHER)
    for _ in range(3):
        statuses.outcome_reported(site, live(OTHER), 0)
    eventually(lambda: forge.states[-1:] == ["success"])
    assert {each.path[-40:] for each in forge.taken} == {OTHER}
    assert forge.states.count("success") == 1


@pytest.mark.parametrize("answer", [500, 429, "redirect", 401, 404])
def test_what_a_forge_does_not_take_is_told(forge: ForgeAPI, make: Make, answer: int | str) -> None:
    forge.answers.extend([answer] * 3)
    statuses, site = make(), docs(repo=forge.repo)
    statuses.sync_started(site, COMMIT)
    again = answer in {500, 429}
    eventually(lambda: len(forge.taken) == (3 if again else 1))
    eventually(lambda: "not sent" in (statuses.result("docs") or ""))
    assert all(each.path.startswith("/api/v1/") for each in forge.taken), "a redirect is not followed (U10)"
    assert "canary" not in str(statuses.result("docs"))


def test_a_forge_that_comes_back_is_told(forge: ForgeAPI, make: Make) -> None:
    forge.answers.extend([503, 503])
    statuses = make()
    statuses.sync_started(docs(repo=forge.repo), COMMIT)
    eventually(lambda: (statuses.result("docs") or "").endswith("sent"))
    assert forge.states == ["pending"] * 3


def test_a_forge_that_hangs_holds_up_nobody_and_only_the_latest_waits(forge: ForgeAPI, make: Make) -> None:
    with ForgeAPI() as other:
        forge.answers.append("hang")
        statuses = make(f"{forge.origin},{other.origin}")
        statuses.sync_started(docs(repo=forge.repo), COMMIT)
        eventually(lambda: forge.taken)
        for number in range(50):
            statuses.sync_started(docs(repo=forge.repo), f"{number:040}")
        statuses.sync_started(docs(repo=other.repo, metadata={"uid": "elsewhere"}), COMMIT)
        eventually(lambda: other.states == ["pending"])
        assert len(forge.taken) == 1
        forge.released.set()
        eventually(lambda: len(forge.taken) == 2)
        assert forge.taken[-1].path.endswith(f"{49:040}")


def test_only_allowed_hosts_are_told(forge: ForgeAPI, make: Make) -> None:
    statuses = make("forge.example.com")
    statuses.sync_started(docs(repo=forge.repo), COMMIT)
    eventually(lambda: "not on the list of allowed hosts" in (statuses.result("docs") or ""))
    assert not forge.taken


@pytest.mark.parametrize(
    ("secret", "said"), [({"name": "none"}, "does not exist"), ({"name": "forge", "key": "x"}, "no key")]
)
def test_a_secret_that_is_missing_is_told(forge: ForgeAPI, make: Make, secret: dict[str, str], said: str) -> None:
    statuses = make()
    statuses.sync_started(docs(repo=forge.repo, commitStatus={"secretRef": secret}), COMMIT)
    eventually(lambda: said in (statuses.result("docs") or ""))


def test_a_token_that_no_header_can_hold_is_no_crash(forge: ForgeAPI, make: Make) -> None:
    statuses = make()
    statuses.sync_started(docs(repo=forge.repo, commitStatus={"secretRef": {"name": "forge", "key": "odd"}}), COMMIT)
    eventually(lambda: statuses.result("docs"))


def test_the_environments_proxy_is_not_asked(forge: ForgeAPI, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "http_proxy", "http://127.0.0.1:1")
    monkeypatch.setitem(os.environ, "HTTP_PROXY", "http://127.0.0.1:1")
    statuses = make()
    statuses.sync_started(docs(repo=forge.repo), COMMIT)
    eventually(lambda: forge.states == ["pending"])


def test_the_sites_own_credential_serves_where_no_other_is_named(forge: ForgeAPI, make: Make) -> None:
    own = docs(repo=forge.repo, secretRef={"name": "forge"}, commitStatus={"forge": "gitlab"})
    statuses = make()
    statuses.sync_started(own, COMMIT)
    eventually(lambda: forge.taken)
    assert forge.taken[0].path == f"/api/v4/projects/team%2Fdocs/statuses/{COMMIT}"
    assert forge.taken[0].headers["Authorization"] == "Bearer canary"


def test_each_attempt_is_counted_by_its_state_and_result(forge: ForgeAPI, make: Make) -> None:
    attempts = Attempts()
    forge.answers.extend([503])
    statuses, site = make(recorder=attempts), docs(repo=forge.repo)
    statuses.sync_started(site, COMMIT)
    eventually(lambda: attempts.results == [("pending", "failed"), ("pending", "sent")])
    statuses.outcome_reported(site, live(), 0)
    eventually(lambda: attempts.results[2:] == [("success", "sent")])
