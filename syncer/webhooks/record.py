"""What became of deliveries: each is taken once, and the last few of every site are remembered.

In memory: a restart forgets them, and a delivery that is taken twice costs one look at the branch.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pages.conditions import format_time

_MOST_IDS = 10_000
_MOST_SITES = 10_000
_MOST_OF_A_SITE = 10
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class Delivery:
    """A delivery as its site's owner may see it; nothing in it is secret."""

    time: datetime
    forge: str
    event: str
    outcome: str

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "time": format_time(self.time),
            "forge": self.forge,
            "event": self.event,
            "outcome": self.outcome,
        }


class Record:
    """All memories are bounded: the oldest are forgotten. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: OrderedDict[Hashable, None] = OrderedDict()
        self._last: OrderedDict[str, tuple[Delivery, ...]] = OrderedDict()  # by the site's uid, the newest first
        self._refused: OrderedDict[str, Delivery] = OrderedDict()  # anybody can fill it

    def is_new(self, delivery: Hashable) -> bool:
        """Whether this was never asked of the delivery before (W3)."""
        with self._lock:
            new = delivery not in self._ids
            _put(self._ids, delivery, None, _MOST_IDS)
            return new

    def put(self, uid: str, delivery: Delivery) -> None:
        """Remember a delivery about the site."""
        with self._lock:
            _put(self._last, uid, (delivery, *self._last.get(uid, ())[: _MOST_OF_A_SITE - 1]), _MOST_SITES)

    def put_refused(self, uid: str, delivery: Delivery) -> None:
        """Remember the last delivery about the site that was not signed as it must be."""
        with self._lock:
            _put(self._refused, uid, delivery, _MOST_SITES)

    def last(self, uid: str) -> Delivery | None:
        """The site's last delivery."""
        with self._lock:
            return next(iter(self._last.get(uid, ())), None)

    def recent(self, uid: str) -> list[Delivery]:
        """The site's last deliveries and the last that was refused, newest first."""
        with self._lock:
            found = [*self._last.get(uid, ()), *filter(None, [self._refused.get(uid)])]
        return sorted(found, key=lambda delivery: delivery.time, reverse=True)

    def last_refused(self, uid: str) -> Delivery | None:
        """The last delivery about the site that was refused."""
        with self._lock:
            return self._refused.get(uid)


def _put(memory: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > most:
        memory.popitem(last=False)
