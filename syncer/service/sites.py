"""The StaticSites in the store: which exist, which may be published, and which have to go offline."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from pages.api import StaticSite
from syncer import sources
from syncer.errors import SyncError
from syncer.publishing.release import CurrentSites
from syncer.sources import Source
from syncer.stores import Snapshot, Store
from syncer.volume.releases import Releases

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Seen:
    """A site with its latest status, and the seconds until its source is next synced, unless it is suspended."""

    site: StaticSite
    next_look: float | None = None


class _Listed(NamedTuple):
    """The latest snapshot of the store, and its sites by uid."""

    snapshot: Snapshot
    by_uid: Mapping[str, StaticSite]


class Sites(CurrentSites):
    """The sites as of the latest snapshot of the store. From any thread."""

    def __init__(self, store: Store, releases: Releases) -> None:
        self._store = store
        self._releases = releases
        self._listed = _Listed(Snapshot(complete=False), {})  # replaced as a whole

    def follow_store(self) -> Snapshot:
        """Take a new snapshot, and return it."""
        snapshot = self._store.snapshot()
        self._listed = _Listed(snapshot, {site.metadata.uid: site for site in snapshot.sites})
        return snapshot

    def by_uid(self) -> Mapping[str, StaticSite]:
        """The sites by uid; a different mapping after each change."""
        return self._listed.by_uid

    def sources(self) -> list[Source] | None:
        """The sources of all sites, or None if there may be more of them."""
        snapshot = self._listed.snapshot
        return list(sources.group(snapshot.sites)) if snapshot.complete else None

    def current(self, site: StaticSite) -> StaticSite | None:
        """The site as it is now; None if it was deleted, even while it was being synced (F26)."""
        key, (snapshot, by_uid) = site.site_key, self._listed
        gone = (snapshot.complete or key in snapshot.deleted) and key not in snapshot.unreadable
        return by_uid.get(site.metadata.uid, None if gone else site)

    def may_publish(self, site: StaticSite) -> bool:
        """Whether the site still exists with the same source, and is not suspended."""
        current = self.current(site)
        return (
            current is not None
            and not current.spec.suspend
            and (sources.source_of(current), current.spec.path) == (sources.source_of(site), site.spec.path)
        )

    def take_removed_offline(self) -> None:
        """Stop serving sites that were deleted, and what other sites have left under the name of a suspended one."""
        snapshot = self._listed.snapshot
        existing = {site.site_key for site in snapshot.sites} | snapshot.unreadable
        suspended = {site.site_key: site for site in snapshot.sites if site.spec.suspend}
        with _logged("sites_not_listed"):
            for key in self._releases.sites():
                if key not in existing and (snapshot.complete or key in snapshot.deleted):
                    log.info("site_removed", site=str(key))
                    with _logged("site_not_removed", site=str(key)):
                        self._releases.take_offline(key)
                elif key in suspended:  # no sync will notice that it is another site's content (N3)
                    self._take_offline_unless(suspended[key], own=True)

    def take_leftover_offline(self, site: StaticSite) -> None:
        """Take a deleted site offline, but not a newer one with the same name (F26)."""
        self._take_offline_unless(site, own=False)

    def _take_offline_unless(self, site: StaticSite, *, own: bool) -> None:
        """Take what is live under the site's name offline, unless it is the site's own, or unless it is not."""
        with _logged("site_not_removed", site=site.key):
            live = self._releases.origin(site.site_key)
            is_own = live is None or live.uid == site.metadata.uid
            if is_own != own:
                self._releases.take_offline(site.site_key)


@contextmanager
def _logged(event: str, **fields: str) -> Iterator[None]:
    try:
        yield
    except (SyncError, OSError) as error:
        log.warning(event, error=str(error), **fields)
