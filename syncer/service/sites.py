"""Which sites there are, as the store has them, and taking offline what is none of theirs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from pages.api import StaticSite
from syncer import sources
from syncer.errors import SyncError
from syncer.sources import Source
from syncer.stores import Snapshot
from syncer.volume.releases import Releases

log = structlog.get_logger(__name__)


class _Listed(NamedTuple):
    """What the store had when we last looked, and the sites of it by uid."""

    snapshot: Snapshot
    by_uid: Mapping[str, StaticSite]


class Sites:
    """Any thread may call."""

    def __init__(self, releases: Releases) -> None:
        self._releases = releases
        self._listed = _Listed(Snapshot(complete=False), {})  # changed as a whole

    def follow(self, snapshot: Snapshot) -> None:
        """These are the sites now."""
        self._listed = _Listed(snapshot, {site.metadata.uid: site for site in snapshot.sites})

    def by_uid(self) -> Mapping[str, StaticSite]:
        """The sites by uid; another mapping whenever they have changed."""
        return self._listed.by_uid

    def sources(self) -> list[Source] | None:
        """The sources of all sites, or None where there may be more of them."""
        snapshot = self._listed.snapshot
        return list(sources.group(snapshot.sites)) if snapshot.complete else None

    def current(self, site: StaticSite) -> StaticSite | None:
        """The site as it is now; one deleted while it was being synced must not come back to life (F26)."""
        key, (snapshot, by_uid) = site.site_key, self._listed
        gone = (snapshot.complete or key in snapshot.deleted) and key not in snapshot.unreadable
        return by_uid.get(site.metadata.uid, None if gone else site)

    def is_wanted(self, site: StaticSite) -> bool:
        """Whether a release made of the site may go live: it is there, not suspended, and made of the same."""
        current = self.current(site)
        return (
            current is not None
            and not current.spec.suspend
            and (sources.source_of(current), current.spec.path) == (sources.source_of(site), site.spec.path)
        )

    def take_offline_what_is_gone(self) -> None:
        """Stop serving what no site has any more."""
        snapshot = self._listed.snapshot
        wanted = {site.site_key for site in snapshot.sites} | snapshot.unreadable
        suspended = {site.site_key: site for site in snapshot.sites if site.spec.suspend}
        with _logged("sites_not_listed"):
            for key in self._releases.sites():
                if key not in wanted and (snapshot.complete or key in snapshot.deleted):
                    log.info("site_removed", site=str(key))
                    with _logged("site_not_removed", site=str(key)):
                        self._releases.take_offline(key)
                elif key in suspended:  # no sync will notice that it is another site's content (N3)
                    self._take_offline_what_others_left(suspended[key])

    def take_offline_what_it_left(self, site: StaticSite) -> None:
        """But not what another site of that name, created meanwhile, has published (F26)."""
        with _logged("site_not_removed", site=site.key):
            live = self._releases.live(site.site_key)
            if live is None or live.origin.uid == site.metadata.uid:
                self._releases.take_offline(site.site_key)

    def _take_offline_what_others_left(self, site: StaticSite) -> None:
        with _logged("site_not_removed", site=site.key):
            live = self._releases.live(site.site_key)
            if live and live.origin.uid != site.metadata.uid:
                self._releases.take_offline(site.site_key)


@contextmanager
def _logged(event: str, **fields: str) -> Iterator[None]:
    try:
        yield
    except (SyncError, OSError) as error:
        log.warning(event, error=str(error), **fields)
