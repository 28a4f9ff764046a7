"""What is due, when again, and whose turn it is. Times are monotonic seconds; nothing here waits, runs or locks."""

import heapq
import itertools
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, Self, TypeVar

from syncer.schedule.host_health import HostHealth

FIRST_BACKOFF_SECONDS = 30.0
MAX_BACKOFF_SECONDS = 1800.0
JITTER = 0.2
SLOW_SECONDS = 5.0

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Capacity:
    """How many runs there are at a time: in all, at one host, and of one namespace."""

    workers: int = 4
    per_host: int = 3
    per_namespace: int = 3

    @classmethod
    def of(cls, workers: int, per_host: int | None = None, per_namespace: int | None = None) -> Self:
        """Unless said otherwise, no host and no namespace has the last worker."""
        most = max(1, workers - 1)
        return cls(workers, per_host or most, per_namespace or most)

    @property
    def suspects(self) -> int:
        """Those whose last run failed, or who are new at a host that fails or hangs."""
        return max(1, self.workers // 2)

    @property
    def slow(self) -> int:
        """Those that have run for longer than others should wait; they do not count as workers."""
        return self.workers


@dataclass(frozen=True)
class Wish:
    """How often a key is to be run, and where it stands: what shares a ``group`` is run together."""

    interval: float
    group: Hashable
    host: str
    namespace: str


@dataclass(frozen=True)
class Result:
    """How a run went for one key: whether its host answered, and if it failed, how long the next waits at most."""

    well: bool
    at_most: float = float("inf")
    host_answers: bool = True


@dataclass(eq=False)
class Run(Generic[K]):
    """Keys of one group, which one worker runs together."""

    keys: tuple[K, ...]
    group: Hashable
    host: str
    namespace: str
    suspect: bool
    since: float


class _Lane(NamedTuple):
    """Entries that are held up, or not, by the same things."""

    namespace: str
    host: str
    proven: bool
    failed: bool
    urgent: bool


@dataclass(frozen=True)
class _Closed:
    """Where there is no room for one more run."""

    hosts: set[str]
    namespaces: set[str]
    suspects: bool
    bad_hosts: set[str]

    def to(self, lane: _Lane) -> bool:
        closed = lane.host in self.hosts or lane.namespace in self.namespaces
        return closed or (self.suspects and self.suspect(lane))

    def suspect(self, lane: _Lane) -> bool:
        """A site that did well once is not blamed for its host: another site may be to blame."""
        return lane.failed or (not lane.proven and lane.host in self.bad_hosts)


@dataclass(eq=False)
class _Entry(Generic[K]):
    key: K
    wish: Wish
    due: float
    failures: int = 0
    proven: bool = False
    running: bool = False
    urgent: bool = True  # new, or somebody waits for it
    again: bool = False
    lane: _Lane | None = None


class Backlog(NamedTuple):
    """How many keys there are, are run, and are due without being run; how long the oldest of these has been."""

    keys: int
    running: int
    due: int
    oldest_seconds: float


class Schedule(Generic[K]):
    """Keys that fall due: at once when new, then at their interval, later and later while they fail.

    New and hastened ones come first, and what is late by a whole interval; among these, namespaces take turns. A host
    that hangs holds up nobody else for long: it has at most ``per_host`` workers, what failed has at most half of all
    (F32), and what runs for more than 5 s makes room for another. ``random`` gives numbers from 0 to 1; every wait is
    spread by 20 % either way so that sites do not march in step.
    """

    def __init__(self, random: Callable[[], float], capacity: Capacity | None = None) -> None:
        self._random = random
        self._capacity = capacity or Capacity()
        self._entries: dict[K, _Entry[K]] = {}
        self._groups: defaultdict[Hashable, dict[K, _Entry[K]]] = defaultdict(dict)
        self._waiting: list[tuple[float, int, _Entry[K]]] = []  # a heap; entries that have moved on are passed over
        self._lanes: defaultdict[_Lane, OrderedDict[K, _Entry[K]]] = defaultdict(OrderedDict)  # what is due
        self._runs: set[Run[K]] = set()
        self._busy: dict[Hashable, list[_Entry[K]]] = {}  # groups that run, and what fell due meanwhile
        self._hosts = HostHealth()
        self._turns: dict[tuple[str, str], int] = {}  # when each namespace, and each host, had its last
        self._numbers = itertools.count()

    def keep(self, wishes: Mapping[K, Wish], now: float) -> None:
        """Follow exactly these keys; a new one is due now, a shorter interval counts at once."""
        for key in [key for key in self._entries if key not in wishes]:
            self._forget(self._entries.pop(key))
        for key, wish in wishes.items():
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(key, wish, due=now)
                self._groups[wish.group][key] = entry
                self._wait(entry, now)
            elif wish != entry.wish:
                self._change(entry, wish, now)
        known = {("namespace", wish.namespace) for wish in wishes.values()}
        known |= {("host", wish.host) for wish in wishes.values()}
        self._turns = {each: turn for each, turn in self._turns.items() if each in known}
        self._hosts.keep({wish.host for wish in wishes.values()})

    def hasten(self, key: K, now: float) -> None:
        """Make the key due now; one that is running is run once more, however often this is asked."""
        if entry := self._entries.get(key):
            entry.urgent = True
            if entry.running:
                entry.again = True
            else:
                self._wait(entry, min(entry.due, now))

    def hold_back(self, key: K, failures: int, now: float) -> None:
        """Treat a new key as one that has failed so often (F34)."""
        if entry := self._entries.get(key):
            entry.failures, entry.urgent = failures, False
            self._wait(entry, now + self._spread(self._backoff(entry)))

    def pause(self, host: str, seconds: float, now: float) -> None:
        """Run nothing at the host for so long (``Retry-After``)."""
        self._hosts.pause(host, seconds, now)

    def take_due(self, now: float) -> list[Run[K]]:
        """What to run now, as far as there is room for it; each is held back until ``finished``."""
        self._gather(now)
        started = []
        while (run := self._start_next(now)) is not None:
            started.append(run)
        return started

    def finished(self, run: Run[K], results: Mapping[K, Result], now: float) -> None:
        """The run is over: each key is due again after its interval, or after a growing wait if it failed."""
        self._runs.discard(run)
        for key in run.keys:
            entry = self._entries.get(key)
            if entry is None or not entry.running:  # it went and came back meanwhile
                continue
            result = results.get(key, Result(well=False))
            self._hosts.note(run.host, now, answers=result.host_answers)
            entry.running = False
            entry.proven = entry.proven or result.well
            entry.failures = 0 if result.well else entry.failures + 1
            wait = entry.wish.interval if result.well else min(self._backoff(entry), result.at_most / (1 + JITTER))
            due = now if entry.again else now + self._spread(wait)
            entry.urgent, entry.again = entry.again, False
            self._wait(entry, due)
        for entry in self._busy.pop(run.group, []):
            if not entry.running and self._entries.get(entry.key) is entry:
                self._wait(entry, entry.due)

    def seconds_until(self, key: K, now: float) -> float | None:
        """How long until the key is run again, if it is followed; nothing is left of that while it runs or waits."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        return 0.0 if entry.running else max(0.0, entry.due - now)

    def next_look(self, now: float) -> float | None:
        """When ``take_due`` may have something new, if no run ends before."""
        self._drop_stale()
        moments = [self._waiting[0][0]] if self._waiting else []
        if self._lanes:
            moments += self._hosts.paused(now).values()
            moments += [run.since + SLOW_SECONDS for run in self._runs if run.since + SLOW_SECONDS > now]
        return min(moments, default=None)

    def backlog(self, now: float) -> Backlog:
        """How much there is to do, and how late we are with it."""
        entries = self._entries.values()
        since = [entry.due for entry in entries if not entry.running and entry.due <= now]
        running = sum(entry.running for entry in entries)
        return Backlog(len(entries), running, len(since), now - min(since, default=now))

    def _change(self, entry: _Entry[K], wish: Wish, now: float) -> None:
        sooner = wish.interval < entry.wish.interval and not entry.failures
        self._leave_lane(entry)
        entry.wish = wish
        if not entry.running:
            self._wait(entry, min(entry.due, now + self._spread(wish.interval)) if sooner else entry.due)

    def _forget(self, entry: _Entry[K]) -> None:
        self._leave_lane(entry)
        group = self._groups[entry.wish.group]
        del group[entry.key]
        if not group:
            del self._groups[entry.wish.group]

    def _wait(self, entry: _Entry[K], due: float) -> None:
        self._leave_lane(entry)
        entry.due = due
        heapq.heappush(self._waiting, (due, next(self._numbers), entry))

    def _drop_stale(self) -> None:
        while self._waiting and not self._is_current(*self._waiting[0]):
            heapq.heappop(self._waiting)

    def _is_current(self, due: float, _number: int, entry: _Entry[K]) -> bool:
        waits = not entry.running and entry.lane is None and entry.due == due
        return waits and self._entries.get(entry.key) is entry

    def _gather(self, now: float) -> None:
        """Put what has fallen due into its lane."""
        while self._waiting and self._waiting[0][0] <= now:
            item = heapq.heappop(self._waiting)
            if self._is_current(*item):
                entry, wish = item[2], item[2].wish
                if wish.group in self._busy:
                    self._busy[wish.group].append(entry)
                    continue
                entry.lane = _Lane(wish.namespace, wish.host, entry.proven, entry.failures > 0, entry.urgent)
                self._lanes[entry.lane][entry.key] = entry

    def _leave_lane(self, entry: _Entry[K]) -> None:
        if entry.lane is not None:
            lane = self._lanes[entry.lane]
            del lane[entry.key]
            if not lane:
                del self._lanes[entry.lane]
            entry.lane = None

    def _start_next(self, now: float) -> Run[K] | None:
        slow = {run for run in self._runs if now - run.since >= SLOW_SECONDS}
        if not self._lanes or len(self._runs) - min(len(slow), self._capacity.slow) >= self._capacity.workers:
            return None
        closed = self._closed(slow, now)
        heads = [next(iter(entries.values())) for lane, entries in self._lanes.items() if not closed.to(lane)]
        if not heads:
            return None
        first = min(heads, key=lambda entry: self._rank(entry, now))
        return self._start(first, now, suspect=bool(first.lane and closed.suspect(first.lane)))

    def _closed(self, slow: set[Run[K]], now: float) -> _Closed:
        hosts = Counter(run.host for run in self._runs)
        namespaces = Counter(run.namespace for run in self._runs)
        hanging = {run for run in slow if not self._hosts.has_answered(run.host, run.since)}
        return _Closed(
            hosts={host for host, number in hosts.items() if number >= self._capacity.per_host}
            | self._hosts.paused(now).keys(),
            namespaces={each for each, number in namespaces.items() if number >= self._capacity.per_namespace},
            suspects=sum(run.suspect or run in hanging for run in self._runs) >= self._capacity.suspects,
            bad_hosts={*self._hosts.bad, *(run.host for run in hanging)},
        )

    def _rank(self, entry: _Entry[K], now: float) -> tuple[bool, int, int, float]:
        wish = entry.wish
        urgent = entry.urgent or now - entry.due > wish.interval
        turns = (self._turns.get(("namespace", wish.namespace), -1), self._turns.get(("host", wish.host), -1))
        return (not urgent, *turns, entry.due)

    def _start(self, first: _Entry[K], now: float, *, suspect: bool) -> Run[K]:
        """Run an entry with all of its group that do well: the question to the server is the same one."""
        wish = first.wish
        together = [each for each in self._groups[wish.group].values() if not each.failures or each.due <= now]
        together.sort(key=lambda entry: entry.failures)
        for entry in together:
            self._leave_lane(entry)
            entry.running = True
        run = Run(tuple(each.key for each in together), wish.group, wish.host, wish.namespace, suspect, now)
        self._runs.add(run)
        self._busy[wish.group] = []
        self._turns[("namespace", wish.namespace)] = self._turns[("host", wish.host)] = next(self._numbers)
        return run

    def _backoff(self, entry: _Entry[K]) -> float:
        first = min(FIRST_BACKOFF_SECONDS, entry.wish.interval)
        return min(first * 2.0 ** min(entry.failures - 1, 16), MAX_BACKOFF_SECONDS)

    def _spread(self, seconds: float) -> float:
        return seconds * (1 - JITTER + 2 * JITTER * self._random())
