"""The syncer at work: follows the store, runs what is due on a few threads, says at each site how it went."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import structlog

from pages.api import StaticSite, StaticSiteStatus
from syncer import sources, status
from syncer.errors import SyncError
from syncer.mirrors import Mirrors
from syncer.releases import Releases
from syncer.schedule import Schedule
from syncer.sources import Source
from syncer.stores import Snapshot, Store
from syncer.sync import Outcome, Published, SourceSync, key_of

log = structlog.get_logger(__name__)

HOUSEKEEPING_SECONDS = 60.0
Observer = Callable[[StaticSite, Outcome], None]


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
        heartbeat: timedelta = status.HEARTBEAT,
        base_url: status.BaseURL = status.public_base_url,
        observer: Observer = lambda _site, _outcome: None,
    ) -> None:
        self._store = store
        self._source_sync = source_sync
        self._releases = releases
        self._mirrors = mirrors
        self._workers = workers
        self._heartbeat = heartbeat
        self._base_url = base_url
        self._observer = observer
        self._schedule: Schedule[Source] = Schedule(random.random)
        self._snapshot = Snapshot(complete=False)
        self._groups: dict[Source, list[StaticSite]] = {}
        self._routings: dict[status.SiteName, status.Routing] = {}
        self._statuses: dict[str, StaticSiteStatus] = {}  # by uid
        self._running = 0
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

    def run(self) -> None:
        """Sync until stopped."""
        self._releases.prepare()
        self._changed.set()
        housekeeping = time.monotonic() + HOUSEKEEPING_SECONDS
        with ThreadPoolExecutor(self._workers, thread_name_prefix="sync") as pool:
            while not self._stopping.is_set():
                self._wake.clear()
                if self._changed.is_set():
                    self._changed.clear()
                    self._follow_store()
                if time.monotonic() >= housekeeping:
                    housekeeping = time.monotonic() + HOUSEKEEPING_SECONDS
                    self._keep_house()
                for source in self._take_due():
                    pool.submit(self._work, source)
                self._wake.wait(self._seconds_to_wait(housekeeping))
            pool.shutdown(cancel_futures=True)

    def _follow_store(self) -> None:
        snapshot = self._store.snapshot()
        groups = sources.group(snapshot.sites)
        with self._lock:
            changed = [source for source, sites in groups.items() if _identity(sites) != self._identity(source)]
            self._snapshot, self._groups = snapshot, groups
            self._routings = status.routings(snapshot.platform, snapshot.virtual_hosts)
            now = time.monotonic()
            intervals = {each: sources.interval(each, sites).total_seconds() for each, sites in groups.items()}
            self._schedule.keep(intervals, now)
            for source in changed:
                self._schedule.hasten(source, now)
            uids = {site.metadata.uid for site in snapshot.sites}
            self._statuses = {uid: known for uid, known in self._statuses.items() if uid in uids}
        if snapshot.complete:
            self._take_offline_what_is_gone()
        for site in snapshot.sites:
            self._say(site, None)

    def _identity(self, source: Source) -> list[tuple[str, str, str]]:
        return _identity(self._groups.get(source, []))

    def _take_offline_what_is_gone(self) -> None:
        wanted = {key_of(site) for site in self._snapshot.sites}
        for key in self._releases.sites():
            if key not in wanted:
                log.info("site_removed", site=str(key))
                with _logged("site_not_removed", site=str(key)):
                    self._releases.take_offline(key)

    def _keep_house(self) -> None:
        with _logged("housekeeping_failed"):
            self._releases.collect()
            if self._snapshot.complete:
                self._mirrors.keep_only(self._groups)

    def _take_due(self) -> list[Source]:
        """As many as there are idle workers: what waits, waits in the schedule, where a new site comes first."""
        with self._lock:
            due = self._schedule.take_due(time.monotonic(), self._workers - self._running)
            self._running += len(due)
            return due

    def _seconds_to_wait(self, housekeeping: float) -> float:
        with self._lock:
            # With every worker at work there is nothing to wait for but one of them, who wakes us.
            due = self._schedule.next_due() if self._running < self._workers else None
        return max(0.0, min(housekeeping, due if due is not None else housekeeping) - time.monotonic())

    def _work(self, source: Source) -> None:
        with self._lock:
            sites = self._groups.get(source, [])
        well = False
        try:
            well = self._source_sync.run(source, sites, self._report)
        except Exception:  # a bug must not take the worker or the other sites with it
            log.exception("sync_crashed", repo=source.repo, branch=source.branch)
        finally:
            with self._lock:
                self._running -= 1
                self._schedule.finished(source, time.monotonic(), well=well)
            self._wake.set()

    def _report(self, site: StaticSite, outcome: Outcome) -> bool:
        if self._stopping.is_set() and isinstance(outcome, SyncError):
            return False  # git was stopped by us; that says nothing about the site
        if isinstance(outcome, Published):
            release = outcome.release
            if outcome.changed:
                log.info("site_published", site=site.key, commit=release.commit, files=release.files)
        else:
            log.warning("sync_failed", site=site.key, reason=outcome.reason, error=str(outcome))
        if self._is_wanted(site):
            self._say(site, outcome)
            self._observer(site, outcome)
        else:
            with _logged("site_not_removed", site=site.key):
                self._releases.take_offline(key_of(site))
        return isinstance(outcome, Published)

    def _is_wanted(self, site: StaticSite) -> bool:
        """A site deleted while it was being synced must not come back to life (F26)."""
        with self._lock:
            return not self._snapshot.complete or any(
                each.metadata.uid == site.metadata.uid for each in self._groups.get(sources.source_of(site), [])
            )

    def _say(self, site: StaticSite, outcome: Outcome | None) -> None:
        with self._lock:
            known = self._statuses.get(site.metadata.uid, site.status)
            routing = self._routings.get(key_of(site), status.NOT_ROUTED)
            new = status.build(
                site.model_copy(update={"status": known}), outcome, routing, datetime.now(UTC), self._base_url
            )
            if not status.says_something_new(new, known, self._heartbeat):
                return
            self._statuses[site.metadata.uid] = new
        with _logged("status_not_written", site=site.key):
            self._store.write_status(site, new)


def _identity(sites: Sequence[StaticSite]) -> list[tuple[str, str, str]]:
    """What makes a sync due at once when it changes."""
    return sorted((site.key, site.metadata.uid, site.spec.path) for site in sites)


@contextlib.contextmanager
def _logged(event: str, **fields: str) -> Iterator[None]:
    try:
        yield
    except (SyncError, OSError) as error:
        log.warning(event, error=str(error), **fields)
