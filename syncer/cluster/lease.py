"""One Lease: of several syncers one works, the others wait (F20).

The election is the Kubernetes client's. Ours are the lock that it keeps in a Lease, over the client that we use for
everything else, and the fence: whoever has not renewed for a while holds nothing, whatever it remembers (a process that
was stopped and goes on, a network that was gone).
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx2
import structlog
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.leaderelection import LeaderElection
from kubernetes.leaderelection.leaderelectionrecord import LeaderElectionRecord
from lightkube import Client
from lightkube.core.exceptions import ApiError
from lightkube.models.coordination_v1 import LeaseSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.coordination_v1 import Lease as LeaseObject

from syncer.errors import LeaseLost

log = structlog.get_logger(__name__)

NAME = "pages-syncer"
_NOT_FOUND = 404
_RETRY_SECONDS = 1.0


class Lease:
    """This process's part in the election. ``run`` once; everything else from any thread.

    Others may take over ``duration`` after the last renewal; a holder that cannot renew gives up well before that.
    """

    def __init__(self, client: Client, namespace: str, duration: timedelta) -> None:
        self._duration = duration
        self._gives_up = duration * 2 / 3
        self._lock = _LeaseLock(client, namespace, f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}")

    def run(self, on_started: Callable[[], None], on_stopped: Callable[[], None]) -> None:
        """Wait for the Lease, call ``on_started`` on a thread, renew until it is lost, call ``on_stopped``."""
        config = Config(
            lock=self._lock,
            lease_duration=int(self._duration.total_seconds()),
            renew_deadline=self._gives_up.total_seconds(),
            retry_period=_RETRY_SECONDS,
            onstarted_leading=on_started,
            onstopped_leading=on_stopped,
        )
        LeaderElection(config).run()

    def held(self) -> bool:
        """Whether we are the holder, beyond doubt."""
        renewed = self._lock.renewed
        return renewed is not None and time.monotonic() - renewed < self._gives_up.total_seconds()

    def check(self) -> None:
        """Raise LeaseLost where another syncer may be running."""
        if not self.held():
            raise LeaseLost("the Lease is no longer held; another syncer may be running")

    def holder(self) -> str:
        """Who holds it, as far as we know; empty where nobody does."""
        return self._lock.holder

    def release(self) -> None:
        """Give it back, so that the next holder need not wait, and never take it again."""
        self._lock.release()


class _LeaseLock:
    """What ``LeaderElection`` keeps its record in. A failure of the API is a try that failed, never an exception."""

    def __init__(self, client: Client, namespace: str, identity: str) -> None:
        self.name, self.namespace, self.identity = NAME, namespace, identity
        self.holder = ""
        self.renewed: float | None = None  # monotonic, of the moment before the last renewal was sent
        self._client = client
        self._mutex = threading.Lock()
        self._closed = False
        self._lease: LeaseObject | None = None

    def get(self, name: str, namespace: str) -> tuple[Literal[True], LeaderElectionRecord] | tuple[Literal[False], Any]:
        try:
            self._lease = self._client.get(LeaseObject, name, namespace=namespace)
        except ApiError as error:
            return False, _Failure(str(error), error.status.code)
        except httpx2.HTTPError as error:
            return False, _Failure(str(error), None)
        spec = self._lease.spec or LeaseSpec()
        self.holder = spec.holderIdentity or ""
        if self.holder != self.identity:
            self.renewed = None
        times = [str(moment) if moment else None for moment in (spec.acquireTime, spec.renewTime)]
        return True, LeaderElectionRecord(self.holder or None, spec.leaseDurationSeconds, *times)

    def create(self, name: str, namespace: str, election_record: LeaderElectionRecord) -> bool:
        now = datetime.now(UTC)
        spec = LeaseSpec(
            holderIdentity=self.identity,
            leaseDurationSeconds=int(election_record.lease_duration),
            acquireTime=now,
            renewTime=now,
            leaseTransitions=0,
        )
        metadata = ObjectMeta(name=name, namespace=namespace)
        return self._write(lambda: self._client.create(LeaseObject(metadata=metadata, spec=spec)))

    def update(self, _name: str, _namespace: str, updated_record: LeaderElectionRecord) -> bool:
        """Replace what ``get`` has read; the API server refuses where somebody else was faster."""
        lease = self._lease
        if lease is None:
            return False
        before = lease.spec or LeaseSpec()
        taken_over = before.holderIdentity != self.identity
        now = datetime.now(UTC)
        lease.spec = LeaseSpec(
            holderIdentity=self.identity,
            leaseDurationSeconds=int(updated_record.lease_duration),
            acquireTime=now if taken_over else before.acquireTime,
            renewTime=now,
            leaseTransitions=(before.leaseTransitions or 0) + taken_over,
        )
        return self._write(lambda: self._client.replace(lease))

    def release(self) -> None:
        with self._mutex:
            self._closed, held, self.renewed = True, self.renewed is not None, None
            if not held or self._lease is None:
                return
            try:
                lease = self._client.get(LeaseObject, self.name, namespace=self.namespace)
                if lease.spec and lease.spec.holderIdentity == self.identity:
                    lease.spec.holderIdentity = None
                    self._client.replace(lease)
            except httpx2.HTTPError as error:
                log.warning("lease_not_released", error=str(error))

    def _write(self, write: Callable[[], LeaseObject]) -> bool:
        with self._mutex:
            if self._closed:
                return False
            since = time.monotonic()
            try:
                self._lease = write()
            except httpx2.HTTPError as error:
                log.warning("lease_not_renewed", error=str(error))
                return False
            self.renewed, self.holder = since, self.identity
            return True


class _Failure:
    """What ``LeaderElection`` expects of a read that failed: only a 404 allows it to create the Lease."""

    def __init__(self, reason: str, code: int | None) -> None:
        self.reason = reason
        self.body = f'{{"code": {code}}}' if code == _NOT_FOUND else "{}"
