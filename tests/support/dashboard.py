"""Sites as the dashboard sees them, of any number, and the hostile things that may stand in them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from syncer.dashboard.journal import Entry
from syncer.dashboard.view import View
from syncer.duty import Duty
from syncer.service.sites import Seen
from syncer.webhooks.record import Delivery
from tests.support.objects import parsed_site

COMMIT = "8d5d3c0e6a1b4f7c9e2d0a5b8c1f4e7d0a3b6c9f"
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">'\"&{{7*7}}"
_REASONS = {"Ready": "Ready", "Error": "BranchNotFound", "Syncing": "Pending", "Pending": "Issuing"}
_STATUSES = {"Ready": "True", "Error": "False", "Syncing": "Unknown", "Pending": "Unknown"}


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


def condition(kind: str, phase: str, message: str) -> dict[str, Any]:
    verdict = {"status": _STATUSES[phase], "reason": _REASONS[phase], "message": message}
    return {"type": kind, "lastTransitionTime": ago(hours=2), **verdict}


def release(number: int, *, live: bool = False, available: bool = False, subject: str = "Add a page") -> dict[str, Any]:
    times = {"time": ago(days=number), "authorDate": ago(days=number + 1)}
    told = {"commit": f"{number}{COMMIT[1:]}", "subject": subject, "files": 1200, "bytes": 4_300_000}
    return {**told, **times, "live": live, "available": available}


def seen(
    name: str, namespace: str = "team", phase: str = "Ready", *, status: dict[str, Any] | None = None, **spec: Any
) -> Seen:
    message = "the repository has no branch 'mian'" if phase == "Error" else "commit 8d5d3c0e6a1b is live"
    said = {
        "phase": phase,
        "message": message,
        "url": f"https://{name}.{namespace}.example.com/",
        "lastSync": ago(minutes=3),
        "lastCommit": COMMIT,
        "conditions": [condition("Ready", phase, message), condition("Synced", phase, message)],
        "releases": [release(0, live=True, available=True), release(1, available=True), release(2)],
        **(status or {}),
    }
    written = {"repo": f"https://forge.example.com/{namespace}/{name}.git", **spec}
    return Seen(parsed_site(name, namespace, metadata={"uid": f"{namespace}/{name}"}, status=said, **written), 90)


def many(number: int) -> Sequence[Seen]:
    """Of ten namespaces; every hundredth has an error."""
    phases = ["Error"] + ["Ready"] * 99
    return [seen(f"site-{n}", f"ns-{n % 10}", phases[n % 100]) for n in range(number)]


class Shown(Duty):
    """What the dashboard shows: the same events and deliveries at each site."""

    def __init__(self, sites: Sequence[Seen]) -> None:
        self.sites = sites
        self.events: list[Entry] = []
        self.deliveries: list[Delivery] = []
        self.commit_status: str | None = None
        self.problems: list[str] = []

    def view(self) -> View:
        return View(sites=self, journal=self, deliveries=self, commit_statuses=self, duty=self)

    def seen(self) -> Sequence[Seen]:
        return self.sites

    def of(self, uid: str) -> Sequence[Entry]:
        return self.events

    def recent(self, uid: str) -> Sequence[Delivery]:
        return self.deliveries

    def result(self, uid: str) -> str | None:
        return self.commit_status

    def not_ready(self) -> list[str]:
        return self.problems
