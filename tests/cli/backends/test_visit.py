"""One request as a visitor's browser makes it, and its verdict; real servers, real certificates."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.backends.visit import visit
from cli.diagnosis.facts import Facts, Response
from cli.diagnosis.responses import request
from cli.diagnosis.verdicts import State, Verdict
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
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    status = 200
    headers: dict[str, str]
    body = b"hello"
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us hangs up."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server and returns its port."""
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


def judged(response: Response, status: dict[str, Any] = LIVE, **spec: object) -> Verdict:
    site = {
        "metadata": {"namespace": "team", "name": "blog"},
        "spec": {"repo": "https://x.example/y", **spec},
        "status": status,
    }
    return request(Facts(site, datetime.now(UTC), response=response))


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
def test_each_problem_of_a_certificate_has_its_reason(
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
    verdict = judged(visit(f"https://www.example.org:{serve(pem=pem)}/", "127.0.0.1"))
    assert verdict.reason == reason, verdict
    assert bool(verdict.remedy) == bool(reason)


def test_a_name_that_does_not_resolve_needs_a_dns_record() -> None:
    verdict = judged(visit("http://blog.nowhere.invalid/", platform_name="127.0.0.2"))
    assert verdict.reason == "DNSMissing"
    assert "blog.nowhere.invalid to 127.0.0.2" in verdict.remedy


def test_a_name_that_points_elsewhere_is_compared_with_the_platforms_addresses(serve: Serve) -> None:
    for port in (serve(headers={"Server": "other"}), serve(404, {}, b"nothing"), free_port()):
        verdict = judged(visit(f"http://localhost:{port}/", platform_name="127.0.0.2"))
        assert verdict.reason == "DNSElsewhere", verdict
        assert "but the platform is at 127.0.0.2" in verdict.text


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
def test_every_response_has_its_reason(
    serve: Serve, status: int, headers: dict[str, str], body: bytes, reason: str
) -> None:
    verdict = judged(visit(f"http://www.example.org:{serve(status, headers, body)}/", "127.0.0.1"))
    assert verdict.reason == reason, verdict
    assert (verdict.state is State.OK) == (not reason)


def test_a_redirect_of_the_site_itself_is_not_another_servers(serve: Serve) -> None:
    ours = {"Server": "nginx", "Vary": "Accept-Encoding", "Location": "/en/"}
    assert judged(visit(f"http://www.example.org:{serve(302, ours)}/", "127.0.0.1")).state is State.OK
    other = visit(f"http://www.example.org:{serve(302, {'Location': '/en/'})}/", "127.0.0.1")
    assert judged(other, redirects=[{"from": "/", "to": "/en/", "status": 302}]).reason == "AnotherServer"


def test_the_line_that_redirects_is_named(serve: Serve) -> None:
    ours = {"Server": "nginx", "Vary": "Accept-Encoding", "Location": "/en/", "X-Pages-Rule": "_redirects:3"}
    verdict = judged(visit(f"http://www.example.org:{serve(302, ours)}/", "127.0.0.1"))
    assert verdict.text.endswith("a redirect to /en/, by _redirects:3")


def test_a_response_like_ours_from_another_address_is_a_warning(serve: Serve) -> None:
    verdict = judged(visit(f"http://localhost:{serve()}/", platform_name="127.0.0.2"))
    assert (verdict.state, verdict.reason) == (State.WARNING, "DNSElsewhere")
    assert "change the DNS record of localhost to 127.0.0.2" in verdict.remedy


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"<p>There is no page at this address.\n", "NoRelease"),
        (404, b"404 page not found\n", "TraefikKnowsNoRoute"),
    ],
)
def test_a_site_that_is_not_ready_yet_is_pending(serve: Serve, status: int, body: bytes, reason: str) -> None:
    verdict = judged(visit(f"http://www.example.org:{serve(status, NOSNIFF, body)}/", "127.0.0.1"), {})
    assert (verdict.state, verdict.reason) == (State.WAITING, reason)


def test_traefiks_default_certificate_is_pending_until_one_is_issued(serve: Serve, tmp_path: Path) -> None:
    port = serve(pem=certificate(tmp_path, "TRAEFIK DEFAULT CERT"))
    verdict = judged(visit(f"https://www.example.org:{port}/", "127.0.0.1"), {})
    assert (verdict.state, verdict.reason) == (State.WAITING, "DefaultCertificate")


def test_a_site_that_requires_a_password_is_not_broken(serve: Serve) -> None:
    response = visit(f"http://www.example.org:{serve(401)}/", "127.0.0.1")
    assert judged(response, basicAuth={"secretRef": {"name": "users"}}).state is State.OK


def test_no_server_and_a_server_without_http_differ(serve: Serve, tmp_path: Path) -> None:
    assert judged(visit(f"http://www.example.org:{free_port()}/", "127.0.0.1")).reason == "NoConnection"
    speaks_tls = serve(pem=certificate(tmp_path, "www.example.org"))
    assert judged(visit(f"http://www.example.org:{speaks_tls}/", "127.0.0.1")).reason in {"NoHTTP", "NoConnection"}
    assert judged(visit(f"https://www.example.org:{serve()}/", "127.0.0.1")).reason == "CertificateUntrusted"
