"""The syncer at work: follows the store, runs what is due on a few threads, says at each site how it went."""

import math
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from pages.api import SiteKey, StaticSite
from syncer import sources
from syncer.errors import Busy, LeaseLost, SiteDeleted, SyncError, TimedOut, Unreachable
from syncer.git.mirrors import Mirrors
from syncer.metrics.counted import Counted
from syncer.metrics.observed import Observation
from syncer.publishing.release import Outcome, Published
from syncer.publishing.source import SourceSync
from syncer.reporting import status
from syncer.reporting.events import Tell
from syncer.reporting.observed_routes import Routings
from syncer.reporting.status_writer import StatusWriter
from syncer.reporting.statuses import Speech, Statuses
from syncer.schedule.schedule import Capacity, Result, Run, Schedule, Wish
from syncer.service.housekeeping import Housekeeper
from syncer.service.sites import Sites
from syncer.sources import Source
from syncer.stores import Store
from syncer.volume.releases import Releases

log = structlog.get_logger(__name__)

HOUSEKEEPING_SECONDS = 60.0
_STUCK_SECONDS = 180.0
_LOOK_SECONDS = 60.0  # to be seen alive
_LAST_STATUSES_SECONDS = 5.0
_PAUSE = 3.0
_DEATHS_FORGIVEN = 2  # a machine may stop at any time
Observer = Callable[[StaticSite, Outcome, float], None]  # and the seconds that it took
_Identity = tuple[str, str, int, str]


@dataclass(frozen=True)
class Seen:
    """A site with its latest status, and in how many seconds its source is looked at again, where that is known."""

    site: StaticSite
    next_look: float | None = None


