"""What to show beside a commit, and when: pure."""

from dataclasses import dataclass
from typing import Literal

from pages.api import StaticSite
from syncer.outcome import Outcome, Published

State = Literal["pending", "success", "failure"]
MAX_DESCRIPTION = 140  # GitHub's limit, the lowest


@dataclass(frozen=True)
class CommitState:
    """The status of a commit; ``url`` is the address of the site."""

    commit: str
    state: State
    description: str
    url: str


def started(site: StaticSite, commit: str, before: CommitState | None) -> CommitState | None:
    """The state of a commit that begins to be published; a failed one does not become pending at each retry."""
    if before and before.commit == commit:
        return None
    return CommitState(commit, "pending", "being published", _url(site))


def ended(site: StaticSite, outcome: Outcome, before: CommitState | None) -> CommitState | None:
    """The state after a sync; None if it is not new, such as for a commit that was live before the syncer started."""
    if isinstance(outcome, Published):
        if before is None or before.commit != outcome.release.commit:
            return None
        state = CommitState(outcome.release.commit, "success", "live", _url(site))
    elif outcome.commit:
        text = f"{outcome.reason}: {outcome}"
        text = text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1]}…"
        state = CommitState(outcome.commit, "failure", text, _url(site))
    else:
        return None
    return state if state != before else None


def _url(site: StaticSite) -> str:
    return site.status.url or "" if site.status else ""
