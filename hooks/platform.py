"""Stage one: from a Platform and all StaticSites to one VirtualHost per domain, and the Platform's status."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from hooks import certificates, claims, payload
from hooks.claims import Claim, Decision
from hooks.invalid_parent import keep_children
from hooks.payload import CERTIFICATE, NAMESPACE, STATIC_SITE, VIRTUAL_HOST, NotAHookRequest
from hooks.routes import Routes
from pages import api, conditions, mistakes, names
from pages.api import (
    ALLOW_LOCAL,
    API_VERSION,
    HeldRemoval,
    Object,
    Platform,
    PlatformSpec,
    Rejection,
    SiteKey,
    StaticSite,
)
from pages.conditions import Condition, condition

DEFAULT_HOLD = timedelta(minutes=5)
# The brake: an answer that removes more VirtualHosts than both of these numbers is put on hold.
HELD_ABOVE = 10
HELD_ABOVE_SHARE = 0.5
MAX_REJECTIONS = 500
_SHORT_HOLD = timedelta(seconds=1)


def customize(request: Mapping[str, Any]) -> Object:
    """Answer ``/platform/customize``: the objects that stage one needs. Raises NotAHookRequest.

    The answer always includes namespaces. If it depended on the namespaceSelector, a mistake there could remove
    objects from the next request, which would look like a mass removal.
    """
    payload.parent(request, "Platform")
    return {
        "relatedResources": [
            {"apiVersion": API_VERSION, "resource": "staticsites", "labelSelector": {}},
            {"apiVersion": "v1", "resource": "namespaces", "labelSelector": {}},
        ]
    }


def sync(
    request: Mapping[str, Any], *, now: datetime, hold: timedelta = DEFAULT_HOLD, allow_local: bool = False
) -> Object:
    """Answer ``/platform/sync``. Raises NotAHookRequest.

    A mass removal is put on hold for ``hold``. With ``allow_local``, a repository may be a folder of this machine.
    """
    parent = payload.parent(request, "Platform")
    observed = _observed_hosts(payload.objects(request, "children", VIRTUAL_HOST))
    sites = _related_sites(request, observed)
    namespaces = payload.objects(request, "related", NAMESPACE)
    try:
        platform = Platform.model_validate({**parent, "status": None})
    except ValidationError as error:
        kept = [*observed.values(), *payload.objects(request, "children", CERTIFICATE)]
        message = f"{mistakes.explain(error)[0][1]}; nothing changes until it is fixed"
        return keep_children(parent, kept, message, now)
    valid, invalid = _read(sites, allow_local=allow_local)
    decision = _decide(platform.spec, valid, invalid, namespaces, observed)
    desired = _virtual_hosts(platform.spec, decision, observed, Routes(decision, valid, observed))
    brake = _brake(parent, desired, observed, now=now, hold=hold)
    hosts = desired | {name: payload.bare(host) for name, host in observed.items()} if brake else desired
    children = [hosts[name] for name in sorted(hosts)]
    if certificate := certificates.wildcard_certificate(platform.spec):
        children.append(certificate)
    status = api.PlatformStatus(
        observed_generation=platform.metadata.generation,
        sites=len(sites),
        virtual_hosts=len(hosts),
        rejected=sum(each.alias is None for each in decision.rejections),
        rejections=decision.rejections[:MAX_REJECTIONS],
        held_removal=brake,
        conditions=conditions.stamp(
            _conditions(brake),
            payload.conditions(parent),
            generation=payload.metadata(parent).get("generation"),
            now=now,
        ),
    )
    answer: Object = {"status": status.dump(), "children": children}
    if brake:
        answer["resyncAfterSeconds"] = max((brake.since + hold - now).total_seconds(), _SHORT_HOLD.total_seconds())
    return answer


def _related_sites(request: Mapping[str, Any], observed: Mapping[str, Object]) -> list[Object]:
    """All StaticSites. If some are routed, a missing list is an error and does not mean an empty one."""
    sites = payload.objects(request, "related", STATIC_SITE)
    if observed and STATIC_SITE not in request["related"]:
        raise NotAHookRequest(f"related.{STATIC_SITE} is missing, although the customize hook requests it")
    return sites


def _observed_hosts(children: Iterable[Object]) -> dict[str, Object]:
    return {payload.metadata(child).get("name", ""): child for child in children}


def _read(
    sites: Iterable[Object], *, allow_local: bool
) -> tuple[dict[SiteKey, StaticSite], list[tuple[Object, ValidationError]]]:
    """The sites with a valid spec, without their status, and the others with their mistakes."""
    valid: dict[SiteKey, StaticSite] = {}
    invalid = []
    for site in sites:
        if payload.metadata(site).get("deletionTimestamp"):
            continue
        try:
            read = StaticSite.model_validate({**site, "status": None}, context={ALLOW_LOCAL: allow_local})
        except ValidationError as error:
            invalid.append((site, error))
        else:
            valid[read.site_key] = read
    return valid, invalid


def _decide(
    spec: PlatformSpec,
    valid: Mapping[SiteKey, StaticSite],
    invalid: Iterable[tuple[Object, ValidationError]],
    namespaces: Iterable[Object],
    observed: Mapping[str, Object],
) -> Decision:
    """The decision about all claims. A site with an invalid spec keeps the routes of its last valid one."""
    held = _held_claims(observed)
    site_claims = [claim for site in valid.values() for claim in _claims(site, spec)]
    site_claims += [claim for site, _ in invalid for claim in held.get(str(payload.metadata(site).get("uid")), [])]
    decision = claims.decide(
        site_claims,
        spec,
        {(claim.domain, claim.path_prefix): uid for uid, own in held.items() for claim in own},
        {payload.metadata(each).get("name", ""): payload.metadata(each).get("labels") or {} for each in namespaces},
    )
    decision.rejections += [_rejection(site, error) for site, error in invalid]
    decision.rejections.sort(key=lambda rejection: (rejection.namespace, rejection.name, rejection.alias or ""))
    return decision


def _held_claims(observed: Mapping[str, Object]) -> dict[str, list[Claim]]:
    """The claims of the observed routes, by the uid of their site."""
    held: dict[str, list[Claim]] = {}
    for domain, host in observed.items():
        routes = payload.spec(host).get("routes")
        for route in routes if isinstance(routes, list) else []:
            site = route.get("site", {})
            uid = site.get("uid")
            if uid:
                is_alias = bool(route.get("redirectTo"))
                claim = Claim(
                    site["namespace"], site["name"], uid, domain, route.get("pathPrefix", ""), is_alias=is_alias
                )
                held.setdefault(uid, []).append(claim)
    return held


def _claims(site: StaticSite, spec: PlatformSpec) -> Iterator[Claim]:
    """The claims of a site: its own domain and its aliases."""
    metadata = site.metadata
    main = Claim(
        metadata.namespace,
        metadata.name,
        metadata.uid,
        site.spec.host or names.default_domain(metadata.name, spec.pages_domain),
        site.spec.path_prefix,
        metadata.creation_timestamp.timestamp() if metadata.creation_timestamp else 0.0,
    )
    yield main
    for alias in site.spec.aliases:
        if alias != main.domain:
            yield replace(main, domain=alias, path_prefix="", is_alias=True)


def _rejection(site: Object, error: ValidationError) -> Rejection:
    metadata = payload.metadata(site)
    return Rejection(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        reason="InvalidSpec",
        message=mistakes.explain(error)[0][1],
    )


def _virtual_hosts(
    spec: PlatformSpec, decision: Decision, observed: Mapping[str, Object], routes: Routes
) -> dict[str, Object]:
    tls = certificates.secrets(spec, decision.grants, observed)
    redirects = spec.ingress.http_entry_points if spec.ingress.redirect_http and spec.tls.mode != "Off" else []
    common = {
        "entryPoints": spec.ingress.entry_points or (["web"] if spec.tls.mode == "Off" else ["websecure"]),
        **({"redirectEntryPoints": redirects} if redirects else {}),
        "service": spec.service.dump(),
    }
    return {
        domain: _virtual_host(domain, routes.of(domain, granted), tls.get(domain), common)
        for domain, granted in decision.grants.items()
    }


def _virtual_host(domain: str, routes: list[Object], tls: Object | None, common: Object) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": "VirtualHost",
        "metadata": {"name": domain, "labels": names.domain_labels(domain)},
        "spec": {
            "domain": domain,
            **({"tls": tls} if tls else {}),
            **common,
            "routes": routes,
        },
    }


def _brake(
    parent: Object, desired: Mapping[str, Object], observed: Mapping[str, Object], *, now: datetime, hold: timedelta
) -> HeldRemoval | None:
    """The mass removal to put on hold, or None (docs/decisions/0003-mass-removal-brake.md)."""
    dropped = sorted(observed.keys() - desired.keys())
    if len(dropped) <= HELD_ABOVE or len(dropped) <= HELD_ABOVE_SHARE * len(observed):
        return None
    fingerprint = hashlib.sha256("\n".join(dropped).encode()).hexdigest()[:16]
    since = now
    before = payload.status(parent).get("heldRemoval")
    if isinstance(before, dict) and before.get("fingerprint") == fingerprint:
        since = datetime.fromisoformat(before["since"])
    if now - since >= hold:
        return None
    return HeldRemoval(fingerprint=fingerprint, since=since, domains=len(dropped))


def _conditions(brake: HeldRemoval | None) -> list[Condition]:
    if brake is None:
        return [condition("Ready", ok=True, reason="Ready", message="every valid site is routed")]
    message = (
        f"{brake.domains} domains, more than half of all, would be removed at once; they are kept for a few minutes, "
        "and then removed unless their StaticSites are back"
    )
    return [
        condition("Ready", ok=False, reason="RemovalHeld", message=message),
        condition("RemovalHeld", ok=True, reason="MassRemoval", message=message),
    ]
