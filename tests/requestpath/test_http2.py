"""Attacks over HTTP/2 (V1 to V5), which Traefik forwards as HTTP/1.1 to nginx, and attacks specific to HTTP/2."""

import pytest

from tests.support.http2 import RESET, Headers
from tests.support.request_path import RequestPath

A, B = "team-a.example.org", "team-b.example.org"


def get(path: str = "/about", *more: tuple[str, str], authority: str = A, **pseudo: str) -> Headers:
    """The headers of a request, followed by ``more``."""
    asked = {"method": "GET", "scheme": "https", "authority": authority, "path": path} | pseudo
    return [*((f":{name}", value) for name, value in asked.items()), *more]


def test_a_page_is_the_same_over_http2(two_sites: RequestPath) -> None:
    answer = two_sites.ask_http2(A, get())
    assert (answer.status, answer.text) == (200, "about team-a")
    assert two_sites.ask_http2(A, get("/docs")).headers["location"] == "/docs/"


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fteam-b/site/secret.html",
        "/../../team-b/site/secret.html",
        "/%2e%2e/%2e%2e/team-b/site/secret.html",
        "/..\\..\\team-b\\site\\secret.html",
        "//team-b.example.org/secret.html",
        "/secret.html\0.png",
        "/about HTTP/1.1\r\nHost: team-b.example.org",
        "/.env",
        "*",
        "about",
        "",
    ],
)
def test_v1_no_path_leads_out_of_a_site(two_sites: RequestPath, path: str) -> None:
    answer = two_sites.ask_http2(A, get(path))
    assert answer.status in {RESET, 400, 404}
    assert "team-b" not in answer.text and "secret" not in answer.text


def test_the_authority_selects_the_site(two_sites: RequestPath) -> None:
    assert two_sites.ask_http2(A, get("/about", ("host", B))).text == "about team-a"
    assert two_sites.ask_http2(B, get("/about", ("host", B))).text == "about team-a"
    assert two_sites.ask_http2(A, get(authority=f"{A.upper()}.:443")).text == "about team-a"


@pytest.mark.parametrize("authority", ["", f"x@{B}", f"{B}/..", f"{A}\r\nHost: {B}", f"{A}, {B}", f"{B} "])
def test_an_invalid_authority_shows_nothing(two_sites: RequestPath, authority: str) -> None:
    answer = two_sites.ask_http2(A, get(authority=authority))
    assert answer.status in {RESET, 400, 404}
    assert "team" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        get("/about", (":authority", B)),
        get("/about", (":path", "/team-b/site/secret.html")),
        get("/about", ("x-a", "b"), (":method", "GET")),
        get("/about", (":x-pages-site", "team-b/site")),
        get("/about", ("X-Pages-Site", "team-b/site")),
        get("/about", ("x-a", "b\r\nX-Pages-Site: team-b/site")),
        get("/about", ("x-a\r\nx-pages-site", "team-b/site")),
        get("/about", ("x-a: b\r\nc", "d")),
        get("/about", ("x a", "b")),
        get("/about", ("", "b")),
        get(scheme=f"https://{B}/secret.html?"),
        get(method="GET /team-b/site/secret.html HTTP/1.1\r\nX: "),
        get(method=""),
        get(method="CONNECT"),
    ],
    ids=repr,
)
def test_headers_cannot_smuggle_a_request_to_nginx(two_sites: RequestPath, headers: Headers) -> None:
    assert two_sites.ask_http2(A, headers).status == RESET


@pytest.mark.parametrize(
    "header",
    [
        ("connection", "X-Pages-Auth"),
        ("proxy-connection", "X-Pages-Auth"),
        ("keep-alive", "X-Pages-Auth"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "chunked"),
    ],
)
def test_v5_connection_headers_are_rejected(two_sites: RequestPath, header: tuple[str, str]) -> None:
    assert two_sites.ask_http2(A, get("/closed/", header)).status == 400


@pytest.mark.parametrize("name", ["x-pages-site", "x_pages_site", "x-pages-prefix", "x_pages_prefix", "x_pages_auth"])
@pytest.mark.parametrize("value", ["team-b/site", "//evil.example", ""])
def test_v3_no_header_selects_a_site_or_influences_a_redirect(two_sites: RequestPath, name: str, value: str) -> None:
    assert two_sites.ask_http2(A, get("/about", (name, value))).text == "about team-a"
    assert two_sites.ask_http2(A, get("/below/docs", (name, value))).headers["location"] == "/below/docs/"


@pytest.mark.parametrize("header", [("x-pages-auth", ""), ("x_pages_auth", ""), ("te", "trailers")])
def test_v3_no_header_opens_a_closed_site(two_sites: RequestPath, header: tuple[str, str]) -> None:
    assert two_sites.ask_http2(A, get("/closed/", header)).status == 401


@pytest.mark.parametrize("length", [None, "0", "2", "1000"])
def test_v5_no_request_hides_in_a_body(two_sites: RequestPath, length: str | None) -> None:
    hidden = f"0\r\n\r\nGET /team-b/site/hidden-{length} HTTP/1.1\r\nHost: {B}\r\n\r\n".encode()
    more = [("content-length", length)] if length else []
    answer = two_sites.ask_http2(A, get("/about", *more), hidden)
    assert answer.status in {RESET, 200, 400, 413, 502}  # 502: the body was shorter than announced
    assert two_sites.ask_http2(A, get()).text == "about team-a"
    assert not two_sites.nginx_saw(f"/team-b/site/hidden-{length}")
