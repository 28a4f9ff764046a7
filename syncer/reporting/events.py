"""Which Kubernetes Events a StaticSite gets: pure. Changes of its status decide, so polling causes none.

The statuses before and after are compared. After a restart, the status still holds what was reported already.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from pages import conditions
from pages.api import StaticSiteStatus
from pages.conditions import Condition
from syncer.outcome import Outcome, Published

MAX_MESSAGE = 1024  # the API's limit


class Event(NamedTuple):
    """What `kubectl describe` shows: the reason is for programs, the message for people."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def between(
    before: StaticSiteStatus | None, after: StaticSiteStatus, outcome: Outcome | None, seconds: float
) -> list[Event]:
    """The Events between two statuses of a site; with an outcome, after a sync that took so long."""
    events = [*_deployed(before, outcome, seconds), *_failed(before, after), *_rejected(before, after)]
    return [each._replace(message=_shortened(each.message)) for each in events]


def _deployed(before: StaticSiteStatus | None, outcome: Outcome | None, seconds: float) -> Iterator[Event]:
    if not isinstance(outcome, Published):
        return
    if not outcome.changed and before and before.last_commit == outcome.release.commit:
        return
    changed = ""
    if outcome.changes:
        written, removed = outcome.changes.written, outcome.changes.removed
        files = "1 file" if written == 1 else f"{written:,} files"
        changed = f": {files} changed, {removed:,} removed, in {seconds:.1f} seconds"
    yield Event("Normal", "Deployed", f"commit {outcome.release.commit[:12]} is live{changed}")


def _failed(before: StaticSiteStatus | None, after: StaticSiteStatus) -> Iterator[Event]:
    """The first failure, and each one with another reason: messages may hold what changes all the time."""
    old, new = _condition(before, "Synced"), _condition(after, "Synced")
    if new and new.status == "False" and (old is None or (old.status, old.reason) != (new.status, new.reason)):
        yield Event("Warning", new.reason, new.message.partition("\n")[0])  # a remedy to apply follows


def _rejected(before: StaticSiteStatus | None, after: StaticSiteStatus) -> Iterator[Event]:
    old, new = _condition(before, "IngressReady"), _condition(after, "IngressReady")
    if new and new.status == "False":
        same = old and (old.status, old.reason, old.message) == (new.status, new.reason, new.message)
        if not same:
            yield Event("Warning", new.reason, new.message)


def _condition(status: StaticSiteStatus | None, type_: str) -> Condition | None:
    return conditions.find(status.conditions, type_) if status else None


def _shortened(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…"
