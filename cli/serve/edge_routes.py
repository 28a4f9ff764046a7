"""The meaning of Traefik's objects: which hosts and paths lead where, and what changes on the way."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cli.serve.edge_objects import (
    Headers,
    IngressRouteSpec,
    MiddlewareSpec,
    RedirectScheme,
    Reference,
    RuleSpec,
    StripPrefix,
    TraefikObject,
    UnsupportedObject,
    key,
    spec,
)
from pages import validation

_RULE = re.compile(r"Host\(`([^`]*)`\)(?: && (.*))?")
_FOLDER = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
# Literal characters between nginx's double quotes: no quote, no backslash, no variable.
_PLAIN = re.compile(r"[ !#%-\[\]-~]*")


@dataclass
class Place:
    """The paths of a rule: one path (``=``), or all that begin with it (``^~``); the whole host is ``^~ /``."""

    exact: bool
    path: str

    def __str__(self) -> str:
        return f"= {self.path}" if self.exact else f"^~ {self.path}" if self.path != "/" else "/"


@dataclass
class Route:
    """The target of one rule: ``strip`` is removed from the path, then ``add`` is put in front of it.

    ``request_headers`` maps a name in lower case to the name and the value.
    """

    source: TraefikObject
    host: str
    path: str
    places: tuple[Place, ...]
    priority: int
    strip: str = ""
    add: str = ""
    request_headers: dict[str, tuple[str, str]] = field(default_factory=dict)
    redirect: RedirectScheme | None = None


_WITH_PATH = re.compile(r"\(Path\(`([^`]*)`\) \|\| PathPrefix\(`([^`]*)/`\)\)")
Locations = dict[str, tuple[Place, Route]]
Middlewares = dict[tuple[str, str], TraefikObject]


def routes(objects: Sequence[TraefikObject]) -> Iterable[Route]:
    """The routes of IngressRoutes and Middlewares. Raises UnsupportedObject."""
    middlewares: Middlewares = {}
    ingress_routes: list[TraefikObject] = []
    for item in objects:
        if item.get("kind") == "Middleware":
            middlewares[key(item)] = item
        elif item.get("kind") == "IngressRoute":
            ingress_routes.append(item)
        else:
            raise UnsupportedObject(item, "only IngressRoutes and Middlewares are supported here")
    for item in ingress_routes:
        for rule in spec(item, IngressRouteSpec).routes:
            yield _route(item, rule, middlewares)


def by_host(all_routes: Iterable[Route]) -> dict[str, Locations]:
    """Routes by host and nginx location. A redirect to HTTPS yields to other routes, as there is one entry point."""
    hosts: dict[str, Locations] = {}
    for route in sorted(all_routes, key=lambda route: (route.redirect is not None, -route.priority)):
        locations = hosts.setdefault(route.host, {})
        for place in route.places:
            _, other = locations.setdefault(str(place), (place, route))
            if other is not route and not route.redirect and other.priority == route.priority:
                raise UnsupportedObject(route.source, f"{key(other.source)[1]} has the same host and path")
    for locations in hosts.values():
        check_priorities(locations)
    return hosts


def check_priorities(locations: Locations) -> None:
    """Reject a route where Traefik, which uses the highest priority, would not use the longest path as nginx (D6)."""
    for place, route in locations.values():
        above = place.path if place.exact else place.path.rstrip("/")
        while above:
            above = above.rpartition("/")[0]
            _, other = locations.get(str(Place(False, f"{above}/")), (place, route))
            if other is not route and other.priority >= route.priority:
                raise UnsupportedObject(route.source, f"its priority must be above that of {above or '/'}")


def _route(item: TraefikObject, rule: RuleSpec, middlewares: Middlewares) -> Route:
    host, path, places = matched(item, rule.match)
    route = Route(item, host, path, places, rule.priority or len(rule.match))
    _apply_all(route, item, rule.middlewares, middlewares)
    if not (route.add or route.redirect):
        raise UnsupportedObject(item, "without an addPrefix its rule leads to no site")
    return route


def matched(item: TraefikObject, rule: str) -> tuple[str, str, tuple[Place, ...]]:
    """The host in lower case, the path (or "") and the places of a rule."""
    match = _RULE.fullmatch(rule)
    try:
        host = validation.domain(match[1]).lower() if match else ""
        path, places = places_of(match[2] or "") if match else ("", ())
    except ValueError as error:
        raise UnsupportedObject(item, f"the rule {rule!r}: {error}") from error
    if not places:
        raise UnsupportedObject(item, f"the rule {rule!r} is neither Host(`d`) nor Host(`d`) with a path")
    return host, path, places


def places_of(rule: str) -> tuple[str, tuple[Place, ...]]:
    """The path and the places of a rule without its host; no places if its form is not supported."""
    if not rule:
        return "", (Place(False, "/"),)
    match = _WITH_PATH.fullmatch(rule)
    if match is None or match[1] != match[2]:
        return "", ()
    path = validation.path_prefix(match[1])
    return path, (Place(True, path), Place(False, f"{path}/"))


def _apply_all(
    route: Route,
    item: TraefikObject,
    references: Sequence[Reference],
    middlewares: Middlewares,
) -> None:
    for reference in references:
        name = (reference.namespace or key(item)[0], reference.name)
        if name not in middlewares:
            raise UnsupportedObject(item, f"there is no Middleware {'/'.join(name)}")
        middleware = middlewares[name]
        changes = spec(middleware, MiddlewareSpec)
        if len(changes.model_fields_set) != 1:
            raise UnsupportedObject(middleware, "it must have exactly one kind of change")
        _apply(route, middleware, changes)


def _apply(route: Route, middleware: TraefikObject, changes: MiddlewareSpec) -> None:
    if changes.strip_prefix:
        apply_strip(route, middleware, changes.strip_prefix)
    if changes.add_prefix:
        if not _FOLDER.fullmatch(changes.add_prefix.prefix):
            raise UnsupportedObject(middleware, f"{changes.add_prefix.prefix!r} is not the folder of a site")
        route.add = changes.add_prefix.prefix + route.add
    if changes.headers:
        apply_headers(route, middleware, changes.headers)
    route.redirect = route.redirect or changes.redirect_scheme


def apply_strip(route: Route, middleware: TraefikObject, strip: StripPrefix) -> None:
    """Only the rule's own path can be stripped, and only before other changes: that is always exact."""
    (prefix,) = strip.prefixes if len(strip.prefixes) == 1 else ("",)
    if not prefix or not f"{route.path}/".startswith(f"{prefix}/") or route.strip or route.add:
        raise UnsupportedObject(middleware, f"{strip.prefixes!r} is not the path of its rule")
    route.strip = prefix


def apply_headers(route: Route, middleware: TraefikObject, headers: Headers) -> None:
    """Add headers of requests."""
    for name, value in headers.custom_request_headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _PLAIN.fullmatch(value):
            raise UnsupportedObject(middleware, f"the header {name!r}: {value!r} cannot be sent to the site")
        route.request_headers[name.lower()] = (name, value)
