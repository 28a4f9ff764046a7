"""The syncer in a cluster: waits for the Lease, works as long as it holds it, and is of no more use without."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2
import structlog
from lightkube import AsyncClient, Client
from lightkube.core.exceptions import ConfigError

from pages.api import SiteKey, StaticSite
from syncer.app import Engine
from syncer.cluster.events_api import ClusterEvents
from syncer.cluster.lease import Lease
from syncer.dashboard.journal import Journal
from syncer.dashboard.view import View
from syncer.disk.policy import DiskPolicy
from syncer.egress.addresses import Addresses
from syncer.egress.hosts import AllowedHosts
from syncer.errors import StorageFailed, StorageFull
from syncer.git.commands import Git
from syncer.git.mirrors import Mirrors
from syncer.limits import Limits
from syncer.metrics.counted import Counted
from syncer.metrics.observed import Observation, Observed
from syncer.publishing.release import Outcome
from syncer.publishing.source import SourceSync
from syncer.reporting.commit_status.writer import CommitStatuses
from syncer.reporting.event_writer import EventWriter
from syncer.schedule.schedule import Capacity
from syncer.service.loop import HOUSEKEEPING_SECONDS, Syncer
from syncer.sources import Source
from syncer.stores.kubernetes import ClusterStore
from syncer.volume.releases import Releases
from syncer.webhooks.matching import LatestIndex
from syncer.webhooks.record import Record
from syncer.webhooks.requests import Requests
from syncer.webhooks.trust import Trust

log = structlog.get_logger(__name__)

_API_SECONDS = 10.0
_LAST_EVENTS_SECONDS = 2.0
_STORAGE_RETRY_SECONDS = 10.0


@dataclass(frozen=True)
class Settings:
    """What was asked for on the command line."""

    namespace: str
    volume: Path
    cache: Path
    hosts: AllowedHosts
    capacity: Capacity
    heartbeat: timedelta
    disk: DiskPolicy
    lease: timedelta
    trust: Trust
    limits: Limits
    site_metrics: int = 0  # sites that have metrics of their own


class NoCluster(Exception):
    """Nothing says where the Kubernetes API is, or who we are there."""


class ClusterSyncer:
    """Everything `pages syncer` owns. ``start`` and ``stop`` once each, in one process; the rest from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._working = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._storage_problem = ""
        self._started = False
        self.record = Record()  # of deliveries; written by the API, shown by the dashboard
        self._journal = Journal()
        self._counted = Counted()
        self.registry = self._counted.registry
        self.registry.register(Observed(self._observe, self._leads, settings.site_metrics))

    def start(self, on_lost: Callable[[], None]) -> None:
        """Begin to wait for the Lease. ``on_lost`` is called when it was ours and is no more: stop, and start anew.

        Raises NoCluster where nothing says which Kubernetes API is ours.
        """
        settings = self._settings
        self._on_lost = on_lost
        # Renewing has to fail early enough to be tried again before the Lease is over.
        self._lease = Lease(_client(settings.lease.total_seconds() / 5), settings.namespace, settings.lease)
        client = _client(_API_SECONDS)
        self._store = ClusterStore(
            client,
            lambda: AsyncClient(timeout=httpx2.Timeout(_API_SECONDS)),
            settings.namespace,
            self._store_changed,
        )
        limits = settings.limits
        self._git = Git(limits.timeouts, limits.process, addresses=Addresses(settings.hosts), recorder=self._counted)
        self._events = EventWriter(ClusterEvents(client), self._counted.event)
        self._syncer = self._make_syncer()
        self._requests = Requests(self._syncer.request)
        self._requests.start()
        self._commit_statuses.start()
        self._events.start()
        self._store.start()
        # A daemon, because the election knows no end but the loss of the Lease.
        self._election = threading.Thread(target=self._elect, name="lease", daemon=True)
        self._election.start()
        self._started = True
        log.info(
            "syncer_started", git=self._git.check_version(), namespace=settings.namespace, volume=str(settings.volume)
        )

    def stop(self) -> None:
        """Stop all work, write the last statuses, give the Lease back; nothing where ``start`` has failed."""
        if not self._started:
            return
        self._stopping.set()
        self._requests.stop()
        self._commit_statuses.stop()
        self._syncer.stop()
        self._git.close()
        self._idle.wait()
        self._events.close(_LAST_EVENTS_SECONDS)
        self._lease.release()
        self._store.stop()
        log.info("syncer_stopped")

    def engine(self) -> Engine:
        """What the API asks of us, once we have started."""
        return Engine(
            index=LatestIndex(self._sites),
            request=self._request,
            take_offline=self._take_offline,
            commit_status=self._commit_status,
            at_work=lambda: not self.not_ready(),
            delivered=self._counted.delivered,
        )

    def view(self) -> View:
        """What the dashboard shows."""
        return View(
            sites=self._syncer.seen,
            events=self._journal.of,
            deliveries=self.record.recent,
            commit_status=self._commit_status,
            problems=self.not_ready,
        )

    def sick(self) -> list[str]:
        """What only a new process can mend."""
        problems = []
        if not self._election.is_alive():
            problems.append("the Lease is lost")
        if not self._store.alive():
            problems.append("the Kubernetes API is not followed any more; the log says why")
        if self._working.is_set() and not self._storage_problem and not self._syncer.alive():
            problems.append("the syncer does not go round any more")
        return problems

    def not_ready(self) -> list[str]:
        """Why we are not the one at work, or cannot work."""
        problems = []
        if not self._lease.held():
            problems.append(f"another syncer is at work: {self._lease.holder() or 'nobody yet'}")
        if not self._store.listed():
            problems.append("the StaticSites, VirtualHosts and Platforms have not all been listed; the log says why")
        if problem := self._storage_problem or self._syncer.volume_problem():
            problems.append(problem)
        return problems

    def _make_syncer(self) -> Syncer:
        settings = self._settings
        self._releases = releases = Releases(settings.volume, settings.disk, fence=self._lease)
        mirrors = Mirrors(settings.cache, self._git, settings.disk, releases)
        self._commit_statuses = CommitStatuses(self._store.secret, settings.hosts, noted=self._counted.commit_status)
        source_sync = SourceSync(
            git=self._git,
            mirrors=mirrors,
            releases=releases,
            hosts=settings.hosts,
            read_secret=self._store.secret,
            limits=settings.limits.site,
            begin=self._commit_statuses.begun,
        )
        return Syncer(
            self._store,
            source_sync,
            releases,
            mirrors,
            capacity=settings.capacity,
            housekeeping_seconds=min(HOUSEKEEPING_SECONDS, max(1.0, settings.disk.grace_seconds)),
            heartbeat=settings.heartbeat,
            sync_token=settings.trust.sync_token,
            observer=self._ended,
            counted=self._counted,
            tell=self._events.tell,
        )

    def _ended(self, site: StaticSite, outcome: Outcome, _seconds: float) -> None:
        self._journal.note(site, outcome)
        self._commit_statuses.ended(site, outcome)

    def _leads(self) -> bool:
        return self._started and self._lease.held()

    def _observe(self) -> Observation | None:
        if not self._leads() or not self._working.is_set():
            return None
        seen = self._syncer.observation()
        return seen._replace(volume_writable=False) if self._storage_problem else seen

    def _store_changed(self) -> None:
        self._syncer.store_changed()

    def _sites(self) -> Mapping[str, StaticSite]:
        return self._syncer.sites()

    def _request(self, sources: Iterable[Source]) -> None:
        self._requests.put(sources)

    def _take_offline(self, site: SiteKey) -> None:
        self._releases.take_offline(site)

    def _commit_status(self, uid: str) -> str | None:
        return self._commit_statuses.result(uid)

    def _elect(self) -> None:
        self._lease.run(on_started=self._work, on_stopped=self._lost)

    def _work(self) -> None:
        self._idle.clear()
        log.info("lease_acquired")
        try:
            while not self._store.listed() and not self._stopping.wait(0.05):
                pass
            self._working.set()
            while not self._stopping.is_set():
                self._sync_until_stopped()
        finally:
            self._idle.set()

    def _sync_until_stopped(self) -> None:
        try:
            self._syncer.run()
        except (StorageFailed, StorageFull) as error:
            self._storage_problem = str(error)
            log.error("volume_not_usable", error=str(error))  # noqa: TRY400 - the sentence says it all
            self._stopping.wait(_STORAGE_RETRY_SECONDS)
            self._storage_problem = ""

    def _lost(self) -> None:
        """Stop at once: the next holder may have begun."""
        log.error("lease_lost", holder=self._lease.holder())
        self._stopping.set()
        self._syncer.stop()
        self._git.close()
        self._on_lost()


def _client(seconds: float) -> Client:
    try:
        return Client(timeout=httpx2.Timeout(seconds))
    except ConfigError as error:
        raise NoCluster(f"{error}: name a kubeconfig in KUBECONFIG, or run in a pod with a ServiceAccount") from error
