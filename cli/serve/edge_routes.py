"""What Traefik's objects mean: which host and paths lead where, by way of what."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cli.serve.edge_objects import (
    Headers,
    IngressRouteSpec,
    MiddlewareSpec,
    Object,
    RedirectRegex,
    RedirectScheme,
    Reference,
    RuleSpec,
    StripPrefix,
    UnsupportedObject,
    key,
    spec,
)
from pages import rule_syntax, validation

_RULE = re.compile(r"Host\(`([^`]*)`\)(?: && (.*))?")
_FOLDER = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
# What may stand between the double quotes of nginx and mean itself: no quote, no backslash, no variable.
_PLAIN = re.compile(r"[ !#%-\[\]-~]*")
# An expression as ours are: it means the same to RE2 and to PCRE, and stands between double quotes as it is.
_EXPRESSION = re.compile(r"(?:[ !#-\[\]-~]|\\[^\\\"])*")
_PLACEHOLDERS = re.compile(r"\$\$|\$\{[1-9]\}")


@dataclass
class Place:
    """Where a rule holds: at one path (``=``), or at all that begin like it (``^~``); the whole host is ``^~ /``."""

    exact: bool
    path: str

    def __str__(self) -> str:
        return f"= {self.path}" if self.exact else f"^~ {self.path}" if self.path != "/" else "/"


@dataclass
class Route:
    """What one rule leads to: a path is stripped of ``strip``, then ``add`` goes before it.

    ``headers`` go to the site and ``answers`` to the visitor; both map a name in lower case to the name and the value.
    """

    source: Object
    host: str
    path: str
    places: tuple[Place, ...]
    priority: int
    strip: str = ""
    add: str = ""
    headers: dict[str, tuple[str, str]] = field(default_factory=dict)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    redirects: list[RedirectRegex] = field(default_factory=list)
    redirect: RedirectScheme | None = None


Locations = dict[str, tuple[Place, Route]]


def routes(objects: Sequence[Object]) -> Iterable[Route]:
    """The routes of IngressRoutes and Middlewares. Raises UnsupportedObject."""
    middlewares: dict[tuple[str, str], Object] = {}
    ingress_routes: list[Object] = []
    for item in objects:
        if item.get("kind") == "Middleware":
            middlewares[key(item)] = item
        elif item.get("kind") == "IngressRoute":
            ingress_routes.append(item)
        else:
            raise UnsupportedObject(item, "only IngressRoute and Middleware can be routed here")
    for item in ingress_routes:
        for rule in spec(item, IngressRouteSpec).routes:
            yield _route(item, rule, middlewares)


def by_host(found: Iterable[Route]) -> dict[str, Locations]:
    """Routes by host and nginx's word for their place. A redirect to HTTPS gives way: here is one entry point only."""
    hosts: dict[str, Locations] = {}
    for route in sorted(found, key=lambda route: (route.redirect is not None, -route.priority)):
        locations = hosts.setdefault(route.host, {})
        for place in route.places:
            _, other = locations.setdefault(str(place), (place, route))
            if other is not route and not route.redirect and other.priority == route.priority:
                raise UnsupportedObject(route.source, f"{key(other.source)[1]} has the same host and path")
    for locations in hosts.values():
        _check_priorities(locations)
    return hosts


def _check_priorities(locations: Locations) -> None:
    """Nginx takes the longest path. Traefik takes the highest priority: refuse to route where that differs (D6)."""
    for place, route in locations.values():
        above = place.path if place.exact else place.path.rstrip("/")
        while above:
            above = above.rpartition("/")[0]
            _, other = locations.get(str(Place(False, f"{above}/")), (place, route))
            if other is not route and other.priority >= route.priority:
                raise UnsupportedObject(route.source, f"its priority must be above that of {above or '/'}")


def _route(item: Object, rule: RuleSpec, middlewares: Mapping[tuple[str, str], Object]) -> Route:
    host, path, places = _matched(item, rule.match)
    route = Route(item, host, path, places, rule.priority or len(rule.match))
    _apply_all(route, item, rule.middlewares, middlewares)
    if not (route.add or route.redirect or route.redirects):
        raise UnsupportedObject(item, "without an addPrefix the rule leads to no site")
    return route


