"""The stand-in for Traefik on one machine: IngressRoutes and Middlewares become servers of an nginx.

It routes what the objects say and derives nothing from StaticSites. What it does not understand, or could not route
exactly as Traefik would, is refused by name, so that a route which works here works there.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from cli.serve.edge_objects import Object, RedirectRegex, UnsupportedObject
from cli.serve.edge_routes import Locations, Route, by_host, routes
from pages import validation

__all__ = ["API_VERSION", "UnsupportedObject", "render"]
API_VERSION = "traefik.io/v1alpha1"


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
    hosts = by_host(routes([item for item in objects if item.get("apiVersion") == API_VERSION]))
    names = _server_names(hosts, aliases)
    servers = [_server(listen, names[host], hosts[host]) for host in sorted(hosts)]
    return "\n".join([_common(upstream, sum(map(len, names.values()))), _unknown_host(listen, unknown_host), *servers])


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
# What redirects are matched against, as Traefik does; and a sign that nginx's strings have no other way to hold.
map $request_uri $pages_url {{
    default $scheme://$http_host$request_uri;
}}
geo $pages_dollar {{
    default "$";
}}
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


def _server(listen: Sequence[str], names: Sequence[str], locations: Locations) -> str:
    blocks = [
        _block(f"location {place}", *_actions(route))
        for place, (_, route) in sorted(locations.items(), key=lambda item: (item[1][0].path, not item[1][0].exact))
    ]
    if "/" not in locations:
        blocks.append(_block("location /", 'return 404 "There is no site at this path of $host.\\n";'))
    listens = (f"listen {address};" for address in listen)
    return _block("server", *listens, f"server_name {' '.join(names)};", *blocks)


def _actions(route: Route) -> Iterable[str]:
    if route.redirect:
        port = f":{route.redirect.port}" if route.redirect.port else ""
        code = 301 if route.redirect.permanent else 302
        yield f"return {code} {route.redirect.scheme}://$host{port}$request_uri;"
        return
    for name, value in route.answers.values():
        yield f"proxy_hide_header {name};"
        yield f'add_header {name} "{_quoted(value)}" always;'
    for redirect in route.redirects:
        yield f'if ($pages_url ~ "{redirect.regex}") {{ return {_code(redirect)} "{_target(redirect)}"; }}'
    if not route.add:
        yield "return 404;"
        return
    # nginx chose the location by the decoded path; what is passed on is the path as it came, as Traefik passes it.
    rest = "[/?].*" if route.strip else "/.*"
    optional = "?" if route.strip else ""
    yield f'if ($request_uri !~ "^{re.escape(route.strip)}(?<pages_passed>(?:{rest}){optional})$") {{ return 400; }}'
    added = (("Host", "$host"), ("Connection", ""), ("X-Real-Ip", "$remote_addr"))
    headers = {name.lower(): (name, value) for name, value in added} | route.headers
    for name, value in headers.values():
        yield f'proxy_set_header {name} "{value}";'
    yield f"proxy_pass http://pages_sites{route.add}$pages_passed;"


def _code(redirect: RedirectRegex) -> int:
    return 301 if redirect.permanent else 302


def _target(redirect: RedirectRegex) -> str:
    parts = redirect.replacement.split("$$")
    return "${pages_dollar}".join(re.sub(r"\$\{([1-9])\}", r"$\1", part) for part in parts)


def _quoted(value: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", value).replace("$", "${pages_dollar}")


def _block(head: str, *lines: str) -> str:
    body = "\n".join(lines).replace("\n", "\n    ")
    return f"{head} {{\n    {body}\n}}"
