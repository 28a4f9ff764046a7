"""The latest status of each site: a new one is written to the store if it says something new."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pages.api import ReleaseStatus, StaticSite, StaticSiteStatus
from syncer.outcome import Outcome, Published
from syncer.recorder import Recorder
from syncer.reporting import history, status
from syncer.reporting.observed_routes import Routing, Routings
from syncer.reporting.status import Wording
from syncer.reporting.status_writer import StatusWriter
from syncer.volume.releases import Releases


@dataclass(frozen=True)
class _Latest:
    """The status that a site has, or will have once it is written, and from what it was computed besides git."""

    generation: int
    routing: Routing
    status: StaticSiteStatus


class Statuses:
    """Computes statuses, and remembers the latest of each site. From any thread."""

    def __init__(self, writer: StatusWriter, releases: Releases, wording: Wording, recorder: Recorder) -> None:
        self._writer = writer
        self._releases = releases
        self._wording = wording
        self._recorder = recorder
        self._routings = Routings()
        self._latest: dict[str, _Latest] = {}  # by the site's uid
        self._lock = threading.Lock()

    def follow(self, sites: Mapping[str, StaticSite], routings: Routings) -> None:
        """Take over the current sites, by uid, and what the hooks answered for them."""
        with self._lock:
            self._routings = routings
            self._latest = {uid: latest for uid, latest in self._latest.items() if uid in sites}

    def all(self) -> dict[str, StaticSiteStatus]:
        """The latest statuses, by the site's uid."""
        with self._lock:
            return {uid: latest.status for uid, latest in self._latest.items()}

    def on(self, site: StaticSite) -> StaticSite:
        """The site with its latest status."""
        with self._lock:
            latest = self._latest.get(site.metadata.uid)
        return site.model_copy(update={"status": latest.status}) if latest else site

    def update(self, site: StaticSite, outcome: Outcome | None, seconds: float = 0.0) -> None:
        """Compute the status again; with an outcome, after a sync that took so long."""
        releases = self._history(self.on(site), outcome)  # not while the lock is held: a volume may hang
        with self._lock:
            generation, latest = site.metadata.generation, self._latest.get(site.metadata.uid)
            routing = self._routings.of(site)
            if latest and outcome is None and (latest.generation, latest.routing) == (generation, routing):
                return
            before = latest.status if latest else site.status
            after = status.build(
                site.model_copy(update={"status": before}),
                outcome,
                routing,
                datetime.now(UTC),
                wording=self._wording,
                releases=releases,
            )
            write = status.is_worth_writing(after, before, self._wording.heartbeat)
            kept = after if write or not before else before
            self._latest[site.metadata.uid] = _Latest(generation, routing, kept)
            if write:
                self._writer.put(site, after)
        self._recorder.status_changed(site, before, after, outcome, seconds)

    def _history(self, before: StaticSite, outcome: Outcome | None) -> list[ReleaseStatus] | None:
        """The releases of the site, if they may have changed."""
        if outcome is None and not history.is_of_another_spec(before):
            return None
        return history.read(self._releases, before, outcome.release.commit if isinstance(outcome, Published) else None)
