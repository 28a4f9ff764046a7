"""The status of a StaticSite: pure, from the outcome of its sync, its releases and the answer of the hooks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from pages import conditions, names, validation
from pages.api import ReleaseStatus, SiteRules, StaticSite, StaticSiteStatus, VirtualHostSpec
from pages.conditions import Condition, condition
from syncer.content import rule_files, tree
from syncer.errors import SiteClosed
from syncer.outcome import Outcome, Published
from syncer.reporting.observed_routes import Routing, aliases_ready
from syncer.webhooks.trust import Trust

HEARTBEAT = timedelta(hours=1)


class Addresses(Protocol):
    """Where visitors find the domains."""

    def base_url(self, host: VirtualHostSpec) -> str:
        """The URL of the domain, without a slash at its end."""


class PublicAddresses(Addresses):
    """The domains themselves: https where they have TLS, on the scheme's own port."""

    def base_url(self, host: VirtualHostSpec) -> str:
        """``https://www.example.com``."""
        return f"{'https' if host.tls else 'http'}://{host.domain}"


@dataclass(frozen=True)
class Wording:
    """What statuses hold besides what happened; ``heartbeat`` is when ``lastSync`` alone is worth a write."""

    addresses: Addresses = field(default_factory=PublicAddresses)
    trust: Trust = field(default_factory=Trust)
    heartbeat: timedelta = HEARTBEAT


def build(
    site: StaticSite,
    outcome: Outcome | None,
    routing: Routing,
    now: datetime,
    *,
    wording: Wording | None = None,
    releases: Sequence[ReleaseStatus] | None = None,
) -> StaticSiteStatus:
    """The site's new status; without an outcome or ``releases``, these parts stay as they are."""
    wording = wording or Wording()
    before = site.status or StaticSiteStatus()
    synced = _suspended(before) if site.spec.suspend else _synced(site, outcome, before)
    fresh = [synced, _ingress(site, routing), _certificate(site, routing)]
    beside = aliases_ready(site, routing)
    ready = _ready(fresh, beside)
    stamped = conditions.stamp(
        [ready, *fresh, *beside], before.conditions, generation=site.metadata.generation, now=now
    )
    published = outcome.release if isinstance(outcome, Published) else None
    return StaticSiteStatus(
        observed_generation=site.metadata.generation,
        phase="Suspended" if site.spec.suspend else _phase(stamped),
        message=ready.message,
        url=f"{wording.addresses.base_url(routing.host.spec)}{routing.path_prefix}/" if routing.host else None,
        last_sync=now if published else before.last_sync,
        last_commit=published.commit if published else before.last_commit,
        last_handled_request=(site.requested_at if outcome else before.last_handled_request) or None,
        sync_token=wording.trust.sync_token(site),
        releases=before.releases if releases is None else list(releases),
        conditions=stamped,
        resources=routing.route.resources if routing.route else None,
        rules=SiteRules.model_validate(published.rules or {}) if published else before.rules,
    )


def is_worth_writing(new: StaticSiteStatus, old: StaticSiteStatus | None, heartbeat: timedelta = HEARTBEAT) -> bool:
    """Whether anything has changed but ``lastSync``, which alone is written once per heartbeat.

    Each write makes Metacontroller send all sites to stage one again.
    """
    if old is None:
        return True
    if new.model_copy(update={"last_sync": None}) != old.model_copy(update={"last_sync": None}):
        return True
    if new.last_sync is None or old.last_sync is None:
        return new.last_sync != old.last_sync
    return new.last_sync - old.last_sync >= heartbeat


def _suspended(before: StaticSiteStatus) -> Condition:
    if before.last_commit is None:
        return condition("Synced", False, "Suspended", "nothing is published; set spec.suspend to false to publish")
    text = f"commit {before.last_commit[:12]} stays live while spec.suspend is true"
    return condition("Synced", True, "Suspended", text)


