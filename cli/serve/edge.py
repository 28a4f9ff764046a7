"""Replaces Traefik on one machine: turns IngressRoutes and Middlewares into servers of an nginx.

It routes by these objects only, never by StaticSites. An object that it does not support, or that it cannot route
exactly as Traefik would, is rejected by name: a route that works here works in a cluster.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus

from cli.serve.edge_objects import RedirectScheme, TraefikObject, UnsupportedObject
from cli.serve.edge_routes import Locations, Route, by_host, routes
from pages import validation

__all__ = ["API_VERSION", "UnsupportedObject", "render"]
API_VERSION = "traefik.io/v1alpha1"


def render(
    objects: Iterable[TraefikObject],
    *,
    listen: Sequence[str],
    upstream: str,
    aliases: Callable[[str], Iterable[str]] = lambda _host: (),
    unknown_host: Sequence[str] = (),
) -> str:
    """The http-level part of an nginx configuration that routes as Traefik would.

    Args:
        objects: IngressRoutes and Middlewares as the hooks return them; objects of other API groups are ignored.
        listen: addresses, for example ``127.0.0.1:8080``.
        upstream: the server of the sites, for example ``unix:nginx/sites.sock``.
        aliases: more names for a host, except for names that an object or another host already has.
        unknown_host: directives for hosts that no object names, which otherwise get a 404.

    Raises:
        UnsupportedObject: an object is malformed or of an unknown kind, or Traefik would route it differently.
    """
    hosts = by_host(routes([item for item in objects if item.get("apiVersion") == API_VERSION]))
    names = server_names(hosts, aliases)
    servers = [server(listen, names[host], hosts[host]) for host in sorted(hosts)]
    return "\n".join([_common(upstream, sum(map(len, names.values()))), _unknown_host(listen, unknown_host), *servers])


def server_names(hosts: Iterable[str], aliases: Callable[[str], Iterable[str]]) -> dict[str, list[str]]:
    """The names of each host: its own, and its aliases."""
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
# Everything is passed unchanged: the sites server rejects bodies, and no response goes through a file.
client_max_body_size 0;
proxy_http_version 1.1;
proxy_request_buffering off;
proxy_max_temp_file_size 0;
proxy_redirect off;
# A site may set up to 32 KiB of headers.
proxy_buffer_size 64k;
proxy_buffers 8 64k;
"""


def _unknown_host(listen: Sequence[str], more: Sequence[str]) -> str:
    return block(
        "server",
        *(f"listen {address} default_server;" for address in listen),
        *more,
        block("location /", 'return 404 "No site is served at $host here.\\n";'),
    )


def server(listen: Sequence[str], names: Sequence[str], locations: Locations) -> str:
    """The server of one host."""
    blocks = [
        block(f"location {place}", *actions(route))
        for place, (_, route) in sorted(locations.items(), key=lambda item: (item[1][0].path, not item[1][0].exact))
    ]
    if "/" not in locations:
        blocks.append(block("location /", 'return 404 "There is no site at this path of $host.\\n";'))
    listens = (f"listen {address};" for address in listen)
    return block("server", *listens, f"server_name {' '.join(names)};", *blocks)


def actions(route: Route) -> Iterable[str]:
    """What happens to a route's requests."""
    if route.redirect:
        port = f":{route.redirect.port}" if route.redirect.port else ""
        yield f"return {_code(route.redirect)} {route.redirect.scheme}://$host{port}$request_uri;"
        return
    yield from pass_on(route)


def pass_on(route: Route) -> Iterable[str]:
    """Pass the request on to the sites server."""
    # nginx chooses the location by the decoded path. Like Traefik, it passes on the path as received.
    rest = "[/?].*" if route.strip else "/.*"
    optional = "?" if route.strip else ""
    yield f'if ($request_uri !~ "^{re.escape(route.strip)}(?<pages_passed>(?:{rest}){optional})$") {{ return 400; }}'
    added = (("Host", "$http_host"), ("Connection", ""), ("X-Real-Ip", "$remote_addr"))
    headers = {name.lower(): (name, value) for name, value in added} | route.request_headers
    for name, value in headers.values():
        yield f'proxy_set_header {name} "{value}";'
    yield f"proxy_pass http://pages_sites{route.add}$pages_passed;"


def _code(redirect: RedirectScheme) -> int:
    return HTTPStatus.MOVED_PERMANENTLY if redirect.permanent else HTTPStatus.FOUND


def block(head: str, *lines: str) -> str:
    """A block of nginx directives."""
    body = "\n".join(lines).replace("\n", "\n    ")
    return f"{head} {{\n    {body}\n}}"
