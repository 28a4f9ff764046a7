"""What is worth an Event: the transition decides."""

from datetime import UTC, datetime

import pytest

from pages import conditions
from pages.api import Rejection, StaticSiteStatus
from syncer.errors import AuthFailed, BranchNotFound, SecretForbidden, SyncError, Unreachable
from syncer.outcome import Outcome, Published
from syncer.reporting import events, status
from syncer.reporting.events import Event
from syncer.reporting.observed_routes import Routing
from syncer.volume.records import Release
from syncer.volume.writing import Changes
from tests.syncer.reporting.test_status import docs

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CONFLICT = Rejection(namespace="team", name="docs", reason="DomainConflict", message="docs.example.com is in use")


class Life:
    """A site's life: each turn's status is what the next turn starts from, as the API keeps it."""

    def __init__(self) -> None:
        self.status: StaticSiteStatus | None = None
        self.generation = 3

    def turn(self, outcome: Outcome | None = None, rejection: Rejection | None = None) -> list[Event]:
        metadata = docs().metadata.model_copy(update={"generation": self.generation})
        now = docs().model_copy(update={"status": self.status, "metadata": metadata})
        new = status.build(now, outcome, Routing(rejection=rejection), NOW)
        written = events.between(self.status, new, outcome, 1.25)
        self.status = new
        return written

    def restart(self) -> None:
        """What the next process reads is what this one wrote."""
        assert self.status
        self.status = StaticSiteStatus.model_validate(self.status.dump())


def live(commit: str = "c", changes: Changes | None = None) -> Published:
    release = Release("u1", "https://forge.example.com/team/docs", "main", commit * 40, "", "t" * 40)
    return Published(release, changed=changes is not None, changes=changes)


def reasons(found: list[Event]) -> list[tuple[str, str]]:
    return [(each.type, each.reason) for each in found]


def test_a_deployment_tells_its_commit_what_changed_and_how_long_it_took() -> None:
    life = Life()
    assert life.turn(live("a", Changes(written=1200, linked=5, copied=0, removed=1, bytes=9))) == [
        Event("Normal", "Deployed", f"commit {'a' * 12} is live: 1,200 files changed, 1 removed, in 1.2 seconds")
    ]
    assert life.turn(live("b", Changes(1, 5, 0, 0, 9))) == [
        Event("Normal", "Deployed", f"commit {'b' * 12} is live: 1 file changed, 0 removed, in 1.2 seconds")
    ]
    assert life.turn(live("c")) == [Event("Normal", "Deployed", f"commit {'c' * 12} is live")], (
        "none of its files changed"
    )


def test_a_look_that_finds_nothing_new_says_nothing_nor_does_a_restart() -> None:
    life = Life()
    assert life.turn(live("a", Changes(1, 0, 0, 0, 9)))
    assert [life.turn(live("a")) for _ in range(5)] == [[]] * 5
    life.restart()
    assert life.turn() == []
    assert life.turn(live("a")) == []


def test_what_was_not_told_before_a_crash_is_told_after_it() -> None:
    assert reasons(Life().turn(live("a"))) == [("Normal", "Deployed")]


def test_a_failure_is_told_the_first_time_and_when_its_reason_changes() -> None:
    life = Life()
    assert life.turn(BranchNotFound("the repository has no branch 'x'")) == [
        Event("Warning", "BranchNotFound", "the repository has no branch 'x'")
    ]
    assert life.turn(BranchNotFound("the repository has no branch 'x'; it has others by now")) == []
    life.restart()
    assert life.turn() == []
    assert life.turn(BranchNotFound("the repository has no branch 'x'")) == []
    assert reasons(life.turn(AuthFailed("the server refused"))) == [("Warning", "AuthFailed")]
    assert reasons(life.turn(live("a", Changes(1, 0, 0, 0, 9)))) == [("Normal", "Deployed")]
    assert reasons(life.turn(AuthFailed("the server refused"))) == [("Warning", "AuthFailed")]


def test_whoever_edits_a_site_that_still_fails_is_told_so() -> None:
    life = Life()
    life.turn(BranchNotFound("no"))
    life.generation += 1
    assert life.turn() == [], "it is being synced"
    assert reasons(life.turn(BranchNotFound("no"))) == [("Warning", "BranchNotFound")]


def test_a_rejection_is_reported_once_per_change() -> None:
    life = Life()
    expected = [Event("Warning", "DomainConflict", "docs.example.com is in use")]
    assert life.turn(rejection=CONFLICT) == expected
    assert life.turn(rejection=CONFLICT) == []
    assert reasons(life.turn(live("a", Changes(1, 0, 0, 0, 9)), CONFLICT)) == [("Normal", "Deployed")]
    life.restart()
    assert life.turn(rejection=CONFLICT) == []
    other = CONFLICT.model_copy(update={"reason": "DomainReserved", "message": "reserved"})
    assert life.turn(rejection=other) == [Event("Warning", "DomainReserved", "reserved")]
    assert life.turn() == [], "it is routed again, or about to be"
    assert life.turn(rejection=CONFLICT) == expected


def test_a_remedy_is_for_the_status_and_an_event_has_at_most_1024_characters() -> None:
    (event,) = Life().turn(SecretForbidden("team", "git", "kup6s-pages"))
    assert "apiVersion" not in event.message
    (event,) = Life().turn(Unreachable("é" * 5000))
    assert len(event.message) == 1024
    assert event.message.endswith("…")


@pytest.mark.parametrize("error", SyncError.__subclasses__())
def test_every_reason_is_one_that_the_api_takes(error: type[SyncError]) -> None:
    assert error.reason.isalnum() and len(error.reason) < 128


def test_other_conditions_cause_no_event() -> None:
    before = StaticSiteStatus(conditions=[conditions.condition("Ready", True, "Ready")])
    after = StaticSiteStatus(conditions=[conditions.condition("Ready", False, "Unknown")])
    assert events.between(before, after, None, 0) == []
