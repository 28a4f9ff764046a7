"""Requests for syncs on their way to the schedule: one per source at most, however many deliveries ask for it (W3)."""

import threading
import time
from collections.abc import Iterable
from typing import Protocol

import structlog

from syncer.sources import Source
from syncer.webhooks.pace import Pace

log = structlog.get_logger(__name__)


class Queue(Protocol):
    """What syncs sources."""

    def hasten(self, requested: Iterable[Source]) -> None:
        """Sync these sources now."""


class Requests:
    """A thread that passes sources to the queue, at a bounded pace: sources are few, deliveries many."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._pace: Pace[Source] = Pace()
        self._due: dict[Source, float] = {}  # monotonic
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="requests")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what still waits is left to polling."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def put(self, sources: Iterable[Source]) -> None:
        """Ask for a sync of each."""
        now = time.monotonic()
        with self._changed:
            for source in set(sources):
                follow = self._pace.again if source in self._due else self._pace.when
                self._due[source] = follow(source, now)
            self._changed.notify()

    def _run(self) -> None:
        while (sources := self._take()) is not None:
            try:
                self._queue.hasten(sources)
            except Exception:  # a bug must not end all webhooks
                log.exception("request_not_followed")

    def _take(self) -> list[Source] | None:
        """What is due, as soon as something is; None at the end."""
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                if found := [source for source, due in self._due.items() if due <= now]:
                    for source in found:
                        del self._due[source]
                    return found
                self._changed.wait(min(self._due.values()) - now if self._due else None)
            return None
