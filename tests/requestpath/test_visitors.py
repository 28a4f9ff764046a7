"""Attacks of visitors (V1 to V7), sent byte for byte through Traefik and nginx."""

import socket
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from pages.api import REQUESTED_AT
from tests.support.raw_http import ask
from tests.support.request_path import RequestPath
from tests.support.serving import eventually

A, B = "team-a.example.org", "team-b.example.org"


def foreign(text: str) -> bool:
    """Whether the response shows files of the other tenant, or internal files."""
    return "team-b" in text or "secret of" in text


@pytest.mark.parametrize("start", ["/", "/below/", "/docs/"])
@pytest.mark.parametrize(
    "way",
    [
        "..%2f..%2fteam-b/site/secret.html",
        "..%2F..%2Fteam-b%2Fsite%2Fsecret.html",
        "../../team-b/site/secret.html",
        "%2e%2e/%2e%2e/team-b/site/secret.html",
        "%2e%2e%2f%2e%2e%2fteam-b/site/secret.html",
        ".%2e/.%2e/team-b/site/secret.html",
        "..%5c..%5cteam-b%5csite%5csecret.html",
        "..\\..\\team-b\\site\\secret.html",
        "..%252f..%252fteam-b/site/secret.html",
        "..%c0%af..%c0%afteam-b/site/secret.html",
        "..;/..;/team-b/site/secret.html",
        "x/../../../team-b/site/secret.html",
        "//..//..//team-b/site/secret.html",
        "./../.././team-b/site/secret.html",
        "secret.html%00.png",
        "..%00/team-b/site/secret.html",
        "%2fetc/passwd",
        "..%2f..%2f..%2f..%2fetc%2fpasswd",
        "..%2f..%2f..%2freleases/team-b/site/",
    ],
)
def test_v1_no_path_leads_out_of_a_site(two_sites: RequestPath, start: str, way: str) -> None:
    answer = two_sites.ask(A, start + way)
    assert answer.status in {301, 307, 308, 400, 404}
    assert not foreign(answer.text)
    if "location" in answer.headers:  # Traefik's own redirect to the normalized path, which is also not found
        assert not foreign(two_sites.ask(A, answer.headers["location"]).text)


def test_v1_a_query_may_hold_anything(two_sites: RequestPath) -> None:
    assert two_sites.ask(A, "/about?next=%2f..%5c%00/../").text == "about team-a"


@pytest.mark.parametrize(
    "where", ["/.env", "/%2eenv", "/.git/config", "/%2egit/config", "/docs/.htpasswd", "/below/.env"]
)
def test_v2_dotfiles_are_not_found(two_sites: RequestPath, where: str) -> None:
    answer = two_sites.ask(A, where)
    assert answer.status in {400, 404}
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Pages_Site": "team-b/site"},
        {"x_pages_site": "team-b/site"},
        {"X_Pages_Site": "../team-b/site"},
        {"X_Pages_Site": ""},
        {"X_Pages_Prefix": "//evil.example"},
        {"X_Forwarded_Prefix": "/team-b/site"},
        {"X_Forwarded_Uri": "/team-b/site/"},
        {"X_Original_URL": "/team-b/site/"},
        {"X_Rewrite_URL": "/team-b/site/"},
        {"X_Replaced_Path": "/team-b/site/"},
        {"X_Forwarded_Host": B},
        {"Connection": "X-Pages-Site, X-Pages-Prefix"},
    ],
)
def test_v3_no_header_of_a_visitor_selects_the_site(two_sites: RequestPath, headers: dict[str, str]) -> None:
    answer = two_sites.ask(A, "/about", **headers)
    assert (answer.status, answer.text) == (200, "about team-a")


@pytest.mark.parametrize(
    "lines",
    [
        # A proxy must remove headers that Connection names, but not headers that it has added itself.
        "Connection: X-Pages-Auth",
        "Connection: close, x-pages-auth",
        "Connection: X-Pages-Auth, X-Pages-Site, X-Pages-Prefix",
        "Connection: keep-alive\r\nConnection: X-Pages-Auth",
        "Connection: Upgrade, X-Pages-Auth\r\nUpgrade: websocket",
        "Connection: TE, X-Pages-Auth\r\nTE: trailers",
        "Proxy-Connection: X-Pages-Auth",
        "Keep-Alive: X-Pages-Auth",
        "Trailer: X-Pages-Auth",
        "X-Pages-Auth:",
        "X-Pages-Auth: none",
        "X-Pages-Auth:\r\nX-Pages-Auth:",
        "X_Pages_Auth:",
        "X-Pages%2dAuth:",
        "X-Pages-Site: team-a/site",
        "X_Pages_Site: team-a/site",
        "Authorization: Basic Og==",
        "Authorization: Bearer X-Pages-Auth",
    ],
)
def test_v3_no_header_opens_a_closed_site(two_sites: RequestPath, lines: str) -> None:
    answer = two_sites.send(A, f"GET /closed/ HTTP/1.1\r\nHost: {A}\r\n{lines}\r\nConnection: close\r\n\r\n".encode())
    assert answer.status == 401
    assert "team-a" not in answer.text


