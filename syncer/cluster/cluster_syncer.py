"""The syncer in a cluster: it works while it holds the Lease, and its process ends when it loses it."""

import os
import signal
import threading

import httpx2
import structlog
from lightkube import AsyncClient, Client
from lightkube.core.exceptions import ConfigError

from syncer import assembly
from syncer.assembly import World
from syncer.cluster.events_api import ClusterEvents
from syncer.cluster.lease import Lease
from syncer.duty import Duty
from syncer.errors import StorageFailed, StorageFull
from syncer.metrics.counted import Counted
from syncer.metrics.observed import Observation, Observed
from syncer.reporting.event_writer import EventWriter
from syncer.settings import ClusterSettings
from syncer.stores.kubernetes import ClusterStore
from syncer.wakeup import Wakeup

log = structlog.get_logger(__name__)

_API_SECONDS = 10.0
_LAST_EVENTS_SECONDS = 2.0
_STORAGE_RETRY_SECONDS = 10.0


class NoCluster(Exception):
    """The Kubernetes API or the credentials for it are not configured."""


class ClusterSyncer(Duty):
    """The assembled syncer with its Lease and its Events. ``start`` and ``stop`` once each; the rest from any thread.

    Raises NoCluster if no Kubernetes API is configured.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        # Renewing has to fail early enough to be retried before the Lease ends.
        self._lease = Lease(_client(settings.lease.total_seconds() / 5), settings.namespace, settings.lease)
        client = _client(_API_SECONDS)
        counted, self._wakeup = Counted(), Wakeup()
        self._store = ClusterStore(
            client, lambda: AsyncClient(timeout=httpx2.Timeout(_API_SECONDS)), settings.namespace, self._wakeup
        )
        self._events = EventWriter(ClusterEvents(client), counted)
        self._git = assembly.make_git(settings.syncer, counted)
        workspace = assembly.make_workspace(settings.syncer, self._git, self._lease)
        world = World(self._store, workspace, counted, self._wakeup, recorders=[self._events])
        self.parts = assembly.assemble(settings.syncer, world, self)
        self._syncer = self.parts.syncer
        self._working = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._storage_problem = ""
        # A daemon, because the election ends only with the loss of the Lease.
        self._election = threading.Thread(target=self._lease.run, args=[self], name="lease", daemon=True)
        self.registry = counted.registry
        self.registry.register(Observed(self._observe, self._lease.held, settings.site_metrics))

    def start(self) -> None:
        """Start to wait for the Lease."""
        version = self._git.check_version()
        self.parts.start()
        self._events.start()
        self._store.start()
        self._election.start()
        log.info(
            "syncer_started",
            git=version,
            namespace=self._settings.namespace,
            volume=str(self._settings.syncer.volume),
        )

    def stop(self) -> None:
        """Stop all work, write the last statuses, and give the Lease back."""
        self.parts.stop()
        self._idle.wait()
        self._events.close(_LAST_EVENTS_SECONDS)
        self._lease.release()
        self._store.stop()
        log.info("syncer_stopped")

    def sick(self) -> list[str]:
        """What only a new process can fix."""
        problems = []
        if not self._election.is_alive():
            problems.append("the Lease is lost")
        if not self._store.alive():
            problems.append("the syncer no longer follows the Kubernetes API; see its log")
        if self._working.is_set() and not self._storage_problem and not self._syncer.alive():
            problems.append("the loop of the syncer is stuck; see its log")
        return problems

    def not_ready(self) -> list[str]:
        """Why this syncer is not the one at work, or cannot work."""
        problems = []
        if not self._lease.held():
            problems.append(f"another syncer is at work: {self._lease.holder() or 'none yet'}")
        if not self._store.listed():
            problems.append("the StaticSites, VirtualHosts and Platforms have not all been listed yet; see the log")
        if problem := self._storage_problem or self._syncer.volume_problem():
            problems.append(problem)
        return problems

    def lease_acquired(self) -> None:
        """Work until the Lease is lost."""
        self._idle.clear()
        log.info("lease_acquired")
        try:
            while not self._store.listed() and not self._wakeup.stopped.wait(0.05):
                pass
            self._working.set()
            while not self._wakeup.stopped.is_set():
                self._sync_until_stopped()
        finally:
            self._idle.set()

    def lease_lost(self) -> None:
        """Stop at once: the next holder may have started."""
        log.error("lease_lost", holder=self._lease.holder())
        self._syncer.stop()
        self._git.close()
        os.kill(os.getpid(), signal.SIGTERM)  # gunicorn starts another process

    def _sync_until_stopped(self) -> None:
        try:
            self._syncer.run()
        except (StorageFailed, StorageFull) as error:
            self._storage_problem = str(error)
            log.error("volume_not_usable", error=str(error))  # noqa: TRY400 - the message says it all
            self._wakeup.stopped.wait(_STORAGE_RETRY_SECONDS)
            self._storage_problem = ""

    def _observe(self) -> Observation | None:
        if not self._lease.held() or not self._working.is_set():
            return None
        observation = self._syncer.observation()
        return observation._replace(volume_writable=False) if self._storage_problem else observation


def _client(seconds: float) -> Client:
    try:
        return Client(timeout=httpx2.Timeout(seconds))
    except ConfigError as error:
        raise NoCluster(f"{error}: name a kubeconfig in KUBECONFIG, or run in a pod with a ServiceAccount") from error
