"""How soon a request for a sync is followed: at once, unless they come in floods (W3). Pure, in monotonic seconds."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

QUIET_SECONDS = 0.5  # a request that comes after as much silence is a person's, not a flood's
GAP_SECONDS = 2.0  # between syncs in a burst
FLOOD_SECONDS = 10.0  # between syncs once the allowance is used up; it gains one in as long
ALLOWANCE = 10
_MOST_KEYS = 10_000
K = TypeVar("K", bound=Hashable)


@dataclass
class _Past:
    asked: float
    answered: float
    allowance: float = ALLOWANCE
    counted: float = 0.0


class Pace(Generic[K]):
    """Remembers when each key was asked for. One that has a sync to come need not ask again."""

    def __init__(self) -> None:
        self._past: OrderedDict[K, _Past] = OrderedDict()

    def asked(self, key: K, now: float) -> None:
        """Take note of a request that another has covered already."""
        if past := self._past.get(key):
            past.asked = now

    def when(self, key: K, now: float) -> float:
        """When the request of now is to be followed."""
        past = self._past.pop(key, None) or _Past(float("-inf"), float("-inf"), counted=now)
        self._past[key] = past
        if len(self._past) > _MOST_KEYS:
            self._past.popitem(last=False)
        past.allowance = min(ALLOWANCE, past.allowance + (now - past.counted) / FLOOD_SECONDS)
        gap = 0.0 if now - past.asked >= QUIET_SECONDS else past.answered + GAP_SECONDS - now
        past.answered = now + max(0.0, gap, (1 - past.allowance) * FLOOD_SECONDS)
        past.allowance -= 1
        past.asked = past.counted = now
        return past.answered
