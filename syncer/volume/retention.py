"""Which releases that are not live any more are kept, and for how long.

The grace time is for those who still read a release, and for nodes that see a swapped link late (F7). It is counted
from when this process saw the release go, on a clock that cannot jump: wall clocks do (F21). How long a release is kept
beyond that is a matter of taste, so the wall clock will do.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import structlog

from pages.api import SiteKey
from syncer.disk.policy import DiskPolicy
from syncer.volume import records
from syncer.volume.layout import Volume, stamp_of
from syncer.volume.usage import Usages

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Old:
    """A release that is not live: for how many seconds, by either clock; ``whole`` where it could be live again."""

    site: SiteKey
    name: str
    seen_seconds: float
    wall_seconds: float
    whole: bool


class Retention:
    """Deletes releases. ``ticks`` is monotonic, ``clock`` is the time of day."""

    def __init__(
        self,
        volume: Volume,
        usages: Usages,
        policy: DiskPolicy,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._volume = volume
        self._usages = usages
        self._policy = policy
        self._clock = clock
        self._ticks = ticks
        self._off_since: dict[tuple[SiteKey, str], float] = {}
        self.kept = 0  # releases that are not live, when we last collected

    def retire(self, site: SiteKey, name: str) -> None:
        """The release is not live any more, from now on."""
        self._off_since[site, name] = self._ticks()
        record = records.path_of(self._volume.home(site) / name)
        if record.exists():
            record.touch()  # for a later process

    def revive(self, site: SiteKey, name: str) -> None:
        """The release is live now."""
        self._off_since.pop((site, name), None)

    def collect(self) -> None:
        """Delete what nobody reads any more, by age and number."""
        known = set()
        for site in self._volume.homes():
            old = list(self._old(site))
            known |= {(site, each.name) for each in old}
            if self._collect(site, old):
                self._usages.site(site)  # here, and not when somebody waits for a push
        self._off_since = {key: since for key, since in list(self._off_since.items()) if key in known}
        self.kept = len(self._off_since)

    def press(self, enough: Callable[[], bool], sites: Iterable[SiteKey] | None = None) -> None:
        """Delete the oldest of what else would be kept, of these sites or of all, until there is enough room.

        Whoever has no room may trust the wall clock: a process that has just started knows no better.
        """
        homes = self._volume.homes() if sites is None else sites
        old = [each for site in homes for each in self._old(site)]
        grace = self._policy.grace_seconds
        for each in sorted(old, key=lambda each: stamp_of(each.name)):
            if enough():
                return
            if max(each.seen_seconds, each.wall_seconds) >= grace:
                log.info("release_removed_early", site=str(each.site), release=each.name)
                self._remove(each)

    def _collect(self, site: SiteKey, old: list[_Old]) -> bool:
        """Whether anything was deleted of a site that is live."""
        kept, removed = 0, False
        live = self._volume.live_release(site)
        most = self._policy.keep_releases if live else 0
        for each in old:
            keep = each.whole and kept < most and each.wall_seconds < self._policy.keep_seconds
            kept += keep
            if not keep and each.seen_seconds >= self._policy.grace_seconds:
                self._remove(each)
                removed = True
        if live is None:
            self._volume.remove_home(site)  # once nothing is in it
        return removed and live is not None

    def _old(self, site: SiteKey) -> Iterator[_Old]:
        """The site's releases that are not live, newest first."""
        live = self._volume.live_release(site)
        for name in self._volume.releases(site):
            if name != live:
                folder = self._volume.home(site) / name
                try:
                    touched = records.path_of(folder).stat().st_mtime
                    whole = folder.is_dir()
                except FileNotFoundError:
                    touched, whole = stamp_of(name), False
                now = self._ticks()
                seen = now - self._off_since.setdefault((site, name), now)
                yield _Old(site, name, seen, self._clock() - touched, whole)

    def _remove(self, old: _Old) -> None:
        self._volume.remove_release(old.site, old.name)
        self._off_since.pop((old.site, old.name), None)
        self._usages.forget(old.site)
