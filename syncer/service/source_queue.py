"""The sources of all sites, and which of them is synced next: the schedule, with a clock and a lock."""

import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence

import structlog

from pages.api import SiteKey, StaticSite
from syncer import sources
from syncer.errors import Busy, SyncError, TimedOut, Unreachable
from syncer.outcome import Outcome
from syncer.publishing.source import Groups
from syncer.schedule.lanes import Backlog, Backoff, Capacity, EntrySpec, Result, Run
from syncer.schedule.schedule import Schedule
from syncer.sources import Source
from syncer.wakeup import Wakeup

log = structlog.get_logger(__name__)

_DEATHS_FORGIVEN = 2  # a machine may stop at any time


class SourceQueue:
    """Rings the ``wakeup`` when there may be something new to take. From any thread."""

    def __init__(self, capacity: Capacity, backoff: Backoff, wakeup: Wakeup) -> None:
        self.capacity = capacity
        self._wakeup = wakeup
        self._schedule: Schedule[Source] = Schedule(capacity, backoff)
        self._groups: Groups = {}
        self._deaths: dict[str, int] = {}  # by mirror
        self._lock = threading.Lock()

    def expect_deaths(self, deaths: Mapping[str, int]) -> None:
        """Hold new sources back if the syncer has died over their mirrors this often in a row."""
        with self._lock:
            self._deaths = dict(deaths)

    def follow(self, groups: Groups) -> list[Source]:
        """Queue exactly these sources from now on; return those that are new or whose sites have changed."""
        with self._lock:
            now = time.monotonic()
            changed = [each for each in groups if _versions(groups[each]) != _versions(self._groups.get(each, ()))]
            self._groups = groups
            self._schedule.keep({source: _entry_spec(source, sites) for source, sites in groups.items()}, now)
            for source in changed:
                self._schedule.hasten(source, now)
            self._hold_back_the_deadly(now)
            return changed

    def hasten(self, requested: Iterable[Source]) -> None:
        """Sync these now, or once more if they are being synced; unknown sources are ignored."""
        with self._lock:
            for source in requested:
                self._schedule.hasten(source, time.monotonic())
        self._wakeup.ring()

    def hasten_sites(self, keys: Sequence[SiteKey]) -> None:
        """Sync the sources of these sites now."""
        with self._lock:
            groups = self._groups
        self.hasten(source for source, sites in groups.items() if any(site.site_key in keys for site in sites))

    def take_due(self) -> list[tuple[Run[Source], Groups]]:
        """What to sync now, as far as the capacity allows, with its sites; each needs a call of ``finished``."""
        with self._lock:
            runs = self._schedule.take_due(time.monotonic())
            return [(run, {source: self._groups[source] for source in run.keys}) for run in runs]

    def finished(self, run: Run[Source], outcomes: Mapping[Source, Sequence[Outcome]]) -> None:
        """The run is over."""
        now = time.monotonic()
        with self._lock:
            for error in _errors(each for group in outcomes.values() for each in group):
                if isinstance(error, Busy):
                    self._schedule.pause(run.host, error.seconds, now)
            self._schedule.finished(run, {source: _result(each) for source, each in outcomes.items()}, now)
        self._wakeup.ring()

    def next_look(self) -> float | None:
        """When ``take_due`` may have something new, in monotonic seconds, unless the wakeup rings before."""
        with self._lock:
            return self._schedule.next_look(time.monotonic())

    def seconds_until_sync(self) -> dict[str, float | None]:
        """The time until each site is next synced, by its uid."""
        with self._lock:
            now = time.monotonic()
            return {
                site.metadata.uid: self._schedule.seconds_until(source, now)
                for source, sites in self._groups.items()
                for site in sites
            }

    def backlog(self) -> Backlog:
        """How much waits."""
        with self._lock:
            return self._schedule.backlog(time.monotonic())

    def _hold_back_the_deadly(self, now: float) -> None:
        """If the syncer may have died of a source more than once in a row, others are synced first (F34)."""
        for source in self._groups if self._deaths else ():
            if (deaths := self._deaths.get(source.mirror_id, 0)) >= _DEATHS_FORGIVEN:
                log.warning("source_held_back", repo=source.repo, branch=source.branch, deaths=deaths)
                self._schedule.hold_back(source, deaths - _DEATHS_FORGIVEN + 1, now)
        for source in self._groups:
            self._deaths.pop(source.mirror_id, None)


def _entry_spec(source: Source, sites: Sequence[StaticSite]) -> EntrySpec:
    interval = sources.interval(source, sites).total_seconds()
    # A commit needs no question that others have, and should not wait for their answer.
    group = (source.mirror_id, source.commit) if source.commit else source.mirror_id
    return EntrySpec(interval, group, source.host, sources.payer(sites))


def _errors(outcomes: Iterable[Outcome]) -> list[SyncError]:
    return [each for each in outcomes if isinstance(each, SyncError)]


def _result(outcomes: Sequence[Outcome]) -> Result:
    errors = _errors(outcomes)
    at_most = min((error.retry_within_seconds for error in errors), default=math.inf)
    answers = not any(isinstance(error, Unreachable | TimedOut) for error in errors)
    return Result(well=bool(outcomes) and not errors, at_most=at_most, host_answers=answers)


def _versions(sites: Sequence[StaticSite]) -> list[tuple[str, str, int, str]]:
    """What makes a sync due at once when it changes."""
    return sorted((site.key, site.metadata.uid, site.metadata.generation, site.requested_at) for site in sites)
