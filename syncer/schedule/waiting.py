"""The entries that are not being run: first by the time at which they are due, then in their lanes."""

import heapq
import itertools
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from typing import Generic

from syncer.schedule.lanes import Entry, K, Lane


class Waiting(Generic[K]):
    """A heap of what is due later, and a queue for each lane of what is due now."""

    def __init__(self) -> None:
        self._later: list[tuple[float, int, Entry[K]]] = []  # entries that have moved on are passed over
        self._lanes: defaultdict[Lane, OrderedDict[K, Entry[K]]] = defaultdict(OrderedDict)
        self._numbers = itertools.count()

    @property
    def lanes(self) -> Mapping[Lane, OrderedDict[K, Entry[K]]]:
        """What is due now; no lane is empty."""
        return self._lanes

    def put(self, entry: Entry[K], due: float) -> None:
        """Let the entry wait until then."""
        self.leave(entry)
        entry.due = due
        heapq.heappush(self._later, (due, next(self._numbers), entry))

    def enter_lane(self, entry: Entry[K]) -> None:
        """Let an entry that is due wait in its lane."""
        spec = entry.spec
        entry.lane = Lane(spec.namespace, spec.host, entry.proven, entry.failures > 0, entry.urgent)
        self._lanes[entry.lane][entry.key] = entry

    def leave(self, entry: Entry[K]) -> None:
        """Take the entry out of its lane, if it is in one."""
        if entry.lane is not None:
            lane = self._lanes[entry.lane]
            del lane[entry.key]
            if not lane:
                del self._lanes[entry.lane]
            entry.lane = None

    def take_due(self, now: float) -> Iterator[Entry[K]]:
        """The entries that have become due, in order."""
        while (due := self.next_due()) is not None and due <= now:
            yield heapq.heappop(self._later)[2]

    def next_due(self) -> float | None:
        """When the next entry becomes due."""
        while self._later and not _waits(self._later[0][2], self._later[0][0]):
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None


def _waits(entry: Entry[K], due: float) -> bool:
    return not entry.running and not entry.removed and entry.lane is None and entry.due == due
