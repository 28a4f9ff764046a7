"""The redirects, headers and aliases that the hooks generate, in a real Traefik.

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
RULES = {
    "redirects": [
        {"from": "/old", "to": "/new"},
        {"from": "/temp", "to": "/x?own=1", "status": 302},
        {"from": "/blog/:year/:title", "to": "/posts/:title?from=:year#:year", "status": 308},
        {"from": "/news/*", "to": "/:splat", "status": 307},
        {"from": "/away/*", "to": "https://other.example.org/x/:splat"},
        {"from": "/price$.x(1)", "to": "/cost$1$$x"},
        {"from": "/%C3%A4/*", "to": "/ae/:splat"},
        {"from": "/all/*", "to": "/never", "status": 302},
        {"from": "/.well-known/*", "to": "/hidden"},
    ],
    "headers": [
        {"for": "/*", "values": {"X-All": "all", "X-Both": "all"}},
        {"for": "/assets/*", "values": {"X-Both": "assets", "Cache-Control": "public"}},
        {"for": "/assets/a", "values": {"X-Quote": 'a "b" $c \\d', "X-Both": "a"}},
        {"for": "/neighbour/*", "values": {"X-Stolen": "yes"}},
        {"for": "/", "values": {"X-Home": "home"}},
    ],
}


class _Nginx(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        for name in ("X-Pages-Site", "X-Pages-Auth", "X-Real-Ip"):
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
                headers={"Host": host, "X-Pages-Site": "spoofed", "X-Pages-Auth": "no", "X-Real-Ip": "192.0.2.9"},
            )
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()

    def leads(self, path: str, host: str = "example.com", method: str = "GET") -> tuple[int, str]:
        status, _, headers = self.get(path, host, method)
        return status, headers.get("Location", "")


@pytest.fixture(scope="module")
def traefik(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traefik]:
    if not TRAEFIK.exists():
        pytest.skip("Traefik is not built: run `make tools` once")
    folder = tmp_path_factory.mktemp("traefik")
    made = [
        *objects("example.com", route("www", rules=RULES, protected=True), route("neighbour", "/neighbour")),
        *objects("docs.example.com", route("docs", "/docs", fileRules=RULES)),
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
    ("path", "leads"),
    [
        ("/old", (301, "/new")),
        ("/old/", (301, "/new")),
        ("/old?a=b&c", (301, "/new?a=b&c")),
        ("/temp?a=b", (302, "/x?own=1")),
        ("/blog/2019/hello", (301, "/posts/hello?from=2019#2019")),
        ("/news/a/b?q", (302, "/a/b?q")),
        ("/news", (302, "/")),
        ("/away/a/b?q", (301, "https://other.example.org/x/a/b?q")),
        ("/price$.x(1)", (301, "/cost$1$$x")),
        ("/%c3%a4/%C3%B6", (301, "/ae/%C3%B6")),
        ("/all/x", (302, "/never")),
    ],
)
def test_a_redirect_leads_to_its_target(traefik: Traefik, path: str, leads: tuple[int, str]) -> None:
    assert traefik.leads(path) == leads
    status, location = leads
    below = f"/docs{location}" if location.startswith("/") else location
    assert traefik.leads(f"/docs{path}", "docs.example.com") == (status, below)


@pytest.mark.parametrize("path", ["/olds", "/old/x", "/ol", "/pricexx1", "/blog/2019", "/blog/1/2/3", "/neighbour/old"])
def test_similar_paths_are_not_redirected(traefik: Traefik, path: str) -> None:
    assert traefik.get(path)[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/news//evil.test/x", "/news///evil.test", "/news/\\evil.test", "/news//\\evil.test", "/news/%2f/evil.test"],
)
def test_v4_no_redirect_of_the_site_leads_to_another_host(traefik: Traefik, path: str) -> None:
    _, location = traefik.leads(path)
    assert not location.startswith(("//", "/\\", "http")), location


def test_v4_no_redirect_adds_a_header_to_the_answer(traefik: Traefik) -> None:
    _, _, headers = traefik.get("/news/%0d%0aSet-Cookie:%20a=b")
    assert headers["Location"] == "/%0D%0ASet-Cookie:%20a=b"
    assert "Set-Cookie" not in headers


def test_other_methods_get_a_redirect_that_preserves_them(traefik: Traefik) -> None:
    assert traefik.leads("/old", method="POST") == (308, "/new")
    assert traefik.leads("/temp", method="POST") == (307, "/x?own=1")


def test_d7_no_redirect_intercepts_acme_challenges(traefik: Traefik) -> None:
    assert traefik.leads("/.well-known/x") == (301, "/hidden")
    assert traefik.get("/.well-known/acme-challenge/token")[:2] == (200, "/team/www/.well-known/acme-challenge/token")


def test_headers_apply_to_their_paths_and_the_longest_path_wins(traefik: Traefik) -> None:
    home, other, asset, one = (traefik.get(path)[2] for path in ("/", "/x", "/assets/b", "/assets/a"))
    assert (home["X-All"], home["X-Home"], home["Cache-Control"]) == ("all", "home", "no-cache")
    assert (other["X-All"], other["X-Both"], "X-Home" in other) == ("all", "all", False)
    assert (asset["X-All"], asset["X-Both"], asset["Cache-Control"]) == ("all", "assets", "public")
    assert (one["X-Both"], one["Cache-Control"], one["X-Quote"]) == ("a", "public", 'a "b" $c \\d')
    assert traefik.get("/docs/assets/a", "docs.example.com")[2]["X-Both"] == "a"
    assert traefik.get("/docs/", "docs.example.com")[2]["X-Home"] == "home"
    assert traefik.get("/docs/assets/a", "docs.example.com")[1] == "/team/docs/assets/a"


def test_d6_headers_of_a_site_do_not_take_over_other_paths(traefik: Traefik) -> None:
    _, path, headers = traefik.get("/neighbour/x")
    assert (path, headers["Seen-X-Pages-Site"], "X-Stolen" in headers) == ("/team/neighbour/x", "team/neighbour", False)


def test_a_visitor_cannot_disable_the_password(traefik: Traefik) -> None:
    for path in ("/", "/assets/a", "/.well-known/acme-challenge/x"):
        headers = traefik.get(path)[2]
        assert (headers["Seen-X-Pages-Site"], headers["Seen-X-Pages-Auth"]) == ("team/www", "required")


def test_a_visitor_cannot_forge_the_counted_address(traefik: Traefik) -> None:
    assert traefik.get("/")[2]["Seen-X-Real-Ip"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "path", "location"),
    [
        ("www.example.com", "/", "http://example.com/"),
        ("www.example.com", "/a/b?c=d&e", "http://example.com/a/b?c=d&e"),
        ("www.example.com:8080", "/?x", "http://example.com:8080/?x"),
        ("d.example.com", "/x", "http://docs.example.com/docs/x"),
        ("d.example.com", "/docs/x?y", "http://docs.example.com/docs/x?y"),
        ("d.example.com", "/docsx", "http://docs.example.com/docs/docsx"),
        ("www.example.com", "//evil.test/", "http://example.com/evil.test/"),
    ],
)
def test_an_alias_leads_to_its_site(traefik: Traefik, host: str, path: str, location: str) -> None:
    status, found = traefik.leads(path, host)
    assert (status, found.replace("com//", "com/")) == (301, location)
