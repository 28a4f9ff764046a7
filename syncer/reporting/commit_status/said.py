"""What there is to say of a commit, and when: pure."""

from dataclasses import dataclass
from typing import Literal

from pages.api import StaticSite
from syncer.errors import SyncError
from syncer.publishing.release import Outcome, Published

State = Literal["pending", "success", "failure"]
MAX_DESCRIPTION = 140  # GitHub's limit, the lowest


@dataclass(frozen=True)
class Said:
    """A commit's status; ``url`` is where the site is."""

    commit: str
    state: State
    description: str
    url: str


def begun(site: StaticSite, commit: str, before: Said | None) -> Said | None:
    """What to say when a commit begins to be published; a commit that failed is not pending again at each retry."""
    if before and before.commit == commit:
        return None
    return Said(commit, "pending", "being published", _url(site))


def ended(site: StaticSite, outcome: Outcome, before: Said | None) -> Said | None:
    """What to say of an outcome. What was live before we started, and what has no commit, is not news to a forge."""
    if isinstance(outcome, Published):
        if before is None or before.commit != outcome.release.origin.commit:
            return None
        said = Said(outcome.release.origin.commit, "success", "live", _url(site))
    elif outcome.commit:
        said = Said(outcome.commit, "failure", _reason(outcome), _url(site))
    else:
        return None
    return said if said != before else None


def _url(site: StaticSite) -> str:
    return site.status.url or "" if site.status else ""


def _reason(error: SyncError) -> str:
    text = f"{error.reason}: {error}"
    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1]}…"
