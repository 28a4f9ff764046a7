"""The shared nginx: what visitors get, and what they never get."""

import gzip
import re
import threading
from pathlib import Path

import pytest

from tests.nginx.conftest import SHIPPED, Sites
from tests.support.raw_http import ask

A = {"X_Pages_Site": "a/one"}


@pytest.fixture(scope="module", autouse=True)
def content(sites: Sites) -> None:
    sites.release(
        "a/one",
        {
            "index.html": "home of a/one",
            "page.html": "page",
            "docs/index.html": "docs",
            "docs/deep/index.html": "deep",
            "empty/file.txt": "x",
            "with space/index.html": "spaced",
            "größe/index.html": "sized",
            "100%/index.html": "percent",
            "style.css": "body { color: red }\n" * 100,
            "big.bin": "0123456789" * 1000,
            ".env": "SECRET=1",
            ".git/config": "secret",
            "docs/.hidden/x": "secret",
            ".well-known/security.txt": "Contact: us",
            ".well-known/.secret": "secret",
            "healthz": "a site's own file",
            "image.webp": "x",
            "app.mjs": "export {}",
            "module.wasm": "x",
        },
    )
    sites.release("b/two", {"index.html": "home of b/two", "404.html": "b/two has its own: sorry", "evil.html": "evil"})
    sites.release("a/no-index", {"file.txt": "x"})
    sites.release("a/odd-404", {"404.html/index.html": "a folder"})


def test_a_page_and_the_index_are_served(sites: Sites) -> None:
    assert sites.ask("/a/one/page.html", **A).text == "page"
    assert sites.ask("/a/one/", **A).text == "home of a/one"
    assert sites.ask("/a/one/docs/", **A).text == "docs"
    assert sites.ask("/b/two/").text == "home of b/two"


@pytest.mark.parametrize(
    ("path", "prefix", "location"),
    [
        ("/a/one/docs", "", "/docs/"),
        ("/a/one/docs?q=1&r=%2f", "", "/docs/?q=1&r=%2f"),
        ("/a/one/docs/deep", "", "/docs/deep/"),
        ("/a/one/with%20space", "", "/with%20space/"),
        ("/a/one/gr%C3%B6%C3%9Fe", "", "/gr%C3%B6%C3%9Fe/"),
        ("/a/one/100%25", "", "/100%25/"),
        ("/a/one", "", "/"),
        ("/a/one", "/p", "/p/"),
        ("/a/one/docs", "/p", "/p/docs/"),
        ("/a/one/docs", "/p/q.r", "/p/q.r/docs/"),
        ("/a/one/docs", "//evil.example", "/docs/"),
        ("/a/one/docs", "https://evil.example", "/docs/"),
        ("/a/one/docs", "/../x", "/docs/"),
    ],
)
def test_a_folder_without_its_slash_redirects_to_the_public_url(
    sites: Sites, path: str, prefix: str, location: str
) -> None:
    answer = sites.ask(path, **A, X_Pages_Prefix=prefix)
    assert (answer.status, answer.headers["location"]) == (301, location)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:99"},
        {"X_Forwarded_Host": "evil.example"},
        {"X_Forwarded_Proto": "javascript"},
        {"X_Forwarded_Prefix": "/evil"},
        {"X_Forwarded_Port": "99"},
        {"Forwarded": "host=evil.example"},
        {"X_Original_URL": "/evil"},
        {"X_Rewrite_URL": "/evil"},
    ],
)
def test_a_visitor_cannot_influence_a_redirect(sites: Sites, headers: dict[str, str]) -> None:
    assert sites.ask("/a/one/docs", **A, **headers).headers["location"] == "/docs/"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/docs",
        "/a/one//evil.example/docs",
        "/a/one//docs",
        "/a/one/%0d%0aSet-Cookie:x/docs",
        "/a/one/docs%3f",
    ],
)
def test_a_redirect_never_leads_to_another_host_or_adds_a_header(sites: Sites, path: str) -> None:
    answer = sites.ask(path, **A)
    location = answer.headers.get("location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/a/one/..%2f..%2fb/two/evil.html",
        "/a/one/..%2F..%2Fb%2Ftwo/evil.html",
        "/a/one/%2e%2e/%2e%2e/b/two/evil.html",
        "/a/one/%2E%2E/x",
        "/a/one/.%2e/x",
        "/a/one/../../b/two/evil.html",
        "/a/one/../one/page.html",
        "/a/one/docs/..",
        "/a/one/..",
        "/../etc/passwd",
        "/a/one/./page.html",
        "/a/one/%2e/page.html",
        "/a/one/..%5cb",
        "/a/one/..\\..\\b",
        "/a/one/x%00.html",
        "/a/one/page.html%00",
        "/a/one/%2fetc",
        "/a/one/page.html#x",
    ],
)
def test_an_ambiguous_path_is_rejected(sites: Sites, path: str) -> None:
    answer = sites.ask(path, **A)
    assert answer.status == 400
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "path", ["/a/one/%252e%252e/%252e%252e/b/two/evil.html", "/a/one/..%c0%af..%c0%afb/two/evil.html"]
)
def test_a_doubly_encoded_path_is_not_found(sites: Sites, path: str) -> None:
    answer = sites.ask(path, **A)
    assert answer.status in {400, 404}
    assert "evil" not in answer.text


