"""What is done with the outcome of a sync: it is logged, recorded, and put in the status of its site."""

import threading
import time
from collections.abc import Mapping

import structlog

from pages.api import StaticSite
from syncer.errors import SiteDeleted
from syncer.outcome import Outcome, Published
from syncer.recorder import Recorder
from syncer.reporting.observed_routes import Routings
from syncer.reporting.status_writer import StatusWriter
from syncer.reporting.statuses import Statuses
from syncer.service.sites import Sites
from syncer.stores import Snapshot

log = structlog.get_logger(__name__)


class Reports:
    """Reports on sites. From any thread; the ``writer`` has to be started and closed."""

    def __init__(self, sites: Sites, statuses: Statuses, writer: StatusWriter, recorder: Recorder) -> None:
        self.statuses = statuses
        self.writer = writer
        self._sites = sites
        self._recorder = recorder
        self._successes: dict[str, float] = {}  # by the site's uid: when its last sync went well
        self._lock = threading.Lock()

    def follow(self, snapshot: Snapshot) -> None:
        """Forget sites that are gone, and take over what the hooks have answered."""
        existing = self._sites.by_uid()
        self.statuses.follow(existing, Routings(snapshot.platform, snapshot.virtual_hosts))
        with self._lock:
            self._successes = {uid: moment for uid, moment in self._successes.items() if uid in existing}

    def note(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:
        """Report the outcome of a sync that took so long."""
        if not isinstance(outcome, SiteDeleted):
            self._recorder.sync_finished(site, outcome, seconds)
        self._log(site, outcome)
        if (current := self._sites.current(site)) is None:
            self._sites.take_leftover_offline(site)
        elif current.metadata.generation == site.metadata.generation:  # else it is synced once more
            self.statuses.update(current, outcome, seconds)
            self._recorder.outcome_reported(self.statuses.on(current), outcome, seconds)

    def successes(self) -> Mapping[str, float]:
        """When the last sync of each site went well, by its uid, in epoch seconds."""
        with self._lock:
            return dict(self._successes)

    def _log(self, site: StaticSite, outcome: Outcome) -> None:
        if isinstance(outcome, Published):
            with self._lock:
                self._successes[site.metadata.uid] = time.time()
            if outcome.changed:
                release = outcome.release
                log.info("site_published", site=site.key, commit=release.commit, files=release.files)
        elif not isinstance(outcome, SiteDeleted):
            log.warning("sync_failed", site=site.key, reason=outcome.reason, error=str(outcome))