class Syncer:
    """Owns the schedule and the worker threads: ``run`` blocks until ``stop``, which any thread may call."""

    def __init__(
        self,
        store: Store,
        source_sync: SourceSync,
        releases: Releases,
        mirrors: Mirrors,
        *,
        capacity: Capacity | None = None,
        housekeeping_seconds: float = HOUSEKEEPING_SECONDS,
        heartbeat: timedelta = status.HEARTBEAT,
        base_url: status.BaseURL = status.public_base_url,
        sync_token: Callable[[StaticSite], str | None] = lambda _site: None,
        observer: Observer = lambda _site, _outcome, _seconds: None,
        counted: Counted | None = None,
        tell: Tell = lambda _site, _before, _after, _deployed: None,
    ) -> None:
        self._store = store
        self._counted = counted or Counted()
        self._source_sync = source_sync
        self._sites = Sites(releases)
        source_sync.ask_before_publishing(self._sites.is_wanted)
        self._releases = releases
        self._housekeeper = Housekeeper(
            releases,
            mirrors,
            interval_seconds=housekeeping_seconds,
            remove_gone=self._sites.take_offline_what_is_gone,
            wanted=self._sites.sources,
            damaged=self._publish_anew,
            measured=self._counted.disks,
            rest=source_sync.rest,
        )
        self._mirrors = mirrors
        self._capacity = capacity or Capacity()
        self._observer = observer
        self._schedule: Schedule[Source] = Schedule(random.random, self._capacity)
        self._writer = StatusWriter(store.write_status, written=self._counted.status_written)
        self._statuses = Statuses(self._writer, releases, Speech(base_url, sync_token, heartbeat), tell)
        self._groups: dict[Source, list[StaticSite]] = {}
        self._synced: dict[str, float] = {}  # by the site's uid: when it last went well
        self._deaths: dict[str, int] = {}  # by mirror
        self._last_look = time.monotonic()
        self._last_round = 0.0  # the same by the time of day
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._changed = threading.Event()
        self._stopping = threading.Event()

    def store_changed(self) -> None:
        """Look at the store again, soon."""
        self._changed.set()
        self._wake.set()

    def stop(self) -> None:
        """Make ``run`` return once the workers are done; close Git right after, so that they are done soon."""
        self._stopping.set()
        self._wake.set()

    def sites(self) -> Mapping[str, StaticSite]:
        """The sites by uid, as they were when we last looked; another mapping whenever that has changed."""
        return self._sites.by_uid()

    def seen(self) -> list[Seen]:
        """The sites with what was said of them last, and when each is looked at again."""
        now = time.monotonic()
        with self._lock:
            looks = {
                site.metadata.uid: self._schedule.seconds_until(source, now)
                for source, sites in self._groups.items()
                for site in sites
            }
        sites = self._sites.by_uid().values()
        return [Seen(self._statuses.on(site), looks.get(site.metadata.uid)) for site in sites]

    def request(self, wanted: Iterable[Source]) -> None:
        """Sync these now, or once more where they are being synced; those that no site has are passed over."""
        with self._lock:
            for source in wanted:
                self._schedule.hasten(source, time.monotonic())
        self._wake.set()

    def alive(self) -> bool:
        """Whether ``run`` goes round; syncs that hang do not stop it."""
        return not self._stopping.is_set() and time.monotonic() - self._last_look < _STUCK_SECONDS

    def volume_problem(self) -> str:
        """Why nothing can be published, or nothing."""
        return self._housekeeper.problem

    def observation(self) -> Observation:
        """What there is to see of the work just now."""
        with self._lock:
            backlog = self._schedule.backlog(time.monotonic())
            synced = dict(self._synced)
        statuses = self._statuses.all()
        return Observation(
            backlog, self._sites.by_uid(), statuses, synced, self._last_round, not self._housekeeper.problem
        )

    def run(self) -> None:
        """Sync until stopped. Raises StorageFailed, StorageFull where the volume cannot be used at all."""
        self._releases.prepare()
        self._deaths = self._mirrors.attempts.read()
        self._changed.set()
        self._writer.start()
        self._housekeeper.start()
        try:
            self._go_round()
        finally:
            self._housekeeper.stop()
            self._writer.close(_LAST_STATUSES_SECONDS)

    def _go_round(self) -> None:
        follow_from = 0.0
        with (
            ThreadPoolExecutor(self._capacity.workers + self._capacity.slow, "sync") as pool,
            ThreadPoolExecutor(1, "recall") as recall,
        ):
            while not self._stopping.is_set():
                self._wake.clear()
                self._last_look, self._last_round = (now := time.monotonic()), time.time()
                if self._changed.is_set() and now >= follow_from:
                    self._changed.clear()
                    for site in self._follow_store():
                        recall.submit(self._recall, site)
                    # A stream of changes must not keep us from everything else.
                    follow_from = time.monotonic() + _PAUSE * (time.monotonic() - now)
                for run in self._take_due():
                    pool.submit(self._work, run)
                self._wake.wait(self._seconds_to_wait(follow_from if self._changed.is_set() else now + _LOOK_SECONDS))
            recall.shutdown(cancel_futures=True)
            pool.shutdown(cancel_futures=True)

    def _follow_store(self) -> list[StaticSite]:
        """Return the sites that were pinned to a commit just now: they wait for no server, and so for no turn."""
        snapshot = self._store.snapshot()
        groups = sources.group(site for site in snapshot.sites if not site.spec.suspend)
        with self._lock:
            changed = [source for source, sites in groups.items() if _identity(sites) != self._identity(source)]
            self._sites.follow(snapshot)
            self._groups = groups
            now = time.monotonic()
            self._schedule.keep({source: _wish(source, sites) for source, sites in groups.items()}, now)
            for source in changed:
                self._schedule.hasten(source, now)
            self._hold_back_the_deadly(now)
            there = self._sites.by_uid()
            self._statuses.follow(there, Routings(snapshot.platform, snapshot.virtual_hosts))
            self._synced = {uid: moment for uid, moment in self._synced.items() if uid in there}
        self._sites.take_offline_what_is_gone()
        for site in snapshot.sites:
            self._statuses.say(site, None)
        return [site for source in changed if source.commit for site in groups[source]]

    def _hold_back_the_deadly(self, now: float) -> None:
        """What we may have died of more than once in a row waits, so that the others are served before (F34)."""
        for source in self._groups if self._deaths else ():
            if (deaths := self._deaths.get(source.mirror_id, 0)) >= _DEATHS_FORGIVEN:
                log.warning("source_held_back", repo=source.repo, branch=source.branch, deaths=deaths)
                self._schedule.hold_back(source, deaths - _DEATHS_FORGIVEN + 1, now)
        for source in self._groups:
            self._deaths.pop(source.mirror_id, None)

    def _identity(self, source: Source) -> list[_Identity]:
        return _identity(self._groups.get(source, []))

    def _publish_anew(self, damaged: Sequence[SiteKey]) -> None:
        self._counted.damaged(len(damaged))
        with self._lock:
            for source, sites in self._groups.items():
                if any(site.site_key in damaged for site in sites):
                    self._schedule.hasten(source, time.monotonic())
        self._wake.set()

    def _take_due(self) -> list[Run[Source]]:
        """As many as there is room for: what waits, waits in the schedule, where a new site comes first."""
        with self._lock:
            return self._schedule.take_due(time.monotonic())

    def _seconds_to_wait(self, latest: float) -> float:
        now = time.monotonic()
        with self._lock:
            look = self._schedule.next_look(now)
        return max(0.0, min(latest, look if look is not None else latest) - now)

    def _recall(self, site: StaticSite) -> None:
        with structlog.contextvars.bound_contextvars(reconcile=uuid.uuid4().hex[:12], repo=site.spec.repo):
            try:
                self._source_sync.recall(site, partial(self._report, time.monotonic()))
            except Exception:  # as below
                log.exception("recall_crashed", site=site.key)

    def _work(self, run: Run[Source]) -> None:
        with self._lock:
            groups = {source: self._groups[source] for source in run.keys if source in self._groups}
        outcomes: dict[Source, list[Outcome]] = {}
        repo, began = run.keys[0].repo, time.monotonic()
        with structlog.contextvars.bound_contextvars(reconcile=uuid.uuid4().hex[:12], repo=repo):
            try:
                if groups:
                    outcomes = self._source_sync.run_all(groups, partial(self._report, began))
            except Exception:  # a bug must not take the worker or the other sites with it
                log.exception("sync_crashed")
            finally:
                now = time.monotonic()
                with self._lock:
                    for error in _errors(each for found in outcomes.values() for each in found):
                        if isinstance(error, Busy):
                            self._schedule.pause(run.host, error.seconds, now)
                    self._schedule.finished(run, {each: _result(found) for each, found in outcomes.items()}, now)
                self._wake.set()

    def _report(self, began: float, site: StaticSite, outcome: Outcome) -> None:
        if isinstance(outcome, LeaseLost) or (self._stopping.is_set() and isinstance(outcome, SyncError)):
            return  # that says nothing about the site
        seconds = time.monotonic() - began
        if not isinstance(outcome, SiteDeleted):
            self._counted.synced(outcome, seconds)
        if isinstance(outcome, Published):
            release = outcome.release
            with self._lock:
                self._synced[site.metadata.uid] = time.time()
            if outcome.changed:
                log.info("site_published", site=site.key, commit=release.origin.commit, files=release.content.files)
        elif not isinstance(outcome, SiteDeleted):
            log.warning("sync_failed", site=site.key, reason=outcome.reason, error=str(outcome))
        if (current := self._sites.current(site)) is None:
            self._sites.take_offline_what_it_left(site)
        elif current.metadata.generation == site.metadata.generation:  # else it is synced once more
            self._statuses.say(current, outcome, seconds)
            self._observer(self._statuses.on(current), outcome, seconds)


def _wish(source: Source, sites: Sequence[StaticSite]) -> Wish:
    interval = sources.interval(source, sites).total_seconds()
    # A commit needs no question that others have, and is not to wait for their answer.
    group = (source.mirror_id, source.commit) if source.commit else source.mirror_id
    return Wish(interval, group, source.host, sources.payer(sites))


def _errors(outcomes: Iterable[Outcome]) -> list[SyncError]:
    return [each for each in outcomes if isinstance(each, SyncError)]


def _result(outcomes: Sequence[Outcome]) -> Result:
    errors = _errors(outcomes)
    at_most = min((error.retry_within_seconds for error in errors), default=math.inf)
    answers = not any(isinstance(error, Unreachable | TimedOut) for error in errors)
    return Result(well=bool(outcomes) and not errors, at_most=at_most, host_answers=answers)


def _identity(sites: Sequence[StaticSite]) -> list[_Identity]:
    """What makes a sync due at once when it changes."""
    return sorted((site.key, site.metadata.uid, site.metadata.generation, site.requested_at) for site in sites)
