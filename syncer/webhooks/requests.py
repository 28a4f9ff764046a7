"""Requested syncs on their way to the schedule: at most one for each source, however many deliveries come (W3)."""

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
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; polling takes over what is pending."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def put(self, sources: Iterable[Source]) -> None:
        """Request a sync of each source."""
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
        """Wait until sources are due, and return them; None at the end."""
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                if due_now := [source for source, due in self._due.items() if due <= now]:
                    for source in due_now:
                        del self._due[source]
                    return due_now
                self._changed.wait(min(self._due.values()) - now if self._due else None)
            return None
