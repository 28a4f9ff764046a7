"""The last events of each site, in memory only. They contain nothing that statuses do not."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pages.api import StaticSite
from syncer.clocks import Clock, SystemClock
from syncer.errors import SiteDeleted
from syncer.outcome import Outcome, Published
from syncer.recorder import Recorder
from syncer.remembered import Remembered

_MOST_SITES = 10_000
_MOST_LINES = 20
_MOST_CHARACTERS = 500


@dataclass(frozen=True)
class JournalEntry:
    """One line. A repeated event is one line, with the number of ``times`` and the last time."""

    time: datetime
    ok: bool
    event: str
    text: str
    times: int = 1


class Journal(Recorder):
    """The lines of all sites, used by all threads. The site without events for longest is forgotten first."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lines: Remembered[str, deque[JournalEntry]] = Remembered(_MOST_SITES)  # by the site's uid
        self._lock = threading.Lock()

    def outcome_reported(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002 - a Recorder's
        """Add a line, unless the sync found nothing new."""
        if isinstance(outcome, SiteDeleted):
            return
        if isinstance(outcome, Published):
            if outcome.changed:
                release = outcome.release
                content, commit = release.content, release.origin.commit[:12]
                files = f"{content.files:,} {'file' if content.files == 1 else 'files'}"
                what = f"commit {commit} went live: {files}, {content.size:,} bytes"
                self._put(site.metadata.uid, ok=True, event="Published", text=what)
            elif self._failed_last(site.metadata.uid):
                text = f"commit {outcome.release.origin.commit[:12]} is live"
                self._put(site.metadata.uid, ok=True, event="Synced", text=text)
            return
        self._put(site.metadata.uid, ok=False, event=outcome.reason, text=str(outcome))

    def of(self, uid: str) -> Sequence[JournalEntry]:
        """The site's lines, newest first."""
        with self._lock:
            return tuple(reversed(self._lines.get(uid) or ()))

    def _failed_last(self, uid: str) -> bool:
        with self._lock:
            lines = self._lines.get(uid)
            return not lines[-1].ok if lines else False

    def _put(self, uid: str, *, ok: bool, event: str, text: str) -> None:
        entry = JournalEntry(datetime.fromtimestamp(self._clock.now(), UTC), ok, event, text[:_MOST_CHARACTERS])
        with self._lock:
            lines = self._lines.get(uid) or deque(maxlen=_MOST_LINES)
            if lines and replace(lines[-1], time=entry.time, times=1) == entry:
                entry = replace(entry, times=lines.pop().times + 1)
            lines.append(entry)
            self._lines.put(uid, lines)
