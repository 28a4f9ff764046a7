"""The syncer at work: follows the store, syncs what is due on a few threads, and reports the outcomes."""

import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import structlog

from pages.api import StaticSite
from syncer import sources
from syncer.errors import LeaseLost, SyncError
from syncer.metrics.observed import Observation
from syncer.outcome import Outcome
from syncer.publishing.source import Groups, SourceSync
from syncer.schedule.lanes import Run
from syncer.service.housekeeping import Housekeeper
from syncer.service.reports import Reports
from syncer.service.sites import Seen, Sites
from syncer.service.source_queue import SourceQueue
from syncer.sources import Source
from syncer.wakeup import Wakeup

log = structlog.get_logger(__name__)

_STUCK_SECONDS = 180.0
_LONGEST_ROUND_SECONDS = 60.0  # so that a stuck loop is noticed
_LAST_STATUSES_SECONDS = 5.0
_PAUSE = 3.0  # times as long as it takes to follow the store


class Syncer:
    """The loop and its threads: ``run`` blocks until ``stop``, which any thread may call."""

    def __init__(
        self,
        *,
        sites: Sites,
        source_sync: SourceSync,
        queue: SourceQueue,
        reports: Reports,
        housekeeper: Housekeeper,
        wakeup: Wakeup,
    ) -> None:
        self._sites = sites
        self._source_sync = source_sync
        self._queue = queue
        self._reports = reports
        self._housekeeper = housekeeper
        self._wakeup = wakeup
        self._last_round = 0.0  # epoch seconds
        self._last_beat = time.monotonic()
        self._follow_from = 0.0  # monotonic: when the store may be followed again

    def store_changed(self) -> None:
        """Follow the store again, soon."""
        self._wakeup.change()

    def stop(self) -> None:
        """Make ``run`` return once the workers are done; close Git right after, so that they end soon."""
        self._wakeup.stop()

    def alive(self) -> bool:
        """Whether the loop is running; syncs that hang do not stop it."""
        return not self._wakeup.stopped.is_set() and time.monotonic() - self._last_beat < _STUCK_SECONDS

    def volume_problem(self) -> str:
        """Why nothing can be published; empty if the volume can be written."""
        return self._housekeeper.problem

    def seen(self) -> list[Seen]:
        """The sites with their latest statuses, and when each is next synced."""
        seconds = self._queue.seconds_until_sync()
        sites = self._sites.by_uid().values()
        return [Seen(self._reports.statuses.on(site), seconds.get(site.metadata.uid)) for site in sites]

    def observation(self) -> Observation:
        """The state of the work at this moment."""
        return Observation(
            self._queue.backlog(),
            self._sites.by_uid(),
            self._reports.statuses.all(),
            self._reports.successes(),
            self._last_round,
            not self._housekeeper.problem,
        )

    def run(self) -> None:
        """Sync until stopped. Raises StorageFailed and StorageFull if the volume cannot be used at all."""
        self._last_beat = time.monotonic()
        self._queue.expect_deaths(self._source_sync.prepare())
        self._wakeup.change()
        self._reports.writer.start()
        self._housekeeper.start()
        try:
            self._run_rounds()
        finally:
            self._housekeeper.stop()
            self._reports.writer.close(_LAST_STATUSES_SECONDS)

    def _run_rounds(self) -> None:
        capacity = self._queue.capacity
        with (
            ThreadPoolExecutor(capacity.workers + capacity.slow, "sync") as pool,
            ThreadPoolExecutor(1, "recall") as recalls,
        ):
            while not self._wakeup.stopped.is_set():
                self._last_beat, self._last_round = time.monotonic(), time.time()
                for site in self._follow_store():
                    recalls.submit(self._recall, site)
                for run, groups in self._queue.take_due():
                    pool.submit(self._sync, run, groups)
                self._wakeup.wait(self._seconds_to_wait())
            recalls.shutdown(cancel_futures=True)
            pool.shutdown(cancel_futures=True)

    def _follow_store(self) -> Iterable[StaticSite]:
        """Return the sites that have just been pinned to a commit: they wait for no server, and so for no turn."""
        began = time.monotonic()
        if began < self._follow_from or not self._wakeup.take_change():
            return ()
        snapshot = self._sites.follow_store()
        groups = sources.group(site for site in snapshot.sites if not site.spec.suspend)
        self._reports.follow(snapshot)
        changed = self._queue.follow(groups)
        self._sites.take_removed_offline()
        for site in snapshot.sites:
            self._reports.statuses.update(site, None)
        # A stream of changes must leave time for everything else.
        self._follow_from = time.monotonic() + _PAUSE * (time.monotonic() - began)
        return [site for source in changed if source.commit for site in groups[source]]

    def _seconds_to_wait(self) -> float:
        now = time.monotonic()
        moments = [self._follow_from if self._wakeup.has_changed() else now + _LONGEST_ROUND_SECONDS]
        if (look := self._queue.next_look()) is not None:
            moments.append(look)
        return max(0.0, min(moments) - now)

    def _recall(self, site: StaticSite) -> None:
        began = time.monotonic()
        with structlog.contextvars.bound_contextvars(reconcile=uuid.uuid4().hex[:12], repo=site.spec.repo):
            try:
                if outcome := self._source_sync.recall(site):
                    self._report(site, outcome, began)
            except Exception:  # as below
                log.exception("recall_crashed", site=site.key)

    def _sync(self, run: Run[Source], groups: Groups) -> None:
        began = time.monotonic()
        outcomes: defaultdict[Source, list[Outcome]] = defaultdict(list)
        with structlog.contextvars.bound_contextvars(reconcile=uuid.uuid4().hex[:12], repo=run.keys[0].repo):
            try:
                with closing(self._source_sync.run_all(groups)) as results:
                    for site, outcome in results:
                        outcomes[sources.source_of(site)].append(outcome)
                        self._report(site, outcome, began)
            except Exception:  # a bug must not take the worker or the other sites with it
                log.exception("sync_crashed")
            finally:
                self._queue.finished(run, outcomes)

    def _report(self, site: StaticSite, outcome: Outcome, began: float) -> None:
        if isinstance(outcome, LeaseLost) or (self._wakeup.stopped.is_set() and isinstance(outcome, SyncError)):
            return  # that says nothing about the site
        self._reports.note(site, outcome, time.monotonic() - began)
