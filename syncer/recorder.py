"""Everything that can be observed of the syncer passes through here: metrics, journals, Events and commit statuses."""

# ruff: noqa: D102 - the methods of Recorders repeat those of Recorder

from pages.api import SiteKey, StaticSite, StaticSiteStatus
from syncer.disk.room import Disks
from syncer.git.traffic import Request, TrafficRecorder
from syncer.outcome import Outcome


class Recorder(TrafficRecorder):
    """The protocol of all recorders: it ignores everything. Inherit from it and override what you want to hear.

    The methods are called from any thread, and must not block.
    """

    def sync_started(self, site: StaticSite, commit: str) -> None:
        """A commit that is not live yet begins to be published."""

    def sync_finished(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:
        """A sync has ended, even if the site has been changed or deleted meanwhile."""

    def outcome_reported(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:
        """The outcome of a sync is in the status of its site; ``site`` has that status."""

    def status_changed(
        self,
        site: StaticSite,
        before: StaticSiteStatus | None,
        after: StaticSiteStatus,
        outcome: Outcome | None,
        seconds: float,
    ) -> None:
        """A site's status was computed again: after a sync, or without one because its spec or route changed."""

    def status_written(self, result: str) -> None:
        """A status was ``written`` to the store, or this ``failed`` and is retried."""

    def event_written(self, result: str) -> None:
        """An Event was ``written``, ``failed``, ``dropped`` or ``withheld``."""

    def commit_status_sent(self, state: str, result: str) -> None:
        """A commit status was ``sent`` to its forge, or this attempt ``failed``."""

    def delivery_answered(self, forge: str, outcome: str) -> None:
        """A webhook delivery was answered."""

    def disks_measured(self, disks: Disks) -> None:
        """The housekeeping has measured the disks."""

    def release_damaged(self, site: SiteKey) -> None:
        """The live release of the site is damaged on the volume, and will be published again."""


class Recorders(Recorder):
    """Passes everything on to all of these recorders, in their order."""

    def __init__(self, *recorders: Recorder) -> None:
        self._recorders = recorders

    def git_requested(self, request: Request) -> None:
        for each in self._recorders:
            each.git_requested(request)

    def git_received(self, size: int) -> None:
        for each in self._recorders:
            each.git_received(size)

    def sync_started(self, site: StaticSite, commit: str) -> None:
        for each in self._recorders:
            each.sync_started(site, commit)

    def sync_finished(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:
        for each in self._recorders:
            each.sync_finished(site, outcome, seconds)

    def outcome_reported(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:
        for each in self._recorders:
            each.outcome_reported(site, outcome, seconds)

    def status_changed(
        self,
        site: StaticSite,
        before: StaticSiteStatus | None,
        after: StaticSiteStatus,
        outcome: Outcome | None,
        seconds: float,
    ) -> None:
        for each in self._recorders:
            each.status_changed(site, before, after, outcome, seconds)

    def status_written(self, result: str) -> None:
        for each in self._recorders:
            each.status_written(result)

    def event_written(self, result: str) -> None:
        for each in self._recorders:
            each.event_written(result)

    def commit_status_sent(self, state: str, result: str) -> None:
        for each in self._recorders:
            each.commit_status_sent(state, result)

    def delivery_answered(self, forge: str, outcome: str) -> None:
        for each in self._recorders:
            each.delivery_answered(forge, outcome)

    def disks_measured(self, disks: Disks) -> None:
        for each in self._recorders:
            each.disks_measured(disks)

    def release_damaged(self, site: SiteKey) -> None:
        for each in self._recorders:
            each.release_damaged(site)
