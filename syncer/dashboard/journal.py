"""What happened to each site of late: a few lines, in memory, forgotten by a restart. They hold what statuses hold."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pages.api import StaticSite
from syncer.errors import SiteDeleted
from syncer.outcome import Outcome, Published
from syncer.recorder import Recorder

_MOST_SITES = 10_000
_MOST_LINES = 20
_MOST_CHARACTERS = 500


@dataclass(frozen=True)
class Entry:
    """One line; what happens again and again is one, with the ``times`` it did and when it last did."""

    time: datetime
    ok: bool
    event: str
    text: str
    times: int = 1


class Journal(Recorder):
    """From any thread. The site that was silent for longest is forgotten first."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._lines: OrderedDict[str, deque[Entry]] = OrderedDict()  # by the site's uid
        self._lock = threading.Lock()

    def outcome_reported(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002 - a Recorder's
        """Add a line, unless the sync found nothing new."""
        if isinstance(outcome, SiteDeleted):
            return
        if isinstance(outcome, Published):
            if outcome.changed:
                release = outcome.release
                files = f"{release.files:,} {'file' if release.files == 1 else 'files'}"
                what = f"commit {release.commit[:12]} went live: {files}, {release.size:,} bytes"
                self._put(site.metadata.uid, ok=True, event="Published", text=what)
            elif self._failed_last(site.metadata.uid):
                text = f"commit {outcome.release.commit[:12]} is live"
                self._put(site.metadata.uid, ok=True, event="Synced", text=text)
            return
        self._put(site.metadata.uid, ok=False, event=outcome.reason, text=str(outcome))

    def of(self, uid: str) -> Sequence[Entry]:
        """The site's lines, newest first."""
        with self._lock:
            return tuple(reversed(self._lines.get(uid, ())))

    def _failed_last(self, uid: str) -> bool:
        with self._lock:
            lines = self._lines.get(uid)
            return not lines[-1].ok if lines else False

    def _put(self, uid: str, *, ok: bool, event: str, text: str) -> None:
        entry = Entry(self._now(), ok, event, text[:_MOST_CHARACTERS])
        with self._lock:
            lines = self._lines.setdefault(uid, deque(maxlen=_MOST_LINES))
            self._lines.move_to_end(uid)
            if lines and replace(lines[-1], time=entry.time, times=1) == entry:
                entry = replace(entry, times=lines.pop().times + 1)
            lines.append(entry)
            if len(self._lines) > _MOST_SITES:
                self._lines.popitem(last=False)
