"""The routes of sites and aliases that the hooks generate, in a real Traefik.

Traefik gets the routers and Middlewares by its file provider, and an HTTP server stands for nginx.
"""

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml

from hooks import virtualhost
from tests.support.answering import answering
from tests.support.control_plane import TOOLS
from tests.support.processes import Program
from tests.support.serving import eventually, free_port

TRAEFIK = TOOLS / "bin" / "traefik"
SEEN = ("X-Pages-Site", "X-Pages-Auth", "X-Pages-Prefix", "X-Pages-Home", "X-Real-Ip")


class _Nginx(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        for name in SEEN:
            self.send_header(f"Seen-{name}", self.headers.get(name, ""))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Length", str(len(self.path)))
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


def objects(domain: str, *routes: dict[str, Any]) -> list[dict[str, Any]]:
    host = {
        "kind": "VirtualHost",
        "metadata": {"name": domain, "namespace": "kup6s-pages"},
        "spec": {"domain": domain, "entryPoints": ["web"], "service": {}, "routes": list(routes)},
    }
    made = virtualhost.sync({"parent": host, "children": {}, "related": {}}, now=datetime(2026, 1, 1, tzinfo=UTC))
    children: list[dict[str, Any]] = made["children"]
    return children


def route(name: str, prefix: str = "", **more: Any) -> dict[str, Any]:
    return {
        "site": {"namespace": "team", "name": name},
        "pathPrefix": prefix,
        "root": f"/team/{name}",
        **more,
    }


def dynamic(made: list[dict[str, Any]], backend: int) -> dict[str, Any]:
    """The objects as configuration for Traefik's file provider."""
    routers = {}
    for each in made:
        if each["kind"] == "IngressRoute":
            for number, rule in enumerate(each["spec"]["routes"]):
                routers[f"{each['metadata']['name']}-{number}"] = {
                    "rule": rule["match"],
                    "priority": rule["priority"],
                    "middlewares": [reference["name"] for reference in rule["middlewares"]],
                    "service": "nginx",
                }
    middlewares = {each["metadata"]["name"]: each["spec"] for each in made if each["kind"] == "Middleware"}
    server = {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{backend}"}]}}
    return {"http": {"routers": routers, "middlewares": middlewares, "services": {"nginx": server}}}


class Traefik:
    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str, host: str = "example.com", method: str = "GET") -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(
                method,
                path,
                headers={"Host": host, **dict.fromkeys(SEEN, "spoofed")},
            )
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def traefik(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traefik]:
    if not TRAEFIK.exists():
        pytest.skip("Traefik is not built: run `make tools` once")
    folder = tmp_path_factory.mktemp("traefik")
    made = [
        *objects("example.com", route("www", protected=True), route("neighbour", "/neighbour")),
        *objects("docs.example.com", route("docs", "/docs")),
        *objects("www.example.com", route("www", redirectTo={"domain": "example.com"})),
        *objects("d.example.com", route("docs", redirectTo={"domain": "docs.example.com", "pathPrefix": "/docs"})),
    ]
    port = free_port()
    command = [
        str(TRAEFIK),
        f"--entryPoints.web.address=127.0.0.1:{port}",
        f"--providers.file.filename={folder / 'dynamic.yaml'}",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
    ]
    with answering(ThreadingHTTPServer(("127.0.0.1", 0), _Nginx)) as nginx:
        (folder / "dynamic.yaml").write_text(yaml.safe_dump(dynamic(made, nginx.server_port)))
        with Program(folder / "log", command) as process:
            running = Traefik(port)
            eventually(lambda: _answers(running) or not process.running())
            assert process.running(), process.output
            assert "ERR" not in process.output
            yield running


def _answers(running: Traefik) -> bool:
    try:
        return running.get("/")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize(
    ("host", "path", "forwarded", "headers"),
    [
        ("example.com", "/a/b?c", "/team/www/a/b?c", ("team/www", "required", "", "")),
        ("example.com", "/neighbour/x", "/team/neighbour/x", ("team/neighbour", "public", "", "")),
        ("docs.example.com", "/docs/x", "/team/docs/x", ("team/docs", "public", "/docs", "")),
        ("www.example.com", "/a?b", "/team/www/a?b", ("team/www", "public", "", "http://example.com")),
        ("d.example.com:8080", "/x", "/team/docs/x", ("team/docs", "public", "", "http://docs.example.com/docs")),
        ("example.com", "/.well-known/acme-challenge/x", "/team/www/.well-known/acme-challenge/x", None),
    ],
)
def test_v3_nginx_gets_the_headers_of_the_route_and_not_those_of_the_visitor(
    traefik: Traefik, host: str, path: str, forwarded: str, headers: tuple[str, str, str, str] | None
) -> None:
    status, text, received = traefik.get(path, host)
    assert (status, text) == (200, forwarded)
    expected = headers or ("team/www", "required", "", "")
    assert tuple(received.get(f"Seen-{name}", "") for name in SEEN[:4]) == expected


def test_a_visitor_cannot_forge_the_counted_address(traefik: Traefik) -> None:
    assert traefik.get("/")[2]["Seen-X-Real-Ip"] == "127.0.0.1"
