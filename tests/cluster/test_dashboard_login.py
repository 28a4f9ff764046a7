"""The dashboard behind a login, as docs/how-to/dashboard.md has it: a real Traefik with forwardAuth, a small login."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin

import pytest
import yaml

from cli.processes.listener import Listener
from syncer.dashboard.app import create_app
from tests.support.answering import answering
from tests.support.control_plane import ROOT, Cluster
from tests.support.dashboard import Shown, seen
from tests.support.raw_http import Answer, exchange, request
from tests.support.serving import eventually
from tests.support.traefik import Traefik, traefik_is_there

HOST = "pages-admin.example.com"
MANIFESTS, RULES = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/how-to/dashboard.md").read_text(), re.DOTALL)
SPELLINGS = [
    "/namespaces/marketing/../secret/",
    "/namespaces/marketing/..%2fsecret/",
    "/namespaces/marketing/%2e%2e/secret/",
    "/namespaces/marketing/%2E%2E/%2E%2E/",
    "/namespaces/marketing/..\\..\\",
    "/namespaces/marketing/..;/secret/",
    "/namespaces/marketing//../../secret/sites/plans",
    "/-/../namespaces/secret/",
    "/-/..%2fnamespaces/secret/sites/plans",
    "//namespaces/marketing/../../",
    "/namespaces/secret/#/namespaces/marketing/",
    "https://pages-admin.example.com/-/../",
]


class _Login(BaseHTTPRequestHandler):
    """Does by the rules of the how-to what Authelia does; who somebody is, his cookie says."""

    def do_GET(self) -> None:
        host, path = self.headers["X-Forwarded-Host"], self.headers["X-Forwarded-Uri"].partition("?")[0]
        group = f"group:{self.headers.get('Cookie', '').removeprefix('group=')}"
        may = any(
            rule["domain"] == host
            and rule["subject"] == group
            and any(re.search(each, path) for each in rule.get("resources", [""]))
            for rule in yaml.safe_load(RULES)["access_control"]["rules"]
        )
        self.send_response(200 if may else 401)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def login() -> Iterator[str]:
    with answering(ThreadingHTTPServer(("127.0.0.1", 0), _Login)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def traefik(cluster: Cluster, login: str, tmp_path: Path) -> Iterator[Traefik]:
    """Traefik with the objects of the how-to, of which only the addresses are those of this machine."""
    if not traefik_is_there():
        pytest.skip("Traefik is not built: run `make tools` once")
    sites = [seen("plans", "secret"), seen("blog", "marketing")]
    listener = Listener("127.0.0.1:0")
    listener.start(create_app(Shown(sites).view()))
    service, middleware, route = yaml.safe_load_all(MANIFESTS)
    service["spec"] = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": listener.port}]}
    middleware["spec"]["forwardAuth"]["address"] = login
    route["spec"]["routes"][0]["services"][0]["port"] = listener.port
    cluster.apply(service, middleware, route)
    with Traefik(tmp_path, cluster) as running:
        running.wait_until_ready()
        yield running
    cluster.delete("service", service["metadata"]["name"])
    listener.stop()


def ask(traefik: Traefik, path: str, group: str) -> Answer:
    with traefik.connect(HOST) as connection:
        return exchange(connection, request(f"GET {path} HTTP/1.1", {"Host": HOST, "Cookie": f"group={group}"}))


def test_whoever_logs_in_sees_what_the_rules_let_him_and_nobody_else_anything(traefik: Traefik) -> None:
    eventually(lambda: ask(traefik, "/", "admins").status == 200)
    everything = ask(traefik, "/", "admins").text
    assert "plans" in everything and "blog" in everything
    page = ask(traefik, "/namespaces/marketing/", "marketing").text
    named = re.findall(r'(?:href|src)="?([^" >]+/-/[^" >]+)', page)
    loaded = [urljoin("/namespaces/marketing/", each) for each in named]
    assert len(loaded) >= 2 and {ask(traefik, each, "marketing").status for each in loaded} == {200}
    assert "blog" in ask(traefik, "/namespaces/marketing/sites/blog?x=1", "marketing").text
    for path in ("/", "/?q=blog", "/namespaces/secret/", "/namespaces/secret/sites/plans"):
        assert ask(traefik, path, "marketing").status == 401
    for path in ("/", "/namespaces/marketing/", "/-/dashboard.css"):
        assert ask(traefik, path, "").status == 401


def test_no_spelling_of_a_path_shows_what_the_rules_keep(traefik: Traefik) -> None:
    eventually(lambda: ask(traefik, "/namespaces/secret/sites/plans", "admins").status == 200)
    shown = {path: ask(traefik, path, "marketing") for path in SPELLINGS}
    assert [path for path, answer in shown.items() if answer.status == 200 or "plans" in answer.text] == []
