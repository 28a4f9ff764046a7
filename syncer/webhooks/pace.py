"""How soon a requested sync starts: at once, unless requests flood in (W3). Pure, in monotonic seconds."""

import math
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from syncer.remembered import Remembered

NEAR_SECONDS = 0.1  # between two syncs of a source, while requests are few
CROWD = 20  # requests for any sources within a second; beyond that, each starts
LATER_SECONDS = 1.0  # this much later,
CROWDED_SECONDS = 2.0  # and the syncs of one source are this far apart
ALLOWANCE = 60  # syncs of a source in quick succession; when they are used up, one sync is gained in
FLOOD_SECONDS = 10.0  # this time
_MOST_KEYS = 10_000
K = TypeVar("K", bound=Hashable)


@dataclass
class _Past:
    counted: float
    before: float = -math.inf  # when the sync before the last was due
    due: float = -math.inf
    allowance: float = ALLOWANCE


class Pace(Generic[K]):
    """Remembers when the syncs of each source were due, and forgets the sources without requests for longest."""

    def __init__(self) -> None:
        self._past: Remembered[K, _Past] = Remembered(_MOST_KEYS)
        self._lately: deque[float] = deque(maxlen=CROWD)

    def when(self, key: K, now: float) -> float:
        """When a sync that is requested now starts."""
        past = self._past.get(key) or _Past(now)
        self._past.put(key, past)
        later, gap = (LATER_SECONDS, CROWDED_SECONDS) if self._is_crowded(now) else (0.0, NEAR_SECONDS)
        allowance = min(ALLOWANCE, past.allowance + (now - past.counted) / FLOOD_SECONDS)
        past.before, past.due = past.due, max(now + later, past.due + gap, now + (1 - allowance) * FLOOD_SECONDS)
        past.allowance, past.counted = allowance - 1, now
        return past.due

    def again(self, key: K, now: float) -> float:
        """The same where one is pending already: nothing changes, unless this request is one of many."""
        past = self._past.get(key)
        if past is None:
            return self.when(key, now)
        if self._is_crowded(now):
            past.due = max(past.due, past.before + CROWDED_SECONDS)
        return past.due

    def _is_crowded(self, now: float) -> bool:
        self._lately.append(now)
        return len(self._lately) == CROWD and now - self._lately[0] <= 1
