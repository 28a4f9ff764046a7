"""The stand-in for Traefik on one machine: IngressRoutes and Middlewares become servers of an nginx.

It routes what the objects say and derives nothing from StaticSites. What it does not understand, or could not route
exactly as Traefik would, is refused by name, so that a route which works here works there.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from pages import validation

API_VERSION = "traefik.io/v1alpha1"
_RULE = re.compile(r"Host\(`([^`]*)`\)(?: && \(Path\(`([^`]*)`\) \|\| PathPrefix\(`([^`]*)/`\)\))?")
_FOLDER = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
# What may stand between the double quotes of nginx and mean itself: no quote, no backslash, no variable.
_PLAIN = re.compile(r"[ !#%-\[\]-~]*")

Object = Mapping[str, Any]
_SpecT = TypeVar("_SpecT", bound=BaseModel)


class UnsupportedObject(ValueError):
    """An object that cannot be routed here; the message names it."""

    def __init__(self, item: Object, problem: str) -> None:
        meta = item.get("metadata") or {}
        super().__init__(f"{item.get('kind')} {meta.get('namespace')}/{meta.get('name')}: {problem}")


class _Strict(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class _StripPrefix(_Strict):
    prefixes: list[str]


class _AddPrefix(_Strict):
    prefix: str


class _Headers(_Strict):
    custom_request_headers: dict[str, str]


class _RedirectScheme(_Strict):
    scheme: Literal["http", "https"]
    permanent: bool = False
    port: str = Field(default="", pattern=r"^([1-9][0-9]{0,4})?$")


class _MiddlewareSpec(_Strict):
    strip_prefix: _StripPrefix | None = None
    add_prefix: _AddPrefix | None = None
    headers: _Headers | None = None
    redirect_scheme: _RedirectScheme | None = None


class _Reference(_Strict):
    name: str
    namespace: str | None = None


class _RuleSpec(_Strict):
    match: str
    kind: Literal["Rule"] = "Rule"
    priority: int = 0
    middlewares: list[_Reference] = []
    services: list[dict[str, Any]] = []


class _IngressRouteSpec(_Strict):
    entry_points: list[str] = []
    routes: list[_RuleSpec]
    tls: dict[str, Any] | None = None


@dataclass
class _Route:
    """What one rule leads to: a path is stripped of ``strip``, then ``add`` goes before it.

    ``path`` is empty for a whole host. ``headers`` maps a name in lower case to the name and the value.
    """

    source: Object
    host: str
    path: str
    priority: int
    strip: str = ""
    add: str = ""
    headers: dict[str, tuple[str, str]] = field(default_factory=dict)
    redirect: _RedirectScheme | None = None


def render(
    objects: Iterable[Object],
    *,
    listen: Sequence[str],
    upstream: str,
    aliases: Callable[[str], Iterable[str]] = lambda _host: (),
    unknown_host: Sequence[str] = (),
) -> str:
    """The http-level part of an nginx configuration that routes as Traefik would.

    Args:
        objects: IngressRoutes and Middlewares as the hooks return them; objects of other API groups are passed over.
        listen: addresses such as ``127.0.0.1:8080``.
        upstream: the server of the sites, such as ``unix:nginx/sites.sock``.
        aliases: more names for a host. A name that an object claims, or that another host has, is not given again.
        unknown_host: what else there is, besides a 404, at hosts that no object names.

    Raises:
        UnsupportedObject: an object is malformed, of an unknown kind, or would be routed otherwise by Traefik.
    """
    hosts = _by_host(_routes([item for item in objects if item.get("apiVersion") == API_VERSION]))
    names = _server_names(hosts, aliases)
    servers = [_server(listen, names[host], hosts[host]) for host in sorted(hosts)]
    return "\n".join([_common(upstream, sum(map(len, names.values()))), _unknown_host(listen, unknown_host), *servers])


def _routes(objects: Sequence[Object]) -> Iterable[_Route]:
    middlewares: dict[tuple[str, str], Object] = {}
    ingress_routes: list[Object] = []
    for item in objects:
        if item.get("kind") == "Middleware":
            middlewares[_key(item)] = item
        elif item.get("kind") == "IngressRoute":
            ingress_routes.append(item)
        else:
            raise UnsupportedObject(item, "only IngressRoute and Middleware can be routed here")
    for item in ingress_routes:
        for rule in _spec(item, _IngressRouteSpec).routes:
            yield _route(item, rule, middlewares)


def _key(item: Object) -> tuple[str, str]:
    meta = item.get("metadata") or {}
    if not (meta.get("namespace") and meta.get("name")):
        raise UnsupportedObject(item, "it has no name or no namespace")
    return meta["namespace"], meta["name"]


def _spec(item: Object, model: type[_SpecT]) -> _SpecT:
    try:
        return model.model_validate(item.get("spec"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("spec", *first["loc"])))
        raise UnsupportedObject(item, f"{where}: {first['msg']}") from error


def _route(item: Object, rule: _RuleSpec, middlewares: Mapping[tuple[str, str], Object]) -> _Route:
    host, path = _matched(item, rule.match)
    route = _Route(item, host, path, rule.priority or len(rule.match))
    for reference in rule.middlewares:
        key = (reference.namespace or _key(item)[0], reference.name)
        if key not in middlewares:
            raise UnsupportedObject(item, f"there is no Middleware {'/'.join(key)}")
        _apply(route, middlewares[key])
    if not route.add and not route.redirect:
        raise UnsupportedObject(item, "without an addPrefix the rule leads to no site")
    return route


def _matched(item: Object, rule: str) -> tuple[str, str]:
    """The host, in lower case, and the path (or "") of a rule."""
    match = _RULE.fullmatch(rule)
    if not match or match[2] != match[3] or match[2] == "":
        raise UnsupportedObject(item, f"the rule {rule!r} is neither Host(`d`) nor that and a path")
    try:
        return validation.domain(match[1]).lower(), validation.path_prefix(match[2] or "")
    except ValueError as error:
        raise UnsupportedObject(item, f"the rule {rule!r}: {error}") from error


def _apply(route: _Route, middleware: Object) -> None:
    spec = _spec(middleware, _MiddlewareSpec)
    if len(spec.model_fields_set) != 1:
        raise UnsupportedObject(middleware, "must be of exactly one kind")
    if spec.strip_prefix:
        _apply_strip(route, middleware, spec.strip_prefix)
    if spec.add_prefix:
        if not _FOLDER.fullmatch(spec.add_prefix.prefix):
            raise UnsupportedObject(middleware, f"{spec.add_prefix.prefix!r} is not the folder of a site")
        route.add = spec.add_prefix.prefix + route.add
    if spec.headers:
        _apply_headers(route, middleware, spec.headers)
    route.redirect = route.redirect or spec.redirect_scheme


def _apply_strip(route: _Route, middleware: Object, strip: _StripPrefix) -> None:
    """Only what the rule matched can be stripped, and only from the visitor's own path: that is always exact."""
    if not route.path or strip.prefixes != [route.path] or route.strip or route.add:
        raise UnsupportedObject(middleware, f"{strip.prefixes!r} is not the path of the rule that uses it")
    route.strip = route.path