def test_a_query_may_hold_anything(sites: Sites) -> None:
    assert sites.ask("/a/one/page.html?next=%2f..%5c%00/../", **A).text == "page"


@pytest.mark.parametrize(
    "path",
    [
        "/a/one/.env",
        "/a/one/.git/config",
        "/a/one/.git",
        "/a/one/docs/.hidden/x",
        "/a/one/.well-known/.secret",
        "/a/one/x/.well-known/y",
        "/.tmp-x",
        "/a/.tmp-one/",
    ],
)
def test_names_that_begin_with_a_dot_are_not_found(sites: Sites, path: str) -> None:
    answer = sites.ask(path)
    assert answer.status == 404
    assert "secret" not in answer.text.lower()


def test_the_well_known_folder_is_served(sites: Sites) -> None:
    assert sites.ask("/a/one/.well-known/security.txt", **A).text == "Contact: us"


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/", "/b/", "/A/one/", "/a/o_ne/", "/a/nothing/", "/-a/one/", "/a%2done/"]
)
def test_folders_of_the_volume_are_not_listed(sites: Sites, path: str) -> None:
    answer = sites.ask(path)
    assert answer.status == 404
    assert "one" not in answer.text


@pytest.mark.parametrize("said", ["b/two", "a/one/", "a/on", "", " ", "a/one b/two"])
def test_the_site_header_must_match_the_path(sites: Sites, said: str) -> None:
    answer = sites.ask("/a/one/page.html", X_Pages_Site=said)
    assert answer.status == 404


def test_without_the_headers_that_traefik_sets_nothing_is_served(sites: Sites) -> None:
    assert ask(sites.port, "GET /a/one/page.html HTTP/1.1", X_Pages_Auth="public").status == 404
    assert ask(sites.port, "GET /a/one/page.html HTTP/1.1", X_Pages_Site="a/one").status in {401, 403, 404}


def test_a_header_with_underscores_is_ignored(sites: Sites) -> None:
    answer = ask(
        sites.port,
        "GET /a/one/docs HTTP/1.1\r\nX_Pages_Prefix: /evil\r\nX_Pages_Site: b/two",
        X_Pages_Site="a/one",
        X_Pages_Auth="public",
    )
    assert (answer.status, answer.headers["location"]) == (301, "/docs/")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "MKCOL", "FOO"])
def test_only_get_and_head_are_allowed(sites: Sites, method: str) -> None:
    answer = sites.ask("/a/one/page.html", method, **A)
    assert answer.status == 405
    if method != "TRACE":  # which nginx itself rejects
        assert answer.headers["allow"] == "GET, HEAD"


def test_head_has_the_headers_and_no_body(sites: Sites) -> None:
    answer = sites.ask("/a/one/page.html", "HEAD", **A)
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "4")


def test_a_missing_page_and_a_folder_without_index_are_404(sites: Sites) -> None:
    for path in ("/a/one/nope", "/a/one/empty/", "/a/no-index/", "/a/gone/x"):
        answer = sites.ask(path)
        assert answer.status == 404
        assert "Not found" in answer.text
        assert answer.headers["content-type"].startswith("text/html")


def test_a_site_has_its_own_404_page_and_no_other_sites(sites: Sites) -> None:
    answer = sites.ask("/b/two/nope", X_Pages_Site="b/two")
    assert (answer.status, answer.text) == (404, "b/two has its own: sorry")
    hidden = sites.ask("/b/two/.env", X_Pages_Site="b/two")
    assert (hidden.status, hidden.text) == (404, "b/two has its own: sorry")
    assert "sorry" not in sites.ask("/a/one/nope", **A).text
    assert "sorry" not in sites.ask("/b/two/nope", **A).text
    assert "sorry" not in sites.ask("/b/two/.env", **A).text
    assert sites.ask("/a/odd-404/nope").status == 404


