"""IngressRoutes and Middlewares: they route the domain and path of a site to its folder behind the shared nginx."""

from collections.abc import Sequence

from pages import names
from pages.api import Object, RedirectTarget, Route, VirtualHostSpec

_API_VERSION = "traefik.io/v1alpha1"


def rule(domain: str, path_prefix: str) -> str:
    """The match of a site: its path and everything below it, but not ``/pother`` for ``/p``."""
    if not path_prefix:
        return f"Host(`{domain}`)"
    return f"Host(`{domain}`) && (Path(`{path_prefix}`) || PathPrefix(`{path_prefix}/`))"


def site_objects(host: VirtualHostSpec, route: Route) -> list[Object]:
    """The IngressRoute of a site, or of one of its aliases, and its Middlewares."""
    return alias_objects(host, route, route.redirect_to) if route.redirect_to else serving_objects(host, route)


def redirect_objects(host: VirtualHostSpec) -> list[Object]:
    """The objects that redirect a domain from HTTP to HTTPS; empty if the redirect is off."""
    if not host.redirect_entry_points or not host.tls:
        return []
    name, labels = names.https_redirect(host.domain), names.domain_labels(host.domain)
    redirect = _middleware(name, labels, {"redirectScheme": {"scheme": "https", "permanent": True}})
    routes = [_rule(host, rule(host.domain, ""), [redirect])]
    return [_ingress_route(name, labels, host.redirect_entry_points, routes), redirect]


def alias_objects(host: VirtualHostSpec, route: Route, target: RedirectTarget) -> list[Object]:
    """The objects of an alias: nginx redirects it to its site, after the site's own rules."""
    scheme = "https" if host.tls else "http"
    # The site's own domain checks the passwords.
    headers = {"X-Pages-Auth": "public", "X-Pages-Home": f"{scheme}://{target.domain.lower()}{target.path_prefix}"}
    name = names.alias(route.site.namespace, route.site.name, host.domain)
    return _routed(host, route, name, _to_nginx(route, name, headers))


def serving_objects(host: VirtualHostSpec, route: Route) -> list[Object]:
    """The objects of a site on its own domain."""
    site, prefix = route.site, route.path_prefix
    name = names.ingress_route(site.namespace, site.name)
    # nginx checks the passwords (docs/decisions/0017-passwords-are-asked-for-by-nginx.md).
    headers = {"X-Pages-Auth": "required" if route.protected else "public", "X-Pages-Home": ""}
    strip = {names.strip_middleware(name): {"stripPrefix": {"prefixes": [prefix]}}} if prefix else {}
    return _routed(host, route, name, strip | _to_nginx(route, name, headers))


def _to_nginx(route: Route, name: str, headers: dict[str, str]) -> dict[str, Object]:
    """The Middlewares that tell nginx which site it serves.

    The headers overwrite those that a visitor may have sent. As a second check, nginx compares the site with the path,
    and it adds the prefix to its redirects (docs/decisions/0005-nginx-paths-and-headers.md).
    """
    site = {"X-Pages-Site": f"{route.site.namespace}/{route.site.name}", "X-Pages-Prefix": route.path_prefix}
    return {
        names.headers_middleware(name): {"headers": {"customRequestHeaders": site | headers}},
        names.prefix_middleware(name): {"addPrefix": {"prefix": route.root}},
    }


def _routed(host: VirtualHostSpec, route: Route, name: str, specs: dict[str, Object]) -> list[Object]:
    """The IngressRoute of this name with its Middlewares, in their order."""
    labels = names.site_labels(route.site.namespace, route.site.name, host.domain)
    middlewares = [_middleware(each, labels, spec) for each, spec in specs.items()]
    rules = [_rule(host, rule(host.domain, route.path_prefix), middlewares)]
    secret = host.tls.secret_name if host.tls else None
    return [_ingress_route(name, labels, host.entry_points, rules, secret), *middlewares]


def _rule(host: VirtualHostSpec, match: str, middlewares: Sequence[Object]) -> Object:
    return {
        "match": match,
        "kind": "Rule",
        # The same as Traefik's default: a longer path comes before a shorter one.
        "priority": len(match),
        "middlewares": [{"name": each["metadata"]["name"]} for each in middlewares],
        "services": [{"name": host.service.name, "port": host.service.port}],
    }


def _ingress_route(
    name: str, labels: dict[str, str], entry_points: list[str], routes: list[Object], secret: str | None = None
) -> Object:
    return {
        "apiVersion": _API_VERSION,
        "kind": "IngressRoute",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "entryPoints": entry_points,
            "routes": routes,
            **({"tls": {"secretName": secret}} if secret else {}),
        },
    }


def _middleware(name: str, labels: dict[str, str], spec: Object) -> Object:
    return {
        "apiVersion": _API_VERSION,
        "kind": "Middleware",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }
