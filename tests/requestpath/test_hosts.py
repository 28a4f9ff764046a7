"""The site of a request for any spelling of its host, sent byte for byte through Traefik and nginx."""

import pytest

from tests.support.request_path import RequestPath

A, B = "team-a.example.org", "team-b.example.org"


def lines(*lines: str) -> bytes:
    """A request with these lines."""
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


@pytest.mark.parametrize("host", [A.upper(), f"{A}.", f"{A}:443", f"{A}:8080", f"{A}:x", f" {A}\t"])
def test_a_domain_matches_in_any_spelling_and_redirects_are_canonical(two_sites: RequestPath, host: str) -> None:
    answer = two_sites.send(A, lines("GET /about HTTP/1.1", f"Host: {host}"))
    assert (answer.status, answer.text) == (200, "about team-a")
    assert two_sites.send(A, lines("GET /docs HTTP/1.1", f"Host: {host}")).headers["location"] == "/docs/"


@pytest.mark.parametrize(
    "host",
    [
        f"{A}, {B}",
        f"{A}/x",
        f"{A}@{B}",
        f"x@{A}",
        f"{A}#",
        f"{A}?",
        f"{A}..",
        f".{A}",
        f"{A}\0",
        f"{A}`) || Host(`{B}",
        f"x.{A}",
        "example.org",
        "127.0.0.1",
        "*",
        "",
    ],
)
def test_an_unclaimed_domain_shows_nothing(two_sites: RequestPath, host: str) -> None:
    answer = two_sites.send(A, lines("GET /about HTTP/1.1", f"Host: {host}"))
    assert answer.status in {400, 404}
    assert "team" not in answer.text


@pytest.mark.parametrize(
    ("request_line", "hosts", "status"),
    [
        ("GET /about HTTP/1.1", [A, B], 400),
        ("GET /about HTTP/1.1", [A, A], 400),
        ("GET /about HTTP/1.1", [], 400),
        ("GET /about HTTP/1.0", [], 404),
        ("GET /about", [], 400),
        ("GET /about HTTP/9.9", [A], 505),
    ],
)
def test_a_request_without_exactly_one_host_gets_no_site(
    two_sites: RequestPath, request_line: str, hosts: list[str], status: int
) -> None:
    answer = two_sites.send(A, lines(request_line, *(f"Host: {each}" for each in hosts)))
    assert answer.status == status
    assert "team" not in answer.text


@pytest.mark.parametrize("start", [f"https://{B}", f"http://{B}", f"HTTPS://{B.upper()}:443", f"https://{A}@{B}"])
def test_an_absolute_url_overrides_the_host_header(two_sites: RequestPath, start: str) -> None:
    assert two_sites.send(A, lines(f"GET {start}/about HTTP/1.1", f"Host: {A}")).text == "about team-b"
    out = two_sites.send(A, lines(f"GET {start}/..%2f..%2fteam-a/site/secret.html HTTP/1.1", f"Host: {A}"))
    assert out.status == 400
    assert "team-a" not in out.text


@pytest.mark.parametrize(
    "target", [f"//{B}/about", f"{B}:443", f"{B}/about", f"https://{B}\\@{A}/about", "*", "https:/"]
)
def test_a_malformed_target_leads_to_no_other_site(two_sites: RequestPath, target: str) -> None:
    assert "team-b" not in two_sites.send(A, lines(f"GET {target} HTTP/1.1", f"Host: {A}")).text


def test_the_host_header_counts_and_not_the_tls_server_name(two_sites: RequestPath) -> None:
    assert two_sites.send(B, lines("GET /about HTTP/1.1", f"Host: {A}")).text == "about team-a"
    assert two_sites.send(B, lines("GET /closed/ HTTP/1.1", f"Host: {A}")).status == 401


def test_plain_http_serves_no_site_unless_enabled(two_sites: RequestPath) -> None:
    assert two_sites.ask_plain(A, "/about").status == 404
    assert two_sites.ask_plain(A, "/closed/").status == 404
