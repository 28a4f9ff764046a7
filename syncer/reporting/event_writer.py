"""Events on their way to the API, on a thread of their own: an API that is away delays no sync.

They are hints for people, so they may be lost: when too many wait the oldest are dropped, and of one site no more are
written than somebody would read.
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
from syncer.reporting import events
from syncer.reporting.events import Deployment, Event
from syncer.retries import backoff_seconds

log = structlog.get_logger(__name__)

MOST_WAITING = 1_000
ALLOWANCE = 10  # Events of one site in quick succession; when it is used up, there is one in
GAIN_SECONDS = 300.0  # as long
_MOST_SITES = 10_000
_MOST_KNOWN = 10_000
_FIRST_SECONDS = 0.1


@dataclass(frozen=True)
class Written:
    """An Event as the API has it: one that is said again is counted there and not written anew."""

    namespace: str
    name: str
    site_uid: str
    site_name: str
    event: Event
    first: datetime
    last: datetime
    count: int = 1


class EventNotWritten(Exception):
    """The API refuses it: another try would not help."""


class ApiAway(Exception):
    """The API did not answer, or asks to be left alone; it is tried again, after ``pause`` seconds at the earliest."""

    def __init__(self, message: str, pause: float = 0.0) -> None:
        super().__init__(message)
        self.pause = pause


class EventsApi(Protocol):
    """Where Events are written. Both raise EventNotWritten and ApiAway."""

    def create(self, written: Written) -> None:
        """Write a new one."""

    def count(self, written: Written) -> bool:
        """Raise the count of one that was written; False where it is gone."""


class EventWriter:
    """Writes what ``events.news`` finds. ``tell`` never blocks; ``noted`` hears what became of each."""

    def __init__(
        self,
        api: EventsApi,
        noted: Callable[[str], None] = lambda _result: None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._noted = noted
        self._clock = clock
        self._waiting: deque[Written] = deque()
        self._known: OrderedDict[tuple[str, Event], Written] = OrderedDict()  # by the site's uid
        self._allowances: OrderedDict[str, tuple[float, float]] = OrderedDict()  # by the site's uid: how many, when
        self._closing_until: float | None = None  # monotonic
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Write what waits, for so long at most, and stop. A request that hangs is not waited for."""
        with self._changed:
            self._closing_until = time.monotonic() + seconds
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def tell(
        self, site: StaticSite, before: StaticSiteStatus | None, after: StaticSiteStatus, deployment: Deployment | None
    ) -> None:
        """Write soon what is new between two statuses of the site."""
        for event in events.news(before, after, deployment):
            self._put(site, event)

    def _put(self, site: StaticSite, event: Event) -> None:
        metadata, now = site.metadata, datetime.now(UTC)
        name = f"{metadata.name}.{uuid.uuid4().hex[:16]}"
        with self._changed:
            if not self._may_say_more(metadata.uid):
                self._noted("withheld")
                return
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._noted("dropped")
            self._waiting.append(Written(metadata.namespace, name, metadata.uid, metadata.name, event, now, now))
            self._changed.notify_all()

    def _may_say_more(self, uid: str) -> bool:
        """A site that is well and fails in turns does not fill the API."""
        now = self._clock()
        left, since = self._allowances.pop(uid, (float(ALLOWANCE), now))
        left = min(ALLOWANCE, left + (now - since) / GAIN_SECONDS)
        may = left >= 1
        self._allowances[uid] = (left - 1 if may else left, now)
        if len(self._allowances) > _MOST_SITES:
            self._allowances.popitem(last=False)
        return may

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
                self._noted("failed")
                log.warning("event_not_written", site=f"{each.namespace}/{each.site_name}", error=str(error))
            except Exception:  # a bug must not stop the others' Events
                self._noted("failed")
                log.exception("event_crashed", site=f"{each.namespace}/{each.site_name}")
            else:
                failures = 0
                self._noted("written")

    def _write(self, new: Written) -> None:
        key = (new.site_uid, new.event)
        known = self._known.get(key)
        written = replace(known, last=new.last, count=known.count + 1) if known else new
        if known is None or not self._api.count(written):
            self._api.create(new)
            written = new
        self._known[key] = written
        self._known.move_to_end(key)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _take(self) -> Written | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing_until is not None)
            late = self._closing_until is not None and time.monotonic() > self._closing_until
            return self._waiting.popleft() if self._waiting and not late else None

    def _give_back(self, each: Written, seconds: float) -> None:
        """Its turn comes again after a while, unless newer ones have taken its place."""
        with self._changed:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.appendleft(each)
            else:
                self._noted("dropped")
            self._changed.wait_for(lambda: self._closing_until is not None, seconds)
