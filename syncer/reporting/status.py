"""What we say at a StaticSite, and why: pure, from what git, the volume and the hooks say of it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pages import conditions, names, validation
from pages.api import ReleaseStatus, SiteRules, StaticSite, StaticSiteStatus, VirtualHostSpec
from pages.conditions import Condition, condition
from syncer.content import rule_files, tree
from syncer.errors import SiteClosed
from syncer.publishing.release import Outcome, Published
from syncer.reporting.observed_routes import Routing, aliases_ready, rules_ready

HEARTBEAT = timedelta(hours=1)


BaseURL = Callable[[VirtualHostSpec], str]


def public_base_url(host: VirtualHostSpec) -> str:
    """Where visitors find a domain: https where it has TLS, the scheme's own port."""
    return f"{'https' if host.tls else 'http'}://{host.domain}"


def build(
    site: StaticSite,
    outcome: Outcome | None,
    routing: Routing,
    now: datetime,
    *,
    base_url: BaseURL = public_base_url,
    sync_token: str | None = None,
    releases: Sequence[ReleaseStatus] | None = None,
) -> StaticSiteStatus:
    """The site's new status; without an outcome, git's part is what the status says already.

    Without ``releases``, these are what they were.
    """
    before = site.status or StaticSiteStatus()
    synced = _suspended(before) if site.spec.suspend else _synced(site, outcome, before)
    fresh = [synced, _ingress(site, routing), _certificate(site, routing)]
    beside = [*aliases_ready(site, routing), *rules_ready(routing)]
    ready = _ready(fresh, beside)
    stamped = conditions.stamp(
        [ready, *fresh, *beside], before.conditions, generation=site.metadata.generation, now=now
    )
    published = outcome.release if isinstance(outcome, Published) else None
    found = SiteRules.model_validate(published.rules or {}) if published else before.rules
    return StaticSiteStatus(
        observed_generation=site.metadata.generation,
        phase="Suspended" if site.spec.suspend else _phase(stamped),
        message=ready.message,
        url=f"{base_url(routing.host.spec)}{routing.path_prefix}/" if routing.host else None,
        last_sync=now if published else before.last_sync,
        last_commit=published.commit if published else before.last_commit,
        last_handled_request=(site.requested_at if outcome else before.last_handled_request) or None,
        sync_token=sync_token,
        releases=before.releases if releases is None else list(releases),
        conditions=stamped,
        resources=routing.route.resources if routing.route else None,
        rules=found,
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


def _suspended(before: StaticSiteStatus) -> Condition:
    if before.last_commit is None:
        return condition("Synced", False, "Suspended", "nothing is published: set spec.suspend to false to begin")
    text = f"commit {before.last_commit[:12]} stays live while spec.suspend is true"
    return condition("Synced", True, "Suspended", text)


def _synced(site: StaticSite, outcome: Outcome | None, before: StaticSiteStatus) -> Condition:
    if outcome is None:
        known = conditions.find(before.conditions, "Synced")
        if known is None:
            return condition("Synced", None, "Pending", "waiting for the first sync")
        if known.observed_generation != site.metadata.generation:
            return condition("Synced", None, "Pending", "the StaticSite was changed and is being synced")
        return known
    if isinstance(outcome, Published):
        left_out = tree.describe(outcome.release.skipped)
        note = f"; not published: {left_out}" if left_out else ""
        wrong = rule_files.describe(SiteRules.model_validate(outcome.release.rules or {}))
        note += f"; rules to look at: {wrong}" if wrong else ""
        return condition("Synced", True, "Synced", f"commit {outcome.release.commit[:12]} is live{_pinned(site)}{note}")
    stays = "; the last good release stays live" if before.last_commit and not isinstance(outcome, SiteClosed) else ""
    remedy = f"\n{outcome.remedy}" if outcome.remedy else ""
    return condition("Synced", False, outcome.reason, f"{outcome}{stays}{remedy}")


def _pinned(site: StaticSite) -> str:
    """That pushes are not followed, for whoever waits for one."""
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
    """Why what the hooks have said so far does not speak of the site as it is now."""
    platform, host = routing.platform, routing.host
    if platform is None:
        return condition(
            type_,
            None,
            "NoPlatform",
            "there is no Platform in the system namespace; ask the administrator to create one",
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
            type_, None, "PlatformInvalid", f"ask the administrator to mend the Platform: {mistake.message}"
        )
    return condition(type_, None, "Pending", waiting)


def _of_host(routing: Routing, type_: str, waiting: str) -> Condition:
    status = routing.host.status if routing.host else None
    found = conditions.find(status.conditions, type_) if status else None
    return found or condition(type_, None, "Pending", waiting)


def _ready(parts: Sequence[Condition], beside: Sequence[Condition]) -> Condition:
    """The first thing that is wrong, else the first that is open, else all is well: aliases and rules spoil nothing."""
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