def _matched(item: Object, rule: str) -> tuple[str, str, tuple[Place, ...]]:
    """The host, in lower case, the path (or ""), and the places that a rule means."""
    match = _RULE.fullmatch(rule)
    try:
        host = validation.domain(match[1]).lower() if match else ""
        for form, exact, below in (
            ("(Path(`{0}`) || PathPrefix(`{0}/`))", ("{0}",), ("{0}/",)),
            ("(Path(`{0}`) || Path(`{0}/`))", ("{0}", "{0}/"), ()),
            ("PathPrefix(`{0}/`)", (), ("{0}/",)),
        ):
            if match and match[2] and (path := _path_in(match[2], form)):
                places = [Place(True, each.format(path)) for each in exact]
                places += [Place(False, each.format(path)) for each in below]
                return host, path, tuple(places)
    except ValueError as error:
        raise UnsupportedObject(item, f"the rule {rule!r}: {error}") from error
    if match and match[2] == "Path(`/`)":
        return host, "", (Place(True, "/"),)
    if match and not match[2]:
        return host, "", (Place(False, "/"),)
    raise UnsupportedObject(item, f"the rule {rule!r} is neither Host(`d`) nor that and a path")


def _path_in(rule: str, form: str) -> str:
    before, _, rest = form.partition("{0}")
    path = rule.removeprefix(before).partition("`")[0].removesuffix("/" if rest.startswith("/") else "")
    return rule_syntax.plain_path(path) if path and form.format(path) == rule else ""


def _apply_all(
    route: Route,
    item: Object,
    references: Sequence[Reference],
    middlewares: Mapping[tuple[str, str], Object],
) -> None:
    for reference in references:
        name = (reference.namespace or key(item)[0], reference.name)
        if name not in middlewares:
            raise UnsupportedObject(item, f"there is no Middleware {'/'.join(name)}")
        middleware = middlewares[name]
        wanted = spec(middleware, MiddlewareSpec)
        if len(wanted.model_fields_set) != 1:
            raise UnsupportedObject(middleware, "must be of exactly one kind")
        _apply(route, middleware, wanted)


def _apply(route: Route, middleware: Object, wanted: MiddlewareSpec) -> None:
    if wanted.strip_prefix:
        _apply_strip(route, middleware, wanted.strip_prefix)
    if wanted.add_prefix:
        if not _FOLDER.fullmatch(wanted.add_prefix.prefix):
            raise UnsupportedObject(middleware, f"{wanted.add_prefix.prefix!r} is not the folder of a site")
        route.add = wanted.add_prefix.prefix + route.add
    if wanted.headers:
        _apply_headers(route, middleware, wanted.headers)
    if wanted.redirect_regex:
        _apply_redirect(route, middleware, wanted.redirect_regex)
    route.redirect = route.redirect or wanted.redirect_scheme


def _apply_strip(route: Route, middleware: Object, strip: StripPrefix) -> None:
    """Only what the rule matched can be stripped, and only from the visitor's own path: that is always exact."""
    (prefix,) = strip.prefixes if len(strip.prefixes) == 1 else ("",)
    if not prefix or not f"{route.path}/".startswith(f"{prefix}/") or route.strip or route.add:
        raise UnsupportedObject(middleware, f"{strip.prefixes!r} is not the path of the rule that uses it")
    route.strip = prefix


def _apply_headers(route: Route, middleware: Object, headers: Headers) -> None:
    for name, value in headers.custom_request_headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _PLAIN.fullmatch(value):
            raise UnsupportedObject(middleware, f"the header {name!r}: {value!r} cannot be sent")
        route.headers[name.lower()] = (name, value)
    for name, value in headers.custom_response_headers.items():
        if not _HEADER_NAME.fullmatch(name) or not value or not (value.isascii() and value.isprintable()):
            raise UnsupportedObject(middleware, f"the header {name!r}: {value!r} cannot be answered")
        route.answers.setdefault(name.lower(), (name, value))  # the outermost Middleware has the last word


def _apply_redirect(route: Route, middleware: Object, redirect: RedirectRegex) -> None:
    if route.strip or route.add:
        raise UnsupportedObject(middleware, "a redirect comes before what changes the path")
    if not _EXPRESSION.fullmatch(redirect.regex):
        raise UnsupportedObject(middleware, f"the expression {redirect.regex!r} cannot be matched")
    if not _PLAIN.fullmatch(_PLACEHOLDERS.sub("", redirect.replacement)) or "$" in _PLACEHOLDERS.sub(
        "", redirect.replacement
    ):
        raise UnsupportedObject(middleware, f"{redirect.replacement!r} cannot be led to")
    route.redirects.append(redirect)
