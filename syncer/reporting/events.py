"""What is worth a Kubernetes Event at a StaticSite: pure. The transition decides, so that nothing is said per poll.

What is compared is the status before and after: after a restart the status says still what was told already.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from pages import conditions
from pages.api import StaticSite, StaticSiteStatus
from pages.conditions import Condition
from syncer.publishing.release import Published

MAX_MESSAGE = 1024  # as the API has it


class Deployment(NamedTuple):
    """A sync that went well, and how long it took."""

    outcome: Published
    seconds: float


class Event(NamedTuple):
    """What `kubectl describe` shows: for programs the reason, for people the message."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


# Is told of a site's status before and after, and of the sync in between where one went well.
Tell = Callable[[StaticSite, StaticSiteStatus | None, StaticSiteStatus, Deployment | None], None]


def news(before: StaticSiteStatus | None, after: StaticSiteStatus, deployment: Deployment | None) -> list[Event]:
    """The Events that lie between two statuses of a site."""
    found = [*_deployed(before, deployment), *_failed(before, after), *_rejected(before, after)]
    return [each._replace(message=_shortened(each.message)) for each in found]


def _deployed(before: StaticSiteStatus | None, deployment: Deployment | None) -> Iterator[Event]:
    if deployment is None:
        return
    outcome, seconds = deployment
    known = before.last_commit if before else None
    if not outcome.changed and known == outcome.release.origin.commit:
        return
    changed = ""
    if outcome.changes:
        written, removed = outcome.changes.written, outcome.changes.removed
        changed = f": {_count(written)} changed, {removed:,} removed, in {seconds:.1f} seconds"
    yield Event("Normal", "Deployed", f"commit {outcome.release.origin.commit[:12]} is live{changed}")


def _failed(before: StaticSiteStatus | None, after: StaticSiteStatus) -> Iterator[Event]:
    """The first time, and when the reason changes: messages may hold what changes all the time."""
    now, known = _find(after, "Synced"), _find(before, "Synced")
    if now and now.status == "False" and (known is None or (known.status, known.reason) != (now.status, now.reason)):
        yield Event("Warning", now.reason, now.message.partition("\n")[0])  # a remedy to apply follows


def _rejected(before: StaticSiteStatus | None, after: StaticSiteStatus) -> Iterator[Event]:
    now, known = _find(after, "IngressReady"), _find(before, "IngressReady")
    if now and now.status == "False" and (known is None or _said(known) != _said(now)):
        yield Event("Warning", now.reason, now.message)


def _find(status: StaticSiteStatus | None, type_: str) -> Condition | None:
    return conditions.find(status.conditions, type_) if status else None


def _said(condition: Condition) -> tuple[str, str, str]:
    return condition.status, condition.reason, condition.message


def _count(files: int) -> str:
    return "1 file" if files == 1 else f"{files:,} files"


def _shortened(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…"
