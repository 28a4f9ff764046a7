"""Remembers deliveries: each is accepted once, and the last few of every site are shown to its owner.

In memory: a restart forgets them, and a delivery that is accepted twice costs one request to the git server.
"""

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pages.conditions import format_time
from syncer.remembered import Remembered

_MOST_IDS = 10_000
_MOST_SITES = 10_000
_MOST_OF_A_SITE = 10


@dataclass(frozen=True)
class Delivery:
    """A delivery as its site's owner sees it; it contains no secret."""

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
    """The deliveries of all sites, bounded: the oldest are forgotten. Used by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: Remembered[Hashable, None] = Remembered(_MOST_IDS)
        self._last: Remembered[str, tuple[Delivery, ...]] = Remembered(_MOST_SITES)  # by the site's uid, newest first
        self._refused: Remembered[str, Delivery] = Remembered(_MOST_SITES)  # apart, because strangers can fill it

    def is_new(self, delivery: Hashable) -> bool:
        """Whether this is the first call for the delivery, which forges repeat (W3)."""
        with self._lock:
            new = delivery not in self._ids
            self._ids.put(delivery, None)
            return new

    def put(self, uid: str, delivery: Delivery) -> None:
        """Remember a delivery about the site."""
        with self._lock:
            before = self._last.get(uid) or ()
            self._last.put(uid, (delivery, *before[: _MOST_OF_A_SITE - 1]))

    def put_refused(self, uid: str, delivery: Delivery) -> None:
        """Remember the last delivery about the site with a missing or wrong signature."""
        with self._lock:
            self._refused.put(uid, delivery)

    def last(self, uid: str) -> Delivery | None:
        """The site's last delivery."""
        with self._lock:
            return next(iter(self._last.get(uid) or ()), None)

    def recent(self, uid: str) -> list[Delivery]:
        """The site's last deliveries and the last refused one, newest first."""
        with self._lock:
            deliveries = [*(self._last.get(uid) or ()), *filter(None, [self._refused.get(uid)])]
        return sorted(deliveries, key=lambda delivery: delivery.time, reverse=True)

    def last_refused(self, uid: str) -> Delivery | None:
        """The last refused delivery about the site."""
        with self._lock:
            return self._refused.get(uid)
