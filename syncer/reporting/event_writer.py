"""Events on their way to the API, on a thread of their own: an API that is down delays no sync.

Events are hints for people, so some may be lost: the oldest are dropped when too many wait, and each site gets no more
than a person would read.
"""

import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from pages.api import StaticSite, StaticSiteStatus
from syncer.outcome import Outcome
from syncer.recorder import Recorder
from syncer.reporting import events
from syncer.reporting.events import Event
from syncer.retries import backoff_seconds

log = structlog.get_logger(__name__)

MOST_WAITING = 1_000
ALLOWANCE = 10  # Events of one site in quick succession; when it is used up, there is one in
GAIN_SECONDS = 300.0  # as long
_MOST_REMEMBERED = 10_000
_FIRST_SECONDS = 0.1


@dataclass(frozen=True)
class Written:
    """An Event in the API: one that happens again is counted there, and not written a second time."""

    namespace: str
    name: str
    site_uid: str
    site_name: str
    event: Event
    first: datetime
    last: datetime
    count: int = 1


class EventNotWritten(Exception):
    """The API rejects the Event: a retry would not help."""


class ApiAway(Exception):
    """The API did not answer, or asks for a pause of so many seconds; the Event is retried."""

    def __init__(self, message: str, pause: float = 0.0) -> None:
        super().__init__(message)
        self.pause = pause


class EventsApi(Protocol):
    """Where Events are written. Both methods raise EventNotWritten and ApiAway."""

    def create(self, written: Written) -> None:
        """Write a new Event."""

    def count(self, written: Written) -> bool:
        """Raise the count of an Event that was written; False if it is gone."""


class EventWriter(Recorder):
    """Writes the Events between statuses. Recording never blocks; ``recorder`` hears the result of each write."""

    def __init__(
        self,
        api: EventsApi,
        recorder: Recorder | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        most_remembered: int = _MOST_REMEMBERED,
    ) -> None:
        self._api = api
        self._recorder = recorder or Recorder()
        self._clock = clock
        self._most_remembered = most_remembered
        self._waiting: deque[Written] = deque()
        self._written: OrderedDict[tuple[str, Event], Written] = OrderedDict()  # by the site's uid
        self._allowances: OrderedDict[str, tuple[float, float]] = OrderedDict()  # by the site's uid: how many, when
        self._closing_until: float | None = None  # monotonic
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Start the thread that writes."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Write what waits, for at most so many seconds, and stop. A request that hangs is not waited for."""
        with self._changed:
            self._closing_until = time.monotonic() + seconds
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def status_changed(
        self,
        site: StaticSite,
        before: StaticSiteStatus | None,
        after: StaticSiteStatus,
        outcome: Outcome | None,
        seconds: float,
    ) -> None:
        """Write soon what is new between the two statuses."""
        for event in events.between(before, after, outcome, seconds):
            self._put(site, event)

    def _put(self, site: StaticSite, event: Event) -> None:
        metadata, now = site.metadata, datetime.now(UTC)
        name = f"{metadata.name}.{uuid.uuid4().hex[:16]}"
        with self._changed:
            if not self._is_allowed(metadata.uid):
                self._recorder.event_written("withheld")
                return
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._recorder.event_written("dropped")
            self._waiting.append(Written(metadata.namespace, name, metadata.uid, metadata.name, event, now, now))
            self._changed.notify_all()

    def _is_allowed(self, uid: str) -> bool:
        """A site that fails and recovers in turns must not fill the API."""
        now = self._clock()
        left, since = self._allowances.pop(uid, (float(ALLOWANCE), now))
        left = min(ALLOWANCE, left + (now - since) / GAIN_SECONDS)
        allowed = left >= 1
        self._allowances[uid] = (left - 1 if allowed else left, now)
        if len(self._allowances) > self._most_remembered:
            self._allowances.popitem(last=False)
        return allowed

    def _run(self) -> None:
        failures = 0
        while (each := self._take()) is not None:
            try:
                self._write(each)
            except ApiAway as error:
                failures += 1
                log.info("events_wait", error=str(error))
                self._give_back(each, max(backoff_seconds(failures, _FIRST_SECONDS), error.pause))
            except EventNotWritten as error:
                self._recorder.event_written("failed")
                log.warning("event_not_written", site=f"{each.namespace}/{each.site_name}", error=str(error))
            except Exception:  # a bug must not stop the others' Events
                self._recorder.event_written("failed")
                log.exception("event_crashed", site=f"{each.namespace}/{each.site_name}")
            else:
                failures = 0
                self._recorder.event_written("written")

    def _write(self, new: Written) -> None:
        key = (new.site_uid, new.event)
        earlier = self._written.get(key)
        written = replace(earlier, last=new.last, count=earlier.count + 1) if earlier else new
        if earlier is None or not self._api.count(written):
            self._api.create(new)
            written = new
        self._written[key] = written
        self._written.move_to_end(key)
        if len(self._written) > self._most_remembered:
            self._written.popitem(last=False)

    def _take(self) -> Written | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing_until is not None)
            late = self._closing_until is not None and time.monotonic() > self._closing_until
            return self._waiting.popleft() if self._waiting and not late else None

    def _give_back(self, each: Written, seconds: float) -> None:
        """Retry it after a while, unless newer Events have taken its place."""
        with self._changed:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.appendleft(each)
            else:
                self._recorder.event_written("dropped")
            self._changed.wait_for(lambda: self._closing_until is not None, seconds)
