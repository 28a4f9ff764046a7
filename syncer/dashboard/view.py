"""What the dashboard asks of the syncer, and nothing more: it cannot change anything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncer.dashboard.journal import Entry
from syncer.service.sites import Seen
from syncer.webhooks.record import Delivery


@dataclass(frozen=True)
class View:
    """``problems`` says why there is nothing to see here, such as that another syncer is at work."""

    sites: Callable[[], Sequence[Seen]]
    events: Callable[[str], Sequence[Entry]] = lambda _uid: ()  # by the site's uid, newest first
    deliveries: Callable[[str], Sequence[Delivery]] = lambda _uid: ()
    commit_status: Callable[[str], str | None] = lambda _uid: None
    problems: Callable[[], list[str]] = list
