"""What is due, and when again. Times are monotonic seconds; nothing here waits, runs or locks."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

FIRST_BACKOFF_SECONDS = 30.0
MAX_BACKOFF_SECONDS = 1800.0
JITTER = 0.2

K = TypeVar("K", bound=Hashable)


@dataclass
class _Entry:
    interval: float
    due: float
    failures: int = 0
    running: bool = False
    urgent: bool = True  # new, or somebody waits for it
    again: bool = False


class Schedule(Generic[K]):
    """Keys that fall due: at once when new, then at their interval, later and later while they fail.

    ``random`` gives numbers from 0 to 1; every wait is spread by 20 % either way so that sites do not march in step.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._entries: dict[K, _Entry] = {}

    def keep(self, intervals: Mapping[K, float], now: float) -> None:
        """Follow exactly these keys; a new one is due now, a shorter interval counts at once."""
        for key in [key for key in self._entries if key not in intervals]:
            del self._entries[key]
        for key, interval in intervals.items():
            entry = self._entries.setdefault(key, _Entry(interval, due=now))
            if interval < entry.interval and not entry.failures:
                entry.due = min(entry.due, now + self._spread(interval))
            entry.interval = interval

    def hasten(self, key: K, now: float) -> None:
        """Make the key due now; one that is running is run once more, however often this is asked."""
        if entry := self._entries.get(key):
            entry.due = min(entry.due, now)
            entry.urgent = True
            entry.again = entry.running

    def take_due(self, now: float, most: int | None = None) -> list[K]:
        """The keys to run now, at ``most`` so many; each is held back until ``finished``.

        New and hastened ones come first, so that no round of idle looks holds up a new site; then what waits longest.
        """
        due = [key for key, entry in self._entries.items() if entry.due <= now and not entry.running]
        due.sort(key=lambda key: (not self._entries[key].urgent, self._entries[key].due))
        due = due[:most]
        for key in due:
            self._entries[key].running = True
        return due

    def finished(self, key: K, now: float, *, well: bool, at_most: float = float("inf")) -> None:
        """The key has run: due again after its interval, or after a growing wait (``at_most`` so long) if it failed."""
        entry = self._entries.get(key)
        if entry is None:
            return
        entry.running = False
        entry.failures = 0 if well else entry.failures + 1
        wait = self._spread(entry.interval if well else min(self._backoff(entry), at_most / (1 + JITTER)))
        entry.due = now if entry.again else now + wait
        entry.urgent, entry.again = entry.again, False

    def next_due(self) -> float | None:
        """When the next key that is not running falls due."""
        return min((entry.due for entry in self._entries.values() if not entry.running), default=None)

    def _backoff(self, entry: _Entry) -> float:
        first = min(FIRST_BACKOFF_SECONDS, entry.interval)
        return min(first * 2.0 ** min(entry.failures - 1, 16), MAX_BACKOFF_SECONDS)

    def _spread(self, seconds: float) -> float:
        return seconds * (1 - JITTER + 2 * JITTER * self._random())
