"""The edge of ``pages serve`` as nginx configuration: which host and path is passed to which site, with what headers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Redirect:
    """Where visitors are sent instead of to a site: the same address with another scheme."""

    code: int
    scheme: str
    port: str


@dataclass
class Route:
    """What a path leads to: it is stripped of ``strip``, then ``add`` goes before it. All values are safe to write.

    ``headers`` maps a name in lower case to the name and the value; an empty value removes the header.
    """

    strip: str = ""
    add: str = ""
    headers: dict[str, tuple[str, str]] = field(default_factory=dict)
    redirect: Redirect | None = None


@dataclass(frozen=True)
class Host:
    """A server: its names, and its routes by path; the path "" is all that no other path takes."""

    names: Sequence[str]
    routes: Mapping[str, Route]


def servers(hosts: Sequence[Host], *, listen: Sequence[str], upstream: str) -> str:
    """The http-level text: what all hosts have in common, the answer to unknown hosts, and a server for each."""
    names = sum(len(host.names) for host in hosts)
    return "\n".join([_common(upstream, names), _unknown_host(listen), *(_server(listen, host) for host in hosts)])


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


def _unknown_host(listen: Sequence[str]) -> str:
    return _block(
        "server",
        *(f"listen {address} default_server;" for address in listen),
        'return 404 "No site is served at $host here.\\n";',
    )


def _server(listen: Sequence[str], host: Host) -> str:
    locations = [
        _block(f"location {where}", *_actions(route))
        for path, route in sorted(host.routes.items())
        for where in ((f"= {path}", f"^~ {path}/") if path else ("/",))
    ]
    if "" not in host.routes:
        locations.append(_block("location /", 'return 404 "There is no site at this path of $host.\\n";'))
    listens = (f"listen {address};" for address in listen)
    return _block("server", *listens, f"server_name {' '.join(host.names)};", *locations)


def _actions(route: Route) -> Iterable[str]:
    if route.redirect:
        port = f":{route.redirect.port}" if route.redirect.port else ""
        yield f"return {route.redirect.code} {route.redirect.scheme}://$host{port}$request_uri;"
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
