"""Statuses on their way to the store: the latest of each site, retried until it is written."""

import threading
import time
from typing import Protocol

import structlog

from pages.api import StaticSite, StaticSiteStatus
from syncer.recorder import Recorder
from syncer.retries import backoff_seconds
from syncer.stores import StatusNotWritten

log = structlog.get_logger(__name__)

_FIRST_SECONDS = 0.1


class Writable(Protocol):
    """Where statuses are kept."""

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        """Replace the status of this very site. Raises StatusNotWritten."""


class StatusWriter:
    """Writes on threads of its own: no sync waits for the API, and no status is lost while the API is down."""

    def __init__(self, store: Writable, recorder: Recorder | None = None, threads: int = 2) -> None:
        self._store = store
        self._recorder = recorder or Recorder()
        self._waiting: dict[str, tuple[StaticSite, StaticSiteStatus]] = {}  # by uid, oldest first
        self._being_written: set[str] = set()
        self._failures = 0
        self._not_before = 0.0  # monotonic
        self._closing_until: float | None = None  # monotonic
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._run, name="status") for _ in range(threads)]

    def start(self) -> None:
        """Start the threads that write."""
        for thread in self._threads:
            thread.start()

    def put(self, site: StaticSite, status: StaticSiteStatus) -> None:
        """Write this status soon, in place of one that still waits for the same site."""
        with self._changed:
            self._waiting[site.metadata.uid] = (site, status)
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Write what still waits, for at most so many seconds, and stop."""
        with self._changed:
            self._closing_until = time.monotonic() + seconds
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        if self._waiting:
            log.warning("statuses_not_written", sites=len(self._waiting))

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            site, status = taken
            try:
                self._store.write_status(site, status)
            except (StatusNotWritten, OSError) as error:
                log.warning("status_not_written", site=site.key, error=str(error))
                self._recorder.status_written("failed")
                self._finished(site, again=status, pause=error.pause if isinstance(error, StatusNotWritten) else 0)
            except Exception:  # a bug must not stop the others' statuses
                log.exception("status_crashed", site=site.key)
                self._finished(site)
            else:
                self._recorder.status_written("written")
                self._finished(site)

    def _take(self) -> tuple[StaticSite, StaticSiteStatus] | None:
        with self._changed:
            while self._closing_until is None and (seconds := self._seconds_to_wait()) != 0:
                self._changed.wait(seconds)
            uid = self._next()
            if uid is None or (self._closing_until is not None and time.monotonic() > self._closing_until):
                return None
            self._being_written.add(uid)
            return self._waiting.pop(uid)

    def _next(self) -> str | None:
        return next((uid for uid in self._waiting if uid not in self._being_written), None)

    def _seconds_to_wait(self) -> float | None:
        """The time until the next write; None if no status waits."""
        return None if self._next() is None else max(self._not_before - time.monotonic(), 0)

    def _finished(self, site: StaticSite, again: StaticSiteStatus | None = None, pause: float = 0) -> None:
        uid = site.metadata.uid
        with self._changed:
            self._being_written.discard(uid)
            self._failures = self._failures + 1 if again else 0
            self._not_before = (
                time.monotonic() + max(backoff_seconds(self._failures, _FIRST_SECONDS), pause) if again else 0.0
            )
            if again:
                self._waiting.setdefault(uid, (site, again))
            self._changed.notify_all()
