"""What is due, when again, and whose turn it is. Times are monotonic seconds; nothing here waits, runs or locks."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from random import Random
from typing import Generic

from syncer.schedule.host_health import HostHealth
from syncer.schedule.lanes import Backlog, Backoff, Blocked, Capacity, Entry, EntrySpec, K, Result, Run
from syncer.schedule.waiting import Waiting


class Schedule(Generic[K]):
    """Keys that become due: at once when new, then at their interval, later and later while they fail.

    New and hastened keys come first, and those that are late by a whole interval; among these, namespaces take turns.
    A host that hangs delays no other for long: it has at most ``per_host`` workers, keys that failed have at most half
    of all (F32), and a run that takes longer than ``slow_seconds`` lets another start. The random numbers spread every
    wait, so that sites are not synced in step.
    """

    def __init__(
        self, capacity: Capacity | None = None, backoff: Backoff | None = None, random: Random | None = None
    ) -> None:
        self._capacity = capacity or Capacity()
        self._backoff = backoff or Backoff()
        self._random = random or Random()  # noqa: S311 - jitter
        self._entries: dict[K, Entry[K]] = {}
        self._groups: defaultdict[Hashable, dict[K, Entry[K]]] = defaultdict(dict)
        self._waiting: Waiting[K] = Waiting()
        self._runs: set[Run[K]] = set()
        self._busy: dict[Hashable, list[Entry[K]]] = {}  # groups that run, and what became due meanwhile
        self._hosts = HostHealth()
        self._turns: dict[tuple[str, str], int] = {}  # when each namespace, and each host, had its last
        self._numbers = itertools.count()

    def keep(self, specs: Mapping[K, EntrySpec], now: float) -> None:
        """Follow exactly these keys; a new one is due now, a shorter interval counts at once."""
        for key in [key for key in self._entries if key not in specs]:
            self._remove(self._entries.pop(key))
        for key, spec in specs.items():
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = Entry(key, spec, due=now)
                self._groups[spec.group][key] = entry
                self._waiting.put(entry, now)
            elif spec != entry.spec:
                self._change(entry, spec, now)
        parties = {("namespace", spec.namespace) for spec in specs.values()}
        parties |= {("host", spec.host) for spec in specs.values()}
        self._turns = {party: turn for party, turn in self._turns.items() if party in parties}
        self._hosts.keep({spec.host for spec in specs.values()})

    def hasten(self, key: K, now: float) -> None:
        """Make the key due now; one that is being run is run once more, however often this is asked."""
        if entry := self._entries.get(key):
            entry.urgent = True
            if entry.running:
                entry.again = True
            else:
                self._waiting.put(entry, min(entry.due, now))

    def hold_back(self, key: K, failures: int, now: float) -> None:
        """Treat a new key as one that has failed so often (F34)."""
        if entry := self._entries.get(key):
            entry.failures, entry.urgent = failures, False
            self._waiting.put(entry, now + self._spread(self._backoff.seconds(failures, entry.spec.interval)))

    def pause(self, host: str, seconds: float, now: float) -> None:
        """Run nothing at the host for so long (``Retry-After``)."""
        self._hosts.pause(host, seconds, now)

    def take_due(self, now: float) -> list[Run[K]]:
        """What to run now, as far as the capacity allows; each key is held back until ``finished``."""
        for entry in self._waiting.take_due(now):
            if entry.spec.group in self._busy:
                self._busy[entry.spec.group].append(entry)
            else:
                self._waiting.enter_lane(entry)
        started = []
        while (run := self._start_next(now)) is not None:
            started.append(run)
        return started

    def finished(self, run: Run[K], results: Mapping[K, Result], now: float) -> None:
        """The run is over: each key is due again after its interval, or after a growing wait if it failed."""
        self._runs.discard(run)
        for key in run.keys:
            entry = self._entries.get(key)
            if entry is None or not entry.running:  # it was removed, and maybe added again, meanwhile
                continue
            result = results.get(key, Result(well=False))
            self._hosts.note(run.host, now, answers=result.host_answers)
            entry.note(result)
            due = now if entry.again else now + self._spread(self._wait_after(entry, result))
            entry.urgent, entry.again = entry.again, False
            self._waiting.put(entry, due)
        for entry in self._busy.pop(run.group, []):
            if not entry.running and not entry.removed:
                self._waiting.put(entry, entry.due)

    def seconds_until(self, key: K, now: float) -> float | None:
        """How long until the key is run again: 0 while it is run or waits for a turn, None if it is not followed."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        return 0.0 if entry.running else max(0.0, entry.due - now)

    def next_look(self, now: float) -> float | None:
        """When ``take_due`` may have something new, unless a run ends before."""
        due = self._waiting.next_due()
        moments = [] if due is None else [due]
        if self._waiting.lanes:
            slow = self._capacity.slow_seconds
            moments += self._hosts.paused(now).values()
            moments += [run.since + slow for run in self._runs if run.since + slow > now]
        return min(moments, default=None)

    def backlog(self, now: float) -> Backlog:
        """How much there is to do, and how late it is."""
        entries = self._entries.values()
        since = [entry.due for entry in entries if not entry.running and entry.due <= now]
        running = sum(entry.running for entry in entries)
        return Backlog(len(entries), running, len(since), now - min(since, default=now))

    def _change(self, entry: Entry[K], spec: EntrySpec, now: float) -> None:
        sooner = spec.interval < entry.spec.interval and not entry.failures
        self._waiting.leave(entry)
        entry.spec = spec
        if not entry.running:
            due = min(entry.due, now + self._spread(spec.interval)) if sooner else entry.due
            self._waiting.put(entry, due)

    def _remove(self, entry: Entry[K]) -> None:
        entry.removed = True
        self._waiting.leave(entry)
        group = self._groups[entry.spec.group]
        del group[entry.key]
        if not group:
            del self._groups[entry.spec.group]

    def _start_next(self, now: float) -> Run[K] | None:
        slow = {run for run in self._runs if now - run.since >= self._capacity.slow_seconds}
        working = len(self._runs) - min(len(slow), self._capacity.slow)
        if not self._waiting.lanes or working >= self._capacity.workers:
            return None
        blocked = self._blocked(slow, now)
        lanes = self._waiting.lanes.items()
        heads = [next(iter(entries.values())) for lane, entries in lanes if not blocked.blocks(lane)]
        if not heads:
            return None
        first = min(heads, key=lambda entry: self._rank(entry, now))
        return self._start(first, now, suspect=bool(first.lane and blocked.is_suspect(first.lane)))

    def _blocked(self, slow: set[Run[K]], now: float) -> Blocked:
        hosts = Counter(run.host for run in self._runs)
        namespaces = Counter(run.namespace for run in self._runs)
        hanging = {run for run in slow if not self._hosts.has_answered(run.host, run.since)}
        full = {host for host, number in hosts.items() if number >= self._capacity.per_host}
        return Blocked(
            hosts=full | self._hosts.paused(now).keys(),
            namespaces={each for each, number in namespaces.items() if number >= self._capacity.per_namespace},
            suspects=sum(run.suspect or run in hanging for run in self._runs) >= self._capacity.suspects,
            bad_hosts={*self._hosts.bad, *(run.host for run in hanging)},
        )

    def _rank(self, entry: Entry[K], now: float) -> tuple[bool, int, int, float]:
        spec = entry.spec
        urgent = entry.urgent or now - entry.due > spec.interval
        turns = (self._turns.get(("namespace", spec.namespace), -1), self._turns.get(("host", spec.host), -1))
        return (not urgent, *turns, entry.due)

    def _start(self, first: Entry[K], now: float, *, suspect: bool) -> Run[K]:
        """Run an entry with all of its group that do well: they cost one question to the server."""
        spec = first.spec
        together = [each for each in self._groups[spec.group].values() if not each.failures or each.due <= now]
        together.sort(key=lambda entry: entry.failures)
        for entry in together:
            self._waiting.leave(entry)
            entry.running = True
        run = Run(tuple(each.key for each in together), spec.group, spec.host, spec.namespace, suspect, now)
        self._runs.add(run)
        self._busy[spec.group] = []
        self._turns["namespace", spec.namespace] = self._turns["host", spec.host] = next(self._numbers)
        return run

    def _wait_after(self, entry: Entry[K], result: Result) -> float:
        if result.well:
            return entry.spec.interval
        seconds = self._backoff.seconds(entry.failures, entry.spec.interval)
        return min(seconds, result.at_most / (1 + self._backoff.jitter))

    def _spread(self, seconds: float) -> float:
        return self._backoff.spread(seconds, self._random.random())