def _synced(site: StaticSite, outcome: Outcome | None, before: StaticSiteStatus) -> Condition:
    if outcome is None:
        current = conditions.find(before.conditions, "Synced")
        if current is None:
            return condition("Synced", None, "Pending", "waiting for the first sync")
        if current.observed_generation != site.metadata.generation:
            return condition("Synced", None, "Pending", "the StaticSite was changed and is being synced")
        return current
    if isinstance(outcome, Published):
        ignored = tree.describe(outcome.release.skipped)
        note = f"; not published: {ignored}" if ignored else ""
        mistakes = rule_files.describe(SiteRules.model_validate(outcome.release.rules or {}))
        note += f"; check these rules: {mistakes}" if mistakes else ""
        return condition("Synced", True, "Synced", f"commit {outcome.release.commit[:12]} is live{_pinned(site)}{note}")
    stays = "; the last good release stays live" if before.last_commit and not isinstance(outcome, SiteClosed) else ""
    remedy = f"\n{outcome.remedy}" if outcome.remedy else ""
    return condition("Synced", False, outcome.reason, f"{outcome}{stays}{remedy}")


def _pinned(site: StaticSite) -> str:
    """A note that pushes are not followed."""
    if not (revision := site.spec.revision):
        return ""
    tag = "" if validation.is_commit(revision) else f" to tag {revision}"
    return f", pinned{tag} by spec.revision (branch {site.spec.branch} is not followed)"


def _ingress(site: StaticSite, routing: Routing) -> Condition:
    if routing.rejection:
        return condition("IngressReady", False, routing.rejection.reason, routing.rejection.message)
    return _not_routed_yet(site, routing, "IngressReady") or _of_host(
        routing, "IngressReady", "waiting for the domain's routes"
    )


def _certificate(site: StaticSite, routing: Routing) -> Condition:
    if routing.rejection:
        return condition("CertificateReady", None, "NotRouted", "the site has no domain yet")
    return _not_routed_yet(site, routing, "CertificateReady") or _of_host(
        routing, "CertificateReady", "waiting for the domain's certificate"
    )


def _not_routed_yet(site: StaticSite, routing: Routing, type_: str) -> Condition | None:
    """Why the hooks have not routed the site as its spec is now; None if they have."""
    platform, host = routing.platform, routing.host
    if platform is None:
        return condition(
            type_,
            None,
            "NoPlatform",
            "the system namespace has no Platform; ask the administrator to create one",
        )
    domain = site.spec.host or names.default_domain(site.metadata.name, platform.spec.pages_domain)
    if host is None or (host.spec.domain, routing.path_prefix) != (domain, site.spec.path_prefix):
        waiting = f"waiting for the route to {domain}{site.spec.path_prefix}"
    elif host.status is None or host.status.observed_generation != host.metadata.generation:
        waiting = f"the routes of {domain} are being changed"
    else:
        return None
    mistake = conditions.find(platform.status.conditions if platform.status else (), "Ready")
    if mistake and mistake.reason == "InvalidSpec":
        return condition(
            type_, None, "PlatformInvalid", f"ask the administrator to fix the Platform: {mistake.message}"
        )
    return condition(type_, None, "Pending", waiting)


def _of_host(routing: Routing, type_: str, waiting: str) -> Condition:
    status = routing.host.status if routing.host else None
    reported = conditions.find(status.conditions, type_) if status else None
    return reported or condition(type_, None, "Pending", waiting)


def _ready(parts: Sequence[Condition], beside: Sequence[Condition]) -> Condition:
    """The first condition that is False, else the first that is Unknown; aliases do not count."""
    for status, ok in (("False", False), ("Unknown", None)):
        for part in parts:
            if part.status == status:
                return condition("Ready", ok, part.reason, part.message)
    wrong = "".join(f"; {each.message}" for each in beside if each.status == "False")
    return condition("Ready", True, "Ready", f"{parts[0].message}{wrong}")


def _phase(stamped: Sequence[Condition]) -> Literal["Pending", "Syncing", "Ready", "Error"]:
    match stamped[0].status:
        case "True":
            return "Ready"
        case "False":
            return "Error"
        case _:
            return "Syncing" if stamped[1].status == "Unknown" else "Pending"
