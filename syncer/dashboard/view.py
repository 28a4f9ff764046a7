"""All that the dashboard reads from the syncer. It cannot change anything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncer.dashboard.journal import JournalEntry
from syncer.service.loop import Seen
from syncer.webhooks.record import Delivery


@dataclass(frozen=True)
class View:
    """``problems`` says why this syncer has nothing to show, for example that another one is running."""

    sites: Callable[[], Sequence[Seen]]
    events: Callable[[str], Sequence[JournalEntry]] = lambda _uid: ()  # by the site's uid, newest first
    deliveries: Callable[[str], Sequence[Delivery]] = lambda _uid: ()
    commit_status: Callable[[str], str | None] = lambda _uid: None
    problems: Callable[[], list[str]] = list
