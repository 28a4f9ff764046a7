"""One Lease: of several syncers one works, and the others wait (F20).

The Kubernetes client runs the election. This module adds the lock that it keeps in a Lease, and the fence: a holder
that has not renewed for a while holds nothing, even if its process was stopped or its network was down meanwhile.
"""

import os
import socket
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

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

from syncer.duty import Fence
from syncer.errors import LeaseLost

log = structlog.get_logger(__name__)

NAME = "pages-syncer"
_NOT_FOUND = 404
_RETRY_SECONDS = 1.0


class Holder(Protocol):
    """Who wants to hold the Lease."""

    def lease_acquired(self) -> None:
        """Work until the Lease is lost; called on a thread."""

    def lease_lost(self) -> None:
        """Stop at once: the next holder may have started."""


class Lease(Fence):
    """The part of this process in the election. ``run`` once; everything else from any thread.

    Others may take over ``duration`` after the last renewal; a holder that cannot renew gives up well before that.
    """

    def __init__(self, client: Client, namespace: str, duration: timedelta) -> None:
        self._duration = duration
        self._gives_up = duration * 2 / 3
        self._lock = _LeaseLock(client, namespace, f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}")

    def run(self, holder: Holder) -> None:
        """Wait for the Lease, and renew it until it is lost."""
        config = Config(
            lock=self._lock,
            lease_duration=int(self._duration.total_seconds()),
            renew_deadline=self._gives_up.total_seconds(),
            retry_period=_RETRY_SECONDS,
            onstarted_leading=holder.lease_acquired,
            onstopped_leading=holder.lease_lost,
        )
        LeaderElection(config).run()

    def held(self) -> bool:
        """Whether this process certainly holds the Lease."""
        renewed = self._lock.renewed
        return renewed is not None and time.monotonic() - renewed < self._gives_up.total_seconds()

    def check(self) -> None:
        """Raise LeaseLost unless this process certainly holds the Lease."""
        if not self.held():
            raise LeaseLost("this syncer no longer holds the Lease; another one may be at work")

    def holder(self) -> str:
        """The last known holder; empty if there is none."""
        return self._lock.holder

    def release(self) -> None:
        """Give it back, so that the next holder does not have to wait, and never take it again."""
        self._lock.release()


class _LeaseLock:
    """Where ``LeaderElection`` keeps its record. If the API fails, the attempt fails, without an exception."""

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
        return self._write(LeaseObject(metadata=metadata, spec=spec), new=True)

    def update(self, _name: str, _namespace: str, updated_record: LeaderElectionRecord) -> bool:
        """Replace what ``get`` has read; the API server rejects this if another syncer was faster."""
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
        return self._write(lease, new=False)

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

    def _write(self, lease: LeaseObject, *, new: bool) -> bool:
        with self._mutex:
            if self._closed:
                return False
            since = time.monotonic()
            try:
                self._lease = self._client.create(lease) if new else self._client.replace(lease)
            except httpx2.HTTPError as error:
                log.warning("lease_not_renewed", error=str(error))
                return False
            self.renewed, self.holder = since, self.identity
            return True


class _Failure:
    """A read that failed, as ``LeaderElection`` expects it: only a 404 allows it to create the Lease."""

    def __init__(self, reason: str, code: int | None) -> None:
        self.reason = reason
        self.body = f'{{"code": {code}}}' if code == _NOT_FOUND else "{}"
