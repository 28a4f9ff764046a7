"""One request as a visitor's browser makes it, and what is made of it; real servers, real certificates."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.backends.visit import visit
from cli.diagnosis.answers import request
from cli.diagnosis.facts import Answer, Facts
from cli.diagnosis.verdicts import Link, State
from tests.support.answering import answering
from tests.support.certificates import certificate
from tests.support.serving import free_port

Serve = Callable[..., int]
NOSNIFF = {"X-Content-Type-Options": "nosniff"}


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    status = 200
    headers: dict[str, str]
    body = b"hello"
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us hangs up."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server and tells its port."""
    running = ExitStack()

    def start(
        status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"hello", pem: Path | None = None
    ) -> int:
        server = _Server(("127.0.0.1", 0), _Handler)
        server.status, server.headers, server.body = status, NOSNIFF if headers is None else headers, body
        if pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        return running.enter_context(answering(server)).server_port

    with running:
        yield start


LIVE = {
    "lastCommit": "c" * 40,
    "conditions": [{"type": each, "status": "True"} for each in ("IngressReady", "CertificateReady")],
}


def judged(answer: Answer, status: dict[str, Any] = LIVE, **spec: object) -> Link:
    site = {
        "metadata": {"namespace": "team", "name": "blog"},
        "spec": {"repo": "https://x.example/y", **spec},
        "status": status,
    }
    return request(Facts(site, datetime.now(UTC), answer=answer))


@pytest.mark.parametrize(
    ("name", "days", "trusted", "reason"),
    [
        ("www.example.org", 1, True, ""),
        ("www.example.org", -1, True, "CertificateExpired"),
        ("other.example.org", 1, True, "WrongCertificate"),
        ("www.example.org", 1, False, "CertificateUntrusted"),
        ("TRAEFIK DEFAULT CERT", 1, False, "DefaultCertificate"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told_apart(
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    days: int,
    trusted: bool,
    reason: str,
) -> None:
    pem = certificate(tmp_path, name, days=days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    link = judged(visit(f"https://www.example.org:{serve(pem=pem)}/", "127.0.0.1"))
    assert link.reason == reason, link
    assert bool(link.remedy) == bool(reason)


def test_a_name_that_does_not_resolve_is_named_with_the_record_that_is_missing() -> None:
    link = judged(visit("http://blog.nowhere.invalid/", platform_name="127.0.0.2"))
    assert link.reason == "DNSMissing"
    assert "blog.nowhere.invalid to 127.0.0.2" in link.remedy


def test_a_name_that_leads_to_another_server_is_told_by_where_the_platform_is(serve: Serve) -> None:
    for port in (serve(headers={"Server": "other"}), serve(404, {}, b"nothing"), free_port()):
        link = judged(visit(f"http://localhost:{port}/", platform_name="127.0.0.2"))
        assert link.reason == "DNSElsewhere", link
        assert "and the platform is at 127.0.0.2" in link.text


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        (200, NOSNIFF, b"<p>", ""),
        (302, NOSNIFF | {"Location": "/en/"}, b"", ""),
        (404, NOSNIFF, b"<p>There is no page at this address.\n", "NoIndex"),
        (404, NOSNIFF, b"404 page not found\n", "TraefikKnowsNoRoute"),
        (502, {}, b"Bad Gateway", "BadGateway"),
        (200, {"Server": "other"}, b"parked", "AnotherServer"),
        (404, {}, b"nothing here", "AnotherServer"),
        (401, NOSNIFF, b"", "UnexpectedAnswer"),
        (200, {"Server": "nginx", "Vary": "Accept-Encoding"}, b"<p>", ""),  # a site's own X-Content-Type-Options
        (302, {"Server": "nginx", "Location": "https://parking.example.com/"}, b"", "AnotherServer"),
    ],
)
def test_every_answer_has_its_cause(
    serve: Serve, status: int, headers: dict[str, str], body: bytes, reason: str
) -> None:
    link = judged(visit(f"http://www.example.org:{serve(status, headers, body)}/", "127.0.0.1"))
    assert link.reason == reason, link
    assert (link.state is State.OK) == (not reason)


def test_a_redirect_of_the_sites_own_is_no_other_servers(serve: Serve) -> None:
    answer = visit(f"http://www.example.org:{serve(302, {'Location': '/en/'})}/", "127.0.0.1")
    assert judged(answer).reason == "AnotherServer"
    assert judged(answer, redirects=[{"from": "/old", "to": "/en/"}]).reason == "AnotherServer"
    assert judged(answer, redirects=[{"from": "/", "to": "/en/", "status": 302}]).state is State.OK
    of_files = {"rules": {"redirects": [{"from": "/*", "to": "/en/:splat", "status": 302}]}}
    assert judged(answer, LIVE | of_files).state is State.OK


def test_what_looks_like_ours_where_dns_leads_elsewhere_is_doubted(serve: Serve) -> None:
    link = judged(visit(f"http://localhost:{serve()}/", platform_name="127.0.0.2"))
    assert (link.state, link.reason) == (State.WARNING, "DNSElsewhere")
    assert "change the DNS record of localhost to 127.0.0.2" in link.remedy


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"<p>There is no page at this address.\n", "NoRelease"),
        (404, b"404 page not found\n", "TraefikKnowsNoRoute"),
    ],
)
def test_what_is_on_its_way_is_waited_for(serve: Serve, status: int, body: bytes, reason: str) -> None:
    link = judged(visit(f"http://www.example.org:{serve(status, NOSNIFF, body)}/", "127.0.0.1"), {})
    assert (link.state, link.reason) == (State.WAITING, reason)


def test_traefiks_own_certificate_is_no_fault_until_there_is_one(serve: Serve, tmp_path: Path) -> None:
    port = serve(pem=certificate(tmp_path, "TRAEFIK DEFAULT CERT"))
    link = judged(visit(f"https://www.example.org:{port}/", "127.0.0.1"), {})
    assert (link.state, link.reason) == (State.WAITING, "DefaultCertificate")


def test_a_password_that_the_site_wants_is_no_fault(serve: Serve) -> None:
    answer = visit(f"http://www.example.org:{serve(401)}/", "127.0.0.1")
    assert judged(answer, basicAuth={"secretRef": {"name": "users"}}).state is State.OK


def test_nobody_there_and_nothing_that_speaks_http_are_told_apart(serve: Serve, tmp_path: Path) -> None:
    assert judged(visit(f"http://www.example.org:{free_port()}/", "127.0.0.1")).reason == "NoConnection"
    speaks_tls = serve(pem=certificate(tmp_path, "www.example.org"))
    assert judged(visit(f"http://www.example.org:{speaks_tls}/", "127.0.0.1")).reason in {"NoHTTP", "NoConnection"}
    assert judged(visit(f"https://www.example.org:{serve()}/", "127.0.0.1")).reason == "CertificateUntrusted"
