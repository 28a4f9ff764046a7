"""Takes deliveries: who sent it, which sites it is about, and what follows from it.

The platform's secret speaks for every site, a site's token for that site alone (W7). The payload is a hint: it says
which sites to look at sooner, and what is fetched is what their StaticSites say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

import structlog

from pages.api import SiteKey, StaticSite
from syncer.sources import Source, source_of
from syncer.webhooks import Event, Forge, Headers, refs
from syncer.webhooks.bodies import Body, NotADelivery
from syncer.webhooks.forgejo import FORGEJO
from syncer.webhooks.generic import GENERIC
from syncer.webhooks.gitea import GITEA
from syncer.webhooks.github import GITHUB
from syncer.webhooks.gitlab import GITLAB
from syncer.webhooks.matching import LatestIndex
from syncer.webhooks.record import Delivery, Record
from syncer.webhooks.trust import Trust

log = structlog.get_logger(__name__)

FORGES: Mapping[str, Forge] = {each.name: each for each in (FORGEJO, GITEA, GITHUB, GITLAB, GENERIC)}
# A large body that names a repository of many sites would be hashed once for each of their tokens.
_MOST_HASHED_BYTES = 64 << 20
_MOST_ID_CHARACTERS = 200
_REFUSED = "refused: signed neither with the platform's webhook secret nor with this site's syncToken"


class NotSigned(Exception):
    """Neither the platform's secret nor the token of a site that the delivery is about has signed it."""


@dataclass(frozen=True)
class Answer:
    """What the forge is told; ``sites`` are those that are queued."""

    status: Literal["queued", "ignored", "duplicate"]
    message: str
    sites: tuple[SiteKey, ...] = ()


class SyncRequests(Protocol):
    """Where syncs are requested."""

    def put(self, sources: Iterable[Source]) -> None:
        """Request a sync of each source."""


class Receiver:
    """Takes deliveries about the sites of the ``index``, and requests their syncs."""

    def __init__(self, trust: Trust, index: LatestIndex, requests: SyncRequests, record: Record) -> None:
        self._trust = trust
        self._index = index
        self._requests = requests
        self._record = record

    def receive(self, forge: Forge, headers: Headers, content_type: str, raw: bytes) -> Answer:
        """Act on a delivery. Raises UnknownContentType, NotADelivery and NotSigned, in this order."""
        body = forge.unpack(content_type, raw)
        if self._trust.platform_secret and forge.is_signed(headers, body.signed, self._trust.platform_secret):
            sender = "platform"
            event = forge.parse(headers, body.json)
            sites = self._index.latest().find(event.urls)
        else:
            event, site = self._signed_by_site(forge, headers, body)
            sender, sites = site.metadata.uid, [site]
        if (name := _delivery_id(forge, headers)) and not self._record.is_new((sender, forge.name, name)):
            return Answer("duplicate", "this delivery was taken before")
        answer = self._act(event, sites)
        self._take_note(forge, event, sites, answer)
        return answer

    def _signed_by_site(self, forge: Forge, headers: Headers, body: Body) -> tuple[Event, StaticSite]:
        """What is parsed here is signed by nobody yet: it only says whose tokens to try."""
        try:
            event = forge.parse(headers, body.json)
        except NotADelivery as error:
            raise NotSigned from error
        sites = self._index.latest().find(event.urls)
        for site in sites[: _MOST_HASHED_BYTES // max(1, len(body.signed))]:
            token = self._trust.sync_token(site)
            if token and forge.is_signed(headers, body.signed, token.encode()):
                return event, site
        log.info("delivery_refused", forge=forge.name, sites=len(sites))
        refused = Delivery(datetime.now(UTC), forge.name, refs.shown(event.name), _REFUSED)
        for site in sites:
            self._record.put_refused(site.metadata.uid, refused)
        raise NotSigned

    def _act(self, event: Event, sites: list[StaticSite]) -> Answer:
        pinned = [site for site in sites if event.tag and site.spec.revision == event.tag]
        if event.branch is None and not pinned:
            return Answer("ignored", event.ignored)
        if not sites:
            shown = refs.shown(event.urls[0]) if event.urls else "that the delivery does not name"
            return Answer("ignored", f"no site matches: none has the repository {shown}")
        wanted = pinned or [each for each in sites if each.spec.branch == event.branch and not each.spec.revision]
        if not wanted:
            followed = ", ".join(sorted({_followed(site) for site in sites})[:10])
            pushed = refs.shown(event.branch or "")
            return Answer("ignored", f"no site matches: none has branch {pushed} of this repository, only {followed}")
        if not (awake := [site for site in wanted if not site.spec.suspend]):
            return Answer("ignored", f"{_count(len(wanted))} suspended (spec.suspend)")
        wanted = awake
        self._requests.put(source_of(site) for site in wanted)
        return Answer("queued", f"queued: {_count(len(wanted))}", tuple(site.site_key for site in wanted))

    def _take_note(self, forge: Forge, event: Event, sites: list[StaticSite], answer: Answer) -> None:
        name = refs.shown(event.name)
        log.info("delivery", forge=forge.name, delivery=name, status=answer.status, sites=len(answer.sites))
        now, queued = datetime.now(UTC), set(answer.sites)
        for site in sites:
            outcome = "queued" if site.site_key in queued else _why_not(event, site)
            self._record.put(site.metadata.uid, Delivery(now, forge.name, name, outcome))


def _delivery_id(forge: Forge, headers: Headers) -> str:
    sent = (headers.get(name) for name in forge.delivery_headers)
    return next((each for each in sent if each), "")[:_MOST_ID_CHARACTERS]


def _why_not(event: Event, site: StaticSite) -> str:
    if event.branch is None:
        return f"ignored: {event.ignored}"
    return f"ignored: branch {refs.shown(event.branch)} was pushed, and this site is made of {_followed(site)}"


def _followed(site: StaticSite) -> str:
    return f"{site.spec.revision} (spec.revision)" if site.spec.revision else site.spec.branch


def _count(sites: int) -> str:
    return "1 site" if sites == 1 else f"{sites} sites"
