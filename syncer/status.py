"""What we say at a StaticSite, and why: pure, from what git, the volume and the hooks say of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from pages import conditions
from pages.api import Platform, Rejection, RouteStatus, StaticSite, StaticSiteStatus, VirtualHost, VirtualHostSpec
from pages.conditions import Condition, condition
from syncer import tree
from syncer.sync import Outcome, Published

HEARTBEAT = timedelta(hours=1)


@dataclass(frozen=True)
class Routing:
    """What the hooks made of a site: its VirtualHost and its place there, or why it has none."""

    host: VirtualHost | None = None
    path_prefix: str = ""
    route: RouteStatus | None = None
    rejection: Rejection | None = None


SiteName = tuple[str, str]
NOT_ROUTED = Routing()


def routings(platform: Platform | None, hosts: Sequence[VirtualHost]) -> dict[SiteName, Routing]:
    """What the hooks answered, by the namespace and name of the site; a site of which they know nothing is absent."""
    found: dict[SiteName, Routing] = {}
    for host in hosts:
        resources = {(each.site.namespace, each.site.name): each for each in host.status.routes} if host.status else {}
        for route in host.spec.routes:
            name = (route.site.namespace, route.site.name)
            found[name] = Routing(host, route.path_prefix, resources.get(name))
    for rejection in platform.status.rejections if platform and platform.status else ():
        name = (rejection.namespace, rejection.name)
        found[name] = replace(found.get(name, NOT_ROUTED), rejection=rejection)
    return found


BaseURL = Callable[[VirtualHostSpec], str]


def public_base_url(host: VirtualHostSpec) -> str:
    """Where visitors find a domain: https where it has TLS, the scheme's own port."""
    return f"{'https' if host.tls else 'http'}://{host.domain}"


def build(
    site: StaticSite,
    outcome: Outcome | None,
    routing: Routing,
    now: datetime,
    base_url: BaseURL = public_base_url,
) -> StaticSiteStatus:
    """The site's new status; without an outcome, git's part is what the status says already."""
    before = site.status or StaticSiteStatus()
    fresh = [_synced(outcome, before), _ingress(routing), _certificate(routing)]
    ready = _ready(fresh)
    stamped = conditions.stamp([ready, *fresh], before.conditions, generation=site.metadata.generation, now=now)
    published = outcome.release if isinstance(outcome, Published) else None
    return StaticSiteStatus(
        observed_generation=site.metadata.generation,
        phase=_phase(stamped, before),
        message=ready.message,
        url=f"{base_url(routing.host.spec)}{routing.path_prefix}/" if routing.host else None,
        last_sync=now if published else before.last_sync,
        last_commit=published.commit if published else before.last_commit,
        sync_token=before.sync_token,
        conditions=stamped,
        resources=routing.route.resources if routing.route else None,
    )


def says_something_new(new: StaticSiteStatus, old: StaticSiteStatus | None, heartbeat: timedelta = HEARTBEAT) -> bool:
    """Whether a write is due: any change but ``lastSync``, which alone is refreshed once per heartbeat.

    Each write makes Metacontroller send all sites to stage one again.
    """
    if old is None:
        return True
    if new.model_copy(update={"last_sync": None}) != old.model_copy(update={"last_sync": None}):
        return True
    if new.last_sync is None or old.last_sync is None:
        return new.last_sync != old.last_sync
    return new.last_sync - old.last_sync >= heartbeat


def _synced(outcome: Outcome | None, before: StaticSiteStatus) -> Condition:
    if outcome is None:
        known = conditions.find(before.conditions, "Synced")
        return known or condition("Synced", None, "Pending", "waiting for the first sync")
    if isinstance(outcome, Published):
        left_out = tree.describe(outcome.release.skipped)
        note = f"; not published: {left_out}" if left_out else ""
        return condition("Synced", True, "Synced", f"commit {outcome.release.commit[:12]} is live{note}")
    stays = "; the last good release stays live" if before.last_commit else ""
    return condition("Synced", False, outcome.reason, f"{outcome}{stays}")


def _ingress(routing: Routing) -> Condition:
    if routing.rejection:
        return condition("IngressReady", False, routing.rejection.reason, routing.rejection.message)
    return _of_host(routing, "IngressReady", "waiting for the domain's routes")


def _certificate(routing: Routing) -> Condition:
    if routing.rejection:
        return condition("CertificateReady", None, "NotRouted", "the site has no domain yet")
    return _of_host(routing, "CertificateReady", "waiting for the domain's certificate")


def _of_host(routing: Routing, type_: str, waiting: str) -> Condition:
    status = routing.host.status if routing.host else None
    found = conditions.find(status.conditions, type_) if status else None
    return found or condition(type_, None, "Pending", waiting)


def _ready(parts: Sequence[Condition]) -> Condition:
    """The first thing that is wrong, else the first that is open, else all is well."""
    for status, ok in (("False", False), ("Unknown", None)):
        for part in parts:
            if part.status == status:
                return condition("Ready", ok, part.reason, part.message)
    return condition("Ready", True, "Ready", parts[0].message)


def _phase(stamped: Sequence[Condition], before: StaticSiteStatus) -> Literal["Pending", "Syncing", "Ready", "Error"]:
    match stamped[0].status:
        case "True":
            return "Ready"
        case "False":
            return "Error"
        case _:
            return "Syncing" if before.last_commit is None and stamped[1].status == "Unknown" else "Pending"
