"""IngressRoutes and Middlewares: how Traefik brings a visitor of a site to its folder behind the one nginx."""

from hooks.requests import Object
from pages import names
from pages.api import Route, VirtualHostSpec

_API_VERSION = "traefik.io/v1alpha1"


def rule(domain: str, path_prefix: str) -> str:
    """What a site matches: its path and all below it, never ``/pother``."""
    if not path_prefix:
        return f"Host(`{domain}`)"
    return f"Host(`{domain}`) && (Path(`{path_prefix}`) || PathPrefix(`{path_prefix}/`))"


def site_objects(host: VirtualHostSpec, route: Route) -> list[Object]:
    """The IngressRoute of a site and its Middlewares."""
    namespace, name = route.site.namespace, route.site.name
    labels = names.site_labels(namespace, name, host.domain)
    middlewares = []
    if route.path_prefix:
        strip = {"stripPrefix": {"prefixes": [route.path_prefix]}}
        middlewares.append(_middleware(names.strip_middleware(namespace, name), labels, strip))
    # Overwrites what a visitor may have sent. nginx compares the site with the path, a second fence, and puts the
    # prefix back into its redirects (docs/decisions/0005-nginx-paths-and-headers.md).
    headers = {"X-Pages-Site": f"{namespace}/{name}", "X-Pages-Prefix": route.path_prefix}
    middlewares += [
        _middleware(names.headers_middleware(namespace, name), labels, {"headers": {"customRequestHeaders": headers}}),
        _middleware(names.prefix_middleware(namespace, name), labels, {"addPrefix": {"prefix": route.root}}),
    ]
    ingress_route = _ingress_route(
        names.ingress_route(namespace, name),
        labels,
        host,
        entry_points=host.entry_points,
        match=rule(host.domain, route.path_prefix),
        middlewares=middlewares,
    )
    if host.tls and host.tls.secret_name:
        ingress_route["spec"]["tls"] = {"secretName": host.tls.secret_name}
    return [ingress_route, *middlewares]


def redirect_objects(host: VirtualHostSpec) -> list[Object]:
    """What sends a domain's plain HTTP to HTTPS, where that is wanted."""
    if not host.redirect_entry_points or not host.tls:
        return []
    name, labels = names.https_redirect(host.domain), names.domain_labels(host.domain)
    redirect = _middleware(name, labels, {"redirectScheme": {"scheme": "https", "permanent": True}})
    route = _ingress_route(
        name,
        labels,
        host,
        entry_points=host.redirect_entry_points,
        match=rule(host.domain, ""),
        middlewares=[redirect],
    )
    return [route, redirect]


def _ingress_route(
    name: str,
    labels: dict[str, str],
    host: VirtualHostSpec,
    *,
    entry_points: list[str],
    match: str,
    middlewares: list[Object],
) -> Object:
    return {
        "apiVersion": _API_VERSION,
        "kind": "IngressRoute",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "entryPoints": entry_points,
            "routes": [
                {
                    "match": match,
                    "kind": "Rule",
                    # Traefik's own default, written out: a longer path comes before a shorter one.
                    "priority": len(match),
                    "middlewares": [{"name": each["metadata"]["name"]} for each in middlewares],
                    "services": [{"name": host.service.name, "port": host.service.port}],
                }
            ],
        },
    }


def _middleware(name: str, labels: dict[str, str], spec: Object) -> Object:
    return {
        "apiVersion": _API_VERSION,
        "kind": "Middleware",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }
