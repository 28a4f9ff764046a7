"""Stage one: a Platform and all StaticSites -> one VirtualHost per domain, and the Platform's status."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import ValidationError

from hooks import certificates, claims, payload
from hooks.claims import Claim, Decision
from hooks.payload import CERTIFICATE, NAMESPACE, STATIC_SITE, VIRTUAL_HOST, NotAHookRequest, Object
from hooks.routes import Routes, Valid
from pages import api, conditions, mistakes, names
from pages.api import ALLOW_LOCAL, API_VERSION, HeldRemoval, Platform, PlatformSpec, Rejection, SiteKey, StaticSite
from pages.conditions import Condition, condition

DEFAULT_HOLD = timedelta(minutes=5)
# The brake: an answer that drops more VirtualHosts than both of these at once is held back first.
HELD_ABOVE = 10
HELD_ABOVE_SHARE = 0.5
MAX_REJECTIONS = 500
_SHORT_HOLD = timedelta(seconds=1)


def customize(request: Mapping[str, Any]) -> Object:
    """Answer ``/platform/customize``: which objects stage one has to see. Raises NotAHookRequest.

    Namespaces are always among them, so that a Platform that gets a namespaceSelector, or a mistake in it, changes
    nothing here: an answer with fewer objects would look like a mass removal.
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

    A mass removal is held back for ``hold``. ``allow_local``: a repository may be a folder of this machine, which
    only ``pages serve`` wants.
    """
    parent = payload.parent(request, "Platform")
    observed = _observed_hosts(payload.objects(request, "children", VIRTUAL_HOST))
    sites = _related_sites(request, observed)
    namespaces = payload.objects(request, "related", NAMESPACE)
    try:
        platform = Platform.model_validate({**parent, "status": None})
    except ValidationError as error:
        kept = [*observed.values(), *payload.objects(request, "children", CERTIFICATE)]
        return _invalid(parent, kept, error, now)
    read = partial(StaticSite.model_validate, context={ALLOW_LOCAL: allow_local})
    decision, valid = _decide(platform.spec, sites, read, namespaces, observed)
    wanted = _virtual_hosts(platform.spec, decision, observed, Routes(decision, valid, observed))
    brake = _brake(parent, wanted, observed, now=now, hold=hold)
    hosts = wanted | {name: payload.bare(host) for name, host in observed.items()} if brake else wanted
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
        conditions=_stamp(_conditions(brake), parent, now),
    )
    answer: Object = {"status": status.dump(), "children": children}
    if brake:
        answer["resyncAfterSeconds"] = max((brake.since + hold - now).total_seconds(), _SHORT_HOLD.total_seconds())
    return answer


def _related_sites(request: Mapping[str, Any], observed: Mapping[str, Object]) -> list[Object]:
    """All StaticSites. No list at all, where some are routed, is not the same as an empty one."""
    sites = payload.objects(request, "related", STATIC_SITE)
    if observed and STATIC_SITE not in request["related"]:
        raise NotAHookRequest(f"related.{STATIC_SITE} is missing: the customize hook asks for it")
    return sites


def _observed_hosts(children: Iterable[Object]) -> dict[str, Object]:
    return {payload.metadata(child).get("name", ""): child for child in children}


def _decide(
    spec: PlatformSpec,
    sites: Iterable[Object],
    read: Callable[[Object], StaticSite],
    namespaces: Iterable[Object],
    observed: Mapping[str, Object],
) -> tuple[Decision, dict[SiteKey, Valid]]:
    """Who gets what, and the sites that make sense."""
    held = _held_claims(observed)
    wanted: list[Claim] = []
    valid: dict[SiteKey, Valid] = {}
    invalid: list[Rejection] = []
    for site in sites:
        if payload.metadata(site).get("deletionTimestamp"):
            continue
        try:
            made = read({**site, "status": None})
        except ValidationError as error:
            invalid.append(_rejection(site, error))
            # What it said when it last made sense stays.
            wanted += held.get(str(payload.metadata(site).get("uid")), [])
        else:
            wanted += _claims(made, spec)
            valid[made.site_key] = Valid(made, payload.status(site).get("rules"))
    decision = claims.decide(
        wanted,
        spec,
        {(claim.domain, claim.path_prefix): uid for uid, own in held.items() for claim in own},
        selected=_selector(spec, namespaces),
        has_certificate=partial(certificates.is_possible, spec),
    )
    decision.rejections += invalid
    decision.rejections.sort(key=lambda rejection: (rejection.namespace, rejection.name, rejection.alias or ""))
    return decision, valid


def _held_claims(observed: Mapping[str, Object]) -> dict[str, list[Claim]]:
    """What is routed now, by the site's uid."""
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
    """Where a site wants to be served, and the aliases that lead there."""
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


def _selector(spec: PlatformSpec, namespaces: Iterable[Object]) -> Callable[[str], bool]:
    selector = spec.namespace_selector
    if selector is None:
        return lambda _namespace: True
    labels = {payload.metadata(each).get("name"): payload.metadata(each).get("labels") or {} for each in namespaces}
    return lambda namespace: selector.matches(labels.get(namespace, {}))


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
    parent: Object, wanted: Mapping[str, Object], observed: Mapping[str, Object], *, now: datetime, hold: timedelta
) -> HeldRemoval | None:
    """The removal that is held back, if there is one (docs/decisions/0003-mass-removal-brake.md)."""
    dropped = sorted(observed.keys() - wanted.keys())
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
        f"{brake.domains} domains would be dropped at once, more than half of all; they are kept, "
        "and let go if this is still so after a while"
    )
    return [
        condition("Ready", ok=False, reason="RemovalHeld", message=message),
        condition("RemovalHeld", ok=True, reason="MassRemoval", message=message),
    ]


def _invalid(parent: Object, kept: list[Object], error: ValidationError, now: datetime) -> Object:
    """A mistake in the Platform stops changes, not sites."""
    message = f"{mistakes.explain(error)[0][1]}; nothing changes until this is mended"
    stamped = _stamp([condition("Ready", ok=False, reason="InvalidSpec", message=message)], parent, now)
    dumped = [each.model_dump(by_alias=True, exclude_none=True, mode="json") for each in stamped]
    return {
        "status": payload.status(parent) | {"conditions": dumped},
        "children": [payload.bare(child) for child in kept],
    }


def _stamp(fresh: list[Condition], parent: Object, now: datetime) -> list[Condition]:
    generation = payload.metadata(parent).get("generation")
    return conditions.stamp(fresh, payload.conditions(parent), generation=generation, now=now)
