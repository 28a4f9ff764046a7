"""How soon a request for a sync is followed: at once, unless they come in floods (W3). Pure, in monotonic seconds."""

import math
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

NEAR_SECONDS = 0.1  # between two syncs of a source, as long as little is asked for
CROWD = 20  # requests of whatever source within a second: then they are answered before they are followed,
LATER_SECONDS = 1.0  # so much later,
CROWDED_SECONDS = 2.0  # and as long between the syncs of a source
ALLOWANCE = 60  # syncs of a source so soon after each other; when it is used up, there is one in
FLOOD_SECONDS = 10.0  # as long, which is also how fast it is gained back
_MOST_KEYS = 10_000
K = TypeVar("K", bound=Hashable)


@dataclass
class _Past:
    counted: float
    before: float = -math.inf  # when the sync before the last was due
    due: float = -math.inf
    allowance: float = ALLOWANCE


class Pace(Generic[K]):
    """Remembers when the syncs of each source were due; of sources that are not heard of, the oldest are forgotten."""

    def __init__(self) -> None:
        self._past: OrderedDict[K, _Past] = OrderedDict()
        self._lately: deque[float] = deque(maxlen=CROWD)

    def when(self, key: K, now: float) -> float:
        """When a request of now is to be followed."""
        past = self._past.pop(key, None) or _Past(now)
        self._past[key] = past
        if len(self._past) > _MOST_KEYS:
            self._past.popitem(last=False)
        later, gap = (LATER_SECONDS, CROWDED_SECONDS) if self._is_crowded(now) else (0.0, NEAR_SECONDS)
        allowance = min(ALLOWANCE, past.allowance + (now - past.counted) / FLOOD_SECONDS)
        past.before, past.due = past.due, max(now + later, past.due + gap, now + (1 - allowance) * FLOOD_SECONDS)
        past.allowance, past.counted = allowance - 1, now
        return past.due

    def again(self, key: K, now: float) -> float:
        """The same of a request that finds one waiting: it changes nothing, but that it may be one of a crowd's."""
        past = self._past.get(key)
        if past is None:
            return self.when(key, now)
        if self._is_crowded(now):
            past.due = max(past.due, past.before + CROWDED_SECONDS)
        return past.due

    def _is_crowded(self, now: float) -> bool:
        self._lately.append(now)
        return len(self._lately) == CROWD and now - self._lately[0] <= 1