def test_unchanged_pages_are_304_and_changed_pages_are_200(sites: Sites) -> None:
    first = sites.ask("/a/one/page.html", **A)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert sites.ask("/a/one/page.html", **A, If_None_Match=etag).status == 304
    assert sites.ask("/a/one/page.html", **A, If_Modified_Since=modified).status == 304
    assert sites.ask("/a/one/page.html", **A, If_None_Match='"other"').status == 200
    assert first.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("wanted", "status", "size"),
    [
        ("bytes=0-9", 206, 10),
        ("bytes=-5", 206, 5),
        ("bytes=9990-", 206, 10),
        ("bytes=99999-", 416, None),
        ("nonsense", 200, 10_000),
    ],
)
def test_byte_ranges_are_served(sites: Sites, wanted: str, status: int, size: int | None) -> None:
    answer = sites.ask("/a/one/big.bin", **A, Range=wanted)
    assert answer.status == status
    assert size is None or len(answer.body) == size


def test_text_is_compressed_if_the_client_accepts_it(sites: Sites) -> None:
    plain = sites.ask("/a/one/style.css", **A)
    packed = sites.ask("/a/one/style.css", **A, Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert b"color: red" in gzip.decompress(dechunked(packed.body))
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers


def test_nginx_does_not_compress_files_that_are_too_small(sites: Sites) -> None:
    sites.release("a/small", {"1023.html": "x" * 1023, "1024.html": "x" * 1024})
    small, large = (sites.ask(f"/a/small/{size}.html", Accept_Encoding="gzip").headers for size in (1023, 1024))
    assert "content-encoding" not in small
    assert large["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("style.css", "text/css; charset=utf-8"),
        ("page.html", "text/html; charset=utf-8"),
        ("image.webp", "image/webp"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("module.wasm", "application/wasm"),
        ("big.bin", "application/octet-stream"),
    ],
)
def test_files_have_the_right_content_type(sites: Sites, path: str, kind: str) -> None:
    answer = sites.ask(f"/a/one/{path}", **A)
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["server"] == "nginx"


def test_all_text_has_a_charset_and_is_compressed(sites: Sites) -> None:
    lines = re.findall(r"^ +(text/\S+) +(.+);", (SHIPPED / "mime.types").read_text(), re.MULTILINE)
    kinds = {extension: kind for kind, extensions in lines for extension in extensions.split()}
    assert {"html", "css", "mjs", "ics", "tsv"} <= kinds.keys()
    sites.release("a/text", {f"x.{extension}": "text " * 1000 for extension in kinds})
    for extension, kind in kinds.items():
        answer = sites.ask(f"/a/text/x.{extension}", Accept_Encoding="gzip")
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        assert answer.headers["content-encoding"] == "gzip", kind


def test_a_request_body_is_rejected(sites: Sites) -> None:
    assert sites.ask("/a/one/page.html", **A, Content_Length="100000").status == 413


def test_a_new_release_is_live_at_once_during_reads(sites: Sites) -> None:
    sites.release("d/swap", {"index.html": "0" * 100}, release="0")
    torn: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            answer = sites.ask("/d/swap/")
            if answer.status != 200 or len(set(answer.text)) != 1 or len(answer.text) != 100:
                torn.append(f"{answer.status} {answer.text[:50]}")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 60):
        sites.release("d/swap", {"index.html": str(number % 10) * 100}, release=str(number))
        assert sites.ask("/d/swap/").text[0] == str(number % 10)
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


def test_health_has_its_own_port_and_hides_no_site(sites: Sites) -> None:
    assert ask(sites.health_port, "GET /healthz HTTP/1.1").text == "ok\n"
    assert ask(sites.health_port, "GET /a/one/ HTTP/1.1").status == 404
    assert sites.ask("/a/one/healthz", **A).text == "a site's own file"


def test_the_configuration_names_no_site() -> None:
    for path in (Path(__file__).parents[2] / "deploy" / "nginx").glob("*.conf"):
        assert "example" not in path.read_text()


def dechunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        parts.append(body[:length])
        body = body[length + 2 :]
    return b"".join(parts)
