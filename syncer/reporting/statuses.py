"""What was said of each site last: what is new is written, and told."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pages.api import ReleaseStatus, StaticSite, StaticSiteStatus
from syncer.publishing.release import Outcome, Published
from syncer.reporting import history, status
from syncer.reporting.events import Deployment, Tell
from syncer.reporting.observed_routes import Routing, Routings
from syncer.reporting.status_writer import StatusWriter
from syncer.volume.releases import Releases


@dataclass(frozen=True)
class Speech:
    """How statuses are worded: the address of a domain, a site's token, and how often ``lastSync`` alone is news."""

    base_url: status.BaseURL = status.public_base_url
    sync_token: Callable[[StaticSite], str | None] = lambda _site: None
    heartbeat: timedelta = status.HEARTBEAT


@dataclass(frozen=True)
class _Said:
    """The status that a site has, or will have once it is written, and what it was made of besides git."""

    generation: int
    routing: Routing
    status: StaticSiteStatus


class Statuses:
    """Any thread may call. ``tell`` is told of each status that was made anew, with the one before."""

    def __init__(self, writer: StatusWriter, releases: Releases, speech: Speech, tell: Tell) -> None:
        self._writer = writer
        self._releases = releases
        self._speech = speech
        self._tell = tell
        self._routings = Routings()
        self._said: dict[str, _Said] = {}  # by the site's uid
        self._lock = threading.Lock()

    def follow(self, sites: Mapping[str, StaticSite], routings: Routings) -> None:
        """These are the sites by uid now, and what the hooks made of them."""
        with self._lock:
            self._routings = routings
            self._said = {uid: said for uid, said in self._said.items() if uid in sites}

    def all(self) -> dict[str, StaticSiteStatus]:
        """By the site's uid."""
        with self._lock:
            return {uid: said.status for uid, said in self._said.items()}

    def on(self, site: StaticSite) -> StaticSite:
        """The site with its latest status."""
        with self._lock:
            said = self._said.get(site.metadata.uid)
        return site.model_copy(update={"status": said.status}) if said else site

    def say(self, site: StaticSite, outcome: Outcome | None, seconds: float = 0.0) -> None:
        """Say how the site is; with an outcome, after a sync that took so long."""
        releases = self._history(self.on(site), outcome)  # not while the lock is held: a volume may hang
        with self._lock:
            routing, said = self._routings.of(site), self._said.get(site.metadata.uid)
            if said and outcome is None and (said.generation, said.routing) == (site.metadata.generation, routing):
                return
            known = said.status if said else site.status
            new = status.build(
                site.model_copy(update={"status": known}),
                outcome,
                routing,
                datetime.now(UTC),
                base_url=self._speech.base_url,
                sync_token=self._speech.sync_token(site),
                releases=releases,
            )
            write = status.says_something_new(new, known, self._speech.heartbeat)
            kept = new if write or not known else known
            self._said[site.metadata.uid] = _Said(site.metadata.generation, routing, kept)
            if write:
                self._writer.put(site, new)
        self._tell(site, known, new, Deployment(outcome, seconds) if isinstance(outcome, Published) else None)

    def _history(self, before: StaticSite, outcome: Outcome | None) -> list[ReleaseStatus] | None:
        """What has been live, where it may have changed."""
        if outcome is None and not history.is_of_another_spec(before):
            return None
        return history.read(
            self._releases, before, outcome.release.origin.commit if isinstance(outcome, Published) else None
        )