def _apply_headers(route: _Route, middleware: Object, headers: _Headers) -> None:
    for name, value in headers.custom_request_headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _PLAIN.fullmatch(value):
            raise UnsupportedObject(middleware, f"the header {name!r}: {value!r} cannot be sent")
        route.headers[name.lower()] = (name, value)


def _by_host(routes: Iterable[_Route]) -> dict[str, dict[str, _Route]]:
    """Routes by host and path. A redirect to HTTPS gives way: here is only one entry point, and it serves."""
    hosts: dict[str, dict[str, _Route]] = {}
    for route in sorted(routes, key=lambda route: route.redirect is not None):
        paths = hosts.setdefault(route.host, {})
        other = paths.setdefault(route.path, route)
        if other is not route and not route.redirect:
            raise UnsupportedObject(route.source, f"{_key(other.source)[1]} has the same host and path")
    for paths in hosts.values():
        _check_priorities(paths)
    return hosts


def _check_priorities(paths: Mapping[str, _Route]) -> None:
    """Nginx takes the longest path. Traefik takes the highest priority: refuse to route where that differs (D6)."""
    for path, route in paths.items():
        above = path
        while above:
            above = above.rpartition("/")[0]
            if above in paths and paths[above].priority >= route.priority:
                raise UnsupportedObject(route.source, f"its priority must be above that of {above or '/'}")


def _server_names(hosts: Iterable[str], aliases: Callable[[str], Iterable[str]]) -> dict[str, list[str]]:
    names = {host: [host] for host in hosts}
    taken = set(names)
    for host in sorted(names):
        for alias in aliases(host):
            if validation.domain(alias) not in taken:
                names[host].append(alias)
                taken.add(alias)
    return names


def _common(upstream: str, names: int) -> str:
    return f"""\
upstream pages_sites {{
    server {upstream};
    keepalive 32;
}}
server_names_hash_max_size {max(512, 2 * names)};
server_names_hash_bucket_size 512;
proxy_headers_hash_max_size 1024;
proxy_headers_hash_bucket_size 128;

server_tokens off;
absolute_redirect off;
types {{
}}
default_type text/plain;
# All is passed as it comes: bodies are the sites' to refuse, and no answer goes through a file.
client_max_body_size 0;
proxy_http_version 1.1;
proxy_request_buffering off;
proxy_max_temp_file_size 0;
proxy_redirect off;
"""


def _unknown_host(listen: Sequence[str], more: Sequence[str]) -> str:
    return _block(
        "server",
        *(f"listen {address} default_server;" for address in listen),
        *more,
        _block("location /", 'return 404 "No site is served at $host here.\\n";'),
    )


def _server(listen: Sequence[str], names: Sequence[str], paths: Mapping[str, _Route]) -> str:
    locations = [
        _block(f"location {where}", *_actions(route))
        for path, route in sorted(paths.items())
        for where in ((f"= {path}", f"^~ {path}/") if path else ("/",))
    ]
    if "" not in paths:
        locations.append(_block("location /", 'return 404 "There is no site at this path of $host.\\n";'))
    listens = (f"listen {address};" for address in listen)
    return _block("server", *listens, f"server_name {' '.join(names)};", *locations)


def _actions(route: _Route) -> Iterable[str]:
    if route.redirect:
        port = f":{route.redirect.port}" if route.redirect.port else ""
        code = 301 if route.redirect.permanent else 302
        yield f"return {code} {route.redirect.scheme}://$host{port}$request_uri;"
        return
    # nginx chose the location by the decoded path; what is passed on is the path as it came, as Traefik passes it.
    rest = "[/?].*" if route.strip else "/.*"
    optional = "?" if route.strip else ""
    yield f'if ($request_uri !~ "^{re.escape(route.strip)}(?<pages_passed>(?:{rest}){optional})$") {{ return 400; }}'
    headers = {"host": ("Host", "$host"), "connection": ("Connection", "")} | route.headers
    for name, value in headers.values():
        yield f'proxy_set_header {name} "{value}";'
    yield f"proxy_pass http://pages_sites{route.add}$pages_passed;"


def _block(head: str, *lines: str) -> str:
    body = "\n".join(lines).replace("\n", "\n    ")
    return f"{head} {{\n    {body}\n}}"
