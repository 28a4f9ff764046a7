"""The syncer at work: follows the store, runs what is due on a few threads, says at each site how it went."""

import contextlib
import math
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from pages.api import StaticSite, StaticSiteStatus
from syncer import sources, status
from syncer.errors import LeaseLost, SyncError
from syncer.housekeeping import Housekeeper
from syncer.mirrors import Mirrors
from syncer.records import SiteKey
from syncer.releases import Releases
from syncer.schedule import Schedule
from syncer.sources import Source
from syncer.status import Routing, Routings
from syncer.status_writer import StatusWriter
from syncer.stores import Snapshot, Store
from syncer.sync import Outcome, Published, SourceSync, key_of

log = structlog.get_logger(__name__)

HOUSEKEEPING_SECONDS = 60.0
_STUCK_SECONDS = 180.0
_LOOK_SECONDS = 60.0  # to be seen alive
_LAST_STATUSES_SECONDS = 5.0
_PAUSE = 3.0
Observer = Callable[[StaticSite, Outcome], None]
_Identity = tuple[str, str, int, str]


class Syncer:
    """Owns the schedule and the worker threads: ``run`` blocks until ``stop``, which any thread may call."""

    def __init__(
        self,
        store: Store,
        source_sync: SourceSync,
        releases: Releases,
        mirrors: Mirrors,
        *,
        workers: int = 4,
        housekeeping_seconds: float = HOUSEKEEPING_SECONDS,
        heartbeat: timedelta = status.HEARTBEAT,
        base_url: status.BaseURL = status.public_base_url,
        sync_token: Callable[[StaticSite], str | None] = lambda _site: None,
        observer: Observer = lambda _site, _outcome: None,
    ) -> None:
        self._store = store
        self._source_sync = source_sync
        self._releases = releases
        self._housekeeper = Housekeeper(
            releases,
            mirrors,
            interval_seconds=housekeeping_seconds,
            remove_gone=self._take_offline_what_is_gone,
            wanted=self._wanted_sources,
            damaged=self._publish_anew,
        )
        self._workers = workers
        self._heartbeat = heartbeat
        self._base_url = base_url
        self._sync_token = sync_token
        self._observer = observer
        self._schedule: Schedule[Source] = Schedule(random.random)
        self._statuses = StatusWriter(store.write_status)
        self._snapshot = Snapshot(complete=False)
        self._sites: dict[str, StaticSite] = {}  # by uid
        self._groups: dict[Source, list[StaticSite]] = {}
        self._routings = Routings()
        self._said: dict[str, _Said] = {}  # by the site's uid
        self._running = 0
        self._last_look = time.monotonic()
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._changed = threading.Event()
        self._stopping = threading.Event()

    def store_changed(self) -> None:
        """Look at the store again, soon."""
        self._changed.set()
        self._wake.set()

    def stop(self) -> None:
        """Make ``run`` return once the workers are done; close Git first, so that they are done soon."""
        self._stopping.set()
        self._wake.set()

    def sites(self) -> Mapping[str, StaticSite]:
        """The sites by uid, as they were when we last looked; another mapping whenever that has changed."""
        return self._sites

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

    def run(self) -> None:
        """Sync until stopped. Raises StorageFailed, StorageFull where the volume cannot be used at all."""
        self._releases.prepare()
        self._changed.set()
        self._statuses.start()
        self._housekeeper.start()
        try:
            self._go_round()
        finally:
            self._housekeeper.stop()
            self._statuses.close(_LAST_STATUSES_SECONDS)

    def _go_round(self) -> None:
        follow_from = 0.0
        with ThreadPoolExecutor(self._workers, thread_name_prefix="sync") as pool:
            while not self._stopping.is_set():
                self._wake.clear()
                self._last_look = now = time.monotonic()
                if self._changed.is_set() and now >= follow_from:
                    self._changed.clear()
                    self._follow_store()
                    # A stream of changes must not keep us from everything else.
                    follow_from = time.monotonic() + _PAUSE * (time.monotonic() - now)
                for source in self._take_due():
                    pool.submit(self._work, source)
                self._wake.wait(self._seconds_to_wait(follow_from if self._changed.is_set() else now + _LOOK_SECONDS))
            pool.shutdown(cancel_futures=True)

    def _follow_store(self) -> None:
        snapshot = self._store.snapshot()
        groups = sources.group(snapshot.sites)
        with self._lock:
            changed = [source for source, sites in groups.items() if _identity(sites) != self._identity(source)]
            self._snapshot, self._groups = snapshot, groups
            self._routings = Routings(snapshot.platform, snapshot.virtual_hosts)
            now = time.monotonic()
            intervals = {each: sources.interval(each, sites).total_seconds() for each, sites in groups.items()}
            self._schedule.keep(intervals, now)
            for source in changed:
                self._schedule.hasten(source, now)
            self._sites = {site.metadata.uid: site for site in snapshot.sites}
            self._said = {uid: said for uid, said in self._said.items() if uid in self._sites}
        self._take_offline_what_is_gone()
        for site in snapshot.sites:
            self._say(site, None)

    def _identity(self, source: Source) -> list[_Identity]:
        return _identity(self._groups.get(source, []))

    def _take_offline_what_is_gone(self) -> None:
        with self._lock:
            snapshot = self._snapshot
        wanted = {key_of(site) for site in snapshot.sites} | snapshot.unreadable
        with _logged("sites_not_listed"):
            for key in self._releases.sites():
                if key not in wanted and (snapshot.complete or key in snapshot.deleted):
                    log.info("site_removed", site=str(key))
                    with _logged("site_not_removed", site=str(key)):
                        self._releases.take_offline(key)

    def _wanted_sources(self) -> list[Source] | None:
        with self._lock:
            return list(self._groups) if self._snapshot.complete else None

    def _publish_anew(self, damaged: Sequence[SiteKey]) -> None:
        with self._lock:
            for source, sites in self._groups.items():
                if any(key_of(site) in damaged for site in sites):
                    self._schedule.hasten(source, time.monotonic())
        self._wake.set()

    def _take_due(self) -> list[Source]:
        """As many as there are idle workers: what waits, waits in the schedule, where a new site comes first."""
        with self._lock:
            due = self._schedule.take_due(time.monotonic(), self._workers - self._running)
            self._running += len(due)
            return due

    def _seconds_to_wait(self, latest: float) -> float:
        with self._lock:
            # With every worker at work there is nothing to wait for but one of them, who wakes us.
            due = self._schedule.next_due() if self._running < self._workers else None
        return max(0.0, min(latest, due if due is not None else latest) - time.monotonic())

    def _work(self, source: Source) -> None:
        with self._lock:
            sites = self._groups.get(source, [])
        outcomes: list[Outcome] = []
        with structlog.contextvars.bound_contextvars(reconcile=uuid.uuid4().hex[:12], repo=source.repo):
            try:
                outcomes = self._source_sync.run(source, sites, self._report)
            except Exception:  # a bug must not take the worker or the other sites with it
                log.exception("sync_crashed", branch=source.branch)
            finally:
                errors = [each for each in outcomes if isinstance(each, SyncError)]
                at_most = min((error.retry_within_seconds for error in errors), default=math.inf)
                with self._lock:
                    self._running -= 1
                    well = bool(outcomes) and not errors
                    self._schedule.finished(source, time.monotonic(), well=well, at_most=at_most)
                self._wake.set()

    def _report(self, site: StaticSite, outcome: Outcome) -> None:
        if isinstance(outcome, LeaseLost) or (self._stopping.is_set() and isinstance(outcome, SyncError)):
            return  # that says nothing about the site
        if isinstance(outcome, Published):
            release = outcome.release
            if outcome.changed:
                log.info("site_published", site=site.key, commit=release.commit, files=release.files)
        else:
            log.warning("sync_failed", site=site.key, reason=outcome.reason, error=str(outcome))
        if (current := self._current(site)) is None:
            with _logged("site_not_removed", site=site.key):
                self._releases.take_offline(key_of(site))
        elif current.metadata.generation == site.metadata.generation:  # else it is synced once more
            self._say(current, outcome)
            with self._lock:
                said = self._said.get(site.metadata.uid)
            self._observer(current.model_copy(update={"status": said.status}) if said else current, outcome)

    def _current(self, site: StaticSite) -> StaticSite | None:
        """The site as it is now; one deleted while it was being synced must not come back to life (F26)."""
        with self._lock:
            key, snapshot = key_of(site), self._snapshot
            gone = (snapshot.complete or key in snapshot.deleted) and key not in snapshot.unreadable
            return self._sites.get(site.metadata.uid, None if gone else site)

    def _say(self, site: StaticSite, outcome: Outcome | None) -> None:
        with self._lock:
            routing, said = self._routings.of(site), self._said.get(site.metadata.uid)
            if said and outcome is None and (said.generation, said.routing) == (site.metadata.generation, routing):
                return
            known = said.status if said else site.status
            new = status.build(
                site.model_copy(update={"status": known}),
                outcome,
                routing,
                datetime.now(UTC),
                base_url=self._base_url,
                sync_token=self._sync_token(site),
            )
            write = status.says_something_new(new, known, self._heartbeat)
            self._said[site.metadata.uid] = _Said(
                site.metadata.generation, routing, new if write or not known else known
            )
            if write:
                self._statuses.put(site, new)


@dataclass(frozen=True)
class _Said:
    """The status that a site has, or will have once it is written, and what it was made of besides git."""

    generation: int
    routing: Routing
    status: StaticSiteStatus


def _identity(sites: Sequence[StaticSite]) -> list[_Identity]:
    """What makes a sync due at once when it changes."""
    return sorted((site.key, site.metadata.uid, site.metadata.generation, site.requested_at) for site in sites)


@contextlib.contextmanager
def _logged(event: str, **fields: str) -> Iterator[None]:
    try:
        yield
    except (SyncError, OSError) as error:
        log.warning(event, error=str(error), **fields)