@pytest.mark.parametrize("line", ["X-Pages-Auth : x", "X-Pages-Auth\t: x", " X-Pages-Auth: x", "X-Pages-Auth", ": x"])
def test_v3_a_malformed_header_is_rejected(two_sites: RequestPath, line: str) -> None:
    sent = f"GET /closed/ HTTP/1.1\r\n{line}\r\nHost: {A}\r\nConnection: close\r\n\r\n"
    assert two_sites.send(A, sent.encode()).status == 400


def test_v3_headers_similar_to_ours_change_nothing(two_sites: RequestPath) -> None:
    lines = f"GET /docs HTTP/1.1\r\nHost: {A}\r\nX_Pages_Site: team-b/site\r\nX-Pages-Site: team-b/site\r\n"
    sent = f"{lines}X-Pages-Site: team-b/site\r\nX_Pages_Prefix: /evil\r\nConnection: close\r\n\r\n"
    answer = two_sites.send(A, sent.encode())
    assert (answer.status, answer.headers["location"]) == (301, "/docs/")


def test_v3_a_client_that_bypasses_traefik_gets_only_public_content(two_sites: RequestPath) -> None:
    port = two_sites.nginx.port
    for site in ("team-b/site", "TEAM-A/SITE", "team-a", "../team-a/site", "team-a/site, team-a/site", "/team-a/site"):
        assert ask(port, "GET /team-a/site/about HTTP/1.1", X_Pages_Site=site).status == 404, site
    assert ask(port, "GET /about HTTP/1.1", X_Pages_Site="team-a/site").status == 404
    assert ask(port, "GET /team-a/site/.env HTTP/1.1").status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_Host": "evil.example"},
        {"X_Forwarded_Proto": "javascript"},
        {"X_Forwarded_Prefix": "//evil.example"},
        {"X_Forwarded_Port": "99"},
        {"X_Pages_Prefix": "//evil.example"},
        {"Forwarded": "host=evil.example"},
        {"Connection": "X-Pages-Prefix"},
    ],
)
def test_v4_no_header_influences_a_redirect(two_sites: RequestPath, headers: dict[str, str]) -> None:
    assert two_sites.ask(A, "/docs", **headers).headers["location"] == "/docs/"
    assert two_sites.ask(A, "/below/docs", **headers).headers["location"] == "/below/docs/"
    assert two_sites.ask(A, "/about/", **headers).headers["location"] == "/about"


@pytest.mark.parametrize(
    "where",
    [
        "//evil.example/..",
        "//evil.example/docs",
        "//evil.example/about/",
        "/\\evil.example/docs",
        "/docs%0d%0aX:y",
        "/below//evil.example/",
    ],
)
def test_v4_no_path_influences_a_redirect(two_sites: RequestPath, where: str) -> None:
    answer = two_sites.ask(A, where)
    location = answer.headers.get("location", "/")
    assert location.startswith("/") and not location.startswith(("//", "/\\"))
    assert "x" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "FOO"])
def test_v5_only_get_and_head(two_sites: RequestPath, method: str) -> None:
    answer = two_sites.ask(A, "/about", method)
    assert answer.status == 405
    assert "about" not in answer.text


