"""What the dashboard asks of the syncer, and nothing more: it cannot change anything."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from syncer.dashboard.journal import Entry
from syncer.duty import Duty
from syncer.reporting.commit_status import CommitStatusResults
from syncer.service.sites import Seen
from syncer.webhooks.record import Delivery


class SeenSites(Protocol):
    """The sites at this moment."""

    def seen(self) -> Sequence[Seen]:
        """The sites with their latest statuses."""


class RecentEvents(Protocol):
    """What happened to sites."""

    def of(self, uid: str) -> Sequence[Entry]:
        """The latest events of a site, newest first."""


class RecentDeliveries(Protocol):
    """The webhook deliveries about sites."""

    def recent(self, uid: str) -> Sequence[Delivery]:
        """The latest deliveries about a site, newest first."""


@dataclass(frozen=True)
class View:
    """The parts of the syncer that the dashboard shows; nothing is shown while another syncer is at work."""

    sites: SeenSites
    journal: RecentEvents
    deliveries: RecentDeliveries
    commit_statuses: CommitStatusResults
    duty: Duty = field(default_factory=Duty)
