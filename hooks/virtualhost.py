"""Stage two: from a VirtualHost to its Certificate, IngressRoutes and Middlewares, and its status."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from hooks import certificates, payload, traefik
from hooks.invalid_parent import keep_children
from hooks.payload import CERTIFICATE, INGRESS_ROUTE, MIDDLEWARE
from pages import conditions, mistakes, names
from pages.api import Object, Resources, Route, RouteStatus, VirtualHost, VirtualHostSpec
from pages.conditions import Condition, condition

_RESYNC_SECONDS = 1
_KINDS = (CERTIFICATE, INGRESS_ROUTE, MIDDLEWARE)


def sync(request: Mapping[str, Any], *, now: datetime) -> Object:
    """Answer ``/virtualhost/sync``. Raises NotAHookRequest."""
    parent = payload.parent(request, "VirtualHost")
    observed = [child for kind in _KINDS for child in payload.objects(request, "children", kind)]
    try:
        host = VirtualHost.model_validate(parent)
    except ValidationError as error:
        # The VirtualHost was edited by hand, and stage one will restore it.
        return keep_children(parent, observed, mistakes.explain(error)[0][1], now)
    children = _children(host.spec)
    observed_by_name = {_name(child): child for child in observed}
    missing = [child for child in children if _name(child) not in observed_by_name]
    parts = [_ingress(missing), _certificate(host.spec, observed_by_name)]
    answer: Object = {"status": _status(host, parts, now), "children": children}
    if missing:
        # Metacontroller believes that a child exists if another object has its name
        # (docs/decisions/0007-names-change-hands.md).
        answer["resyncAfterSeconds"] = _RESYNC_SECONDS
    return answer


def _name(object_: Object) -> tuple[object, object]:
    return object_.get("kind"), payload.metadata(object_).get("name")


def _children(host: VirtualHostSpec) -> list[Object]:
    children = []
    if host.tls and host.tls.secret_name and host.tls.issuer_ref:
        labels = names.domain_labels(host.domain)
        children.append(certificates.build(host.tls.secret_name, host.domain, host.tls.issuer_ref, labels))
    children += traefik.redirect_objects(host)
    for route in host.routes:
        children += traefik.site_objects(host, route)
    return children


def _status(host: VirtualHost, parts: list[Condition], now: datetime) -> Object:
    before = host.status.conditions if host.status else []
    generation = host.metadata.generation
    return {
        "observedGeneration": generation,
        "conditions": conditions.dump(
            conditions.stamp([_ready(parts), *parts], before, generation=generation, now=now)
        ),
        "routes": [
            RouteStatus(site=route.site, resources=_resources(host, route)).dump() for route in host.spec.routes
        ],
    }


def _ingress(missing: list[Object]) -> Condition:
    for child in missing:
        if child["kind"] != "Certificate":
            message = f"{child['kind']} {child['metadata']['name']} is being created"
            return condition("IngressReady", ok=None, reason="Pending", message=message)
    return condition("IngressReady", ok=True, reason="Routed", message="Traefik routes the domain")


def _certificate(host: VirtualHostSpec, observed: Mapping[tuple[object, object], Object]) -> Condition:
    if host.tls is None:
        return condition("CertificateReady", ok=True, reason="NotNeeded", message="the platform serves plain HTTP")
    if host.tls.issuer_ref is None:
        message = f"Secret {host.tls.secret_name} covers the domain"
        return condition("CertificateReady", ok=True, reason="Wildcard", message=message)
    readiness = certificates.readiness(observed.get(("Certificate", host.tls.secret_name)))
    return condition("CertificateReady", ok=readiness.ok, reason=readiness.reason, message=readiness.message)


def _ready(parts: list[Condition]) -> Condition:
    for part in parts:
        if part.status != "True":
            return condition(
                "Ready", ok=None if part.status == "Unknown" else False, reason=part.reason, message=part.message
            )
    return condition("Ready", ok=True, reason="Ready", message="the domain is served")


def _resources(host: VirtualHost, route: Route) -> Resources:
    def full(name: str) -> str:
        return f"{host.metadata.namespace}/{name}"

    site, tls = route.site, host.spec.tls
    name = names.ingress_route(site.namespace, site.name)
    if route.redirect_to:
        name = names.alias(site.namespace, site.name, host.spec.domain)
    return Resources(
        ingress_route=full(name),
        middleware=full(names.prefix_middleware(name)),
        strip_middleware=full(names.strip_middleware(name)) if route.path_prefix else None,
        certificate=full(tls.secret_name) if tls and tls.secret_name and tls.issuer_ref else None,
    )