@pytest.mark.parametrize(
    "line", ["get /about HTTP/1.1", "Get /about HTTP/1.1", "GET\t/about HTTP/1.1", "GET  /about HTTP/1.1"]
)
def test_v5_a_malformed_request_line_is_rejected(two_sites: RequestPath, line: str) -> None:
    answer = two_sites.send(A, f"{line}\r\nHost: {A}\r\nConnection: close\r\n\r\n".encode())
    assert answer.status == 400
    assert "about" not in answer.text


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding : chunked",
        "Transfer_Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding:\x0bchunked",
        "Content-Length: 4\r\nContent-Length: 40",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5_0",
        "Connection: Content-Length\r\nContent-Length: 5",
        "Expect: 100-continue\r\nContent-Length: 5",
    ],
)
def test_v5_no_request_hides_in_another(two_sites: RequestPath, head: str) -> None:
    """The rest is read as a separate request or rejected, and never by nginx alone."""
    hidden = f"0\r\n\r\nGET /team-b/site/hidden HTTP/1.1\r\nHost: {B}\r\n\r\n"
    sent = f"GET /about HTTP/1.1\r\nHost: {A}\r\n{head}\r\n\r\n{hidden}"
    answer = two_sites.send(A, f"{sent}GET / HTTP/1.1\r\nHost: {A}\r\nConnection: close\r\n\r\n".encode())
    assert answer.status in {200, 400, 405, 413, 501}
    assert two_sites.ask(A, "/about").text == "about team-a"
    assert two_sites.ask(B, "/about").text == "about team-b"
    assert not two_sites.nginx_saw("/team-b/site/hidden")


def test_v5_bodies_and_endless_headers_are_rejected(two_sites: RequestPath) -> None:
    large = two_sites.send(
        A, f"GET /about HTTP/1.1\r\nHost: {A}\r\nContent-Length: 100000000\r\nConnection: close\r\n\r\n".encode()
    )
    assert large.status == 413
    many = "".join(f"X-{number}: {'x' * 900}\r\n" for number in range(200))
    assert two_sites.send(
        A, f"GET /about HTTP/1.1\r\nHost: {A}\r\n{many}Connection: close\r\n\r\n".encode()
    ).status in {400, 431}


def test_v5_an_endless_path_is_rejected(two_sites: RequestPath) -> None:
    assert two_sites.ask(A, f"/about?{'x' * 7000}").text == "about team-a"
    assert two_sites.ask(A, f"/{'x' * 20_000}").status == 414


def test_v5_hundreds_of_ranges_get_one_response(two_sites: RequestPath) -> None:
    ranges = ",".join(f"{number}-{number + 1}" for number in range(0, 1500, 3))
    answer = two_sites.ask(A, "/big.bin", Range=f"bytes={ranges}")
    assert answer.status == 200
    assert len(answer.body) == 10_000
    assert two_sites.ask(A, "/big.bin", Range="bytes=0-1,5-6").status == 206


def test_v5_slow_clients_delay_no_others(two_sites: RequestPath) -> None:
    with ExitStack() as slow:
        for port in [two_sites.traefik.web] * 100 + [two_sites.nginx.port] * 100:
            connection = slow.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: team-a")
        for _ in range(10):
            assert two_sites.ask(A, "/about").status == 200


def test_v6_an_error_page_is_the_sites_own(two_sites: RequestPath) -> None:
    assert two_sites.ask(A, "/nope").text == "team-a has no such page"
    assert two_sites.ask(B, "/nope").text == "team-b has no such page"
    assert "team-b" not in two_sites.ask(A, "/..%2f..%2fteam-b/site/nope").text


def test_v7_browsers_revalidate_all_files_without_a_content_hash(two_sites: RequestPath) -> None:
    page = two_sites.ask(A, "/about")
    assert page.headers["cache-control"] == "no-cache"
    assert two_sites.ask(A, "/about", If_None_Match=page.headers["etag"]).status == 304
    asset = two_sites.ask(A, "/app.3f9a2b1c.js", Accept_Encoding="gzip")
    assert asset.headers["cache-control"] == "max-age=31536000, immutable"
    assert asset.headers["content-encoding"] == "gzip"
    assert two_sites.ask(A, "/gone.3f9a2b1c.js").headers["cache-control"] == "no-cache"


def test_v7_a_push_is_live_at_once_and_open_pages_keep_assets(two_sites: RequestPath) -> None:
    before = {where: two_sites.ask(B, where).headers["etag"] for where in ("/about", "/docs/", "/big.bin")}
    two_sites.git.repository("team-b").commit(
        {"index.html": "new home of team-b", "app.3f9a2b1c.js": None, "app.4444dddd.js": "export {}\n"}
    )
    two_sites.cluster.kubectl(
        "annotate", "staticsite", "site", "-n", "team-b", f"{REQUESTED_AT}={datetime.now(UTC).isoformat()}"
    )
    eventually(lambda: two_sites.shows(B, "new home of team-b"))
    assert two_sites.ask(B, "/app.4444dddd.js").status == 200
    assert two_sites.ask(B, "/app.3f9a2b1c.js").status == 200  # pages from before the push request it
    for where, etag in before.items():
        assert two_sites.ask(B, where, If_None_Match=etag).status == 304, where
