"""The usual features of static hosting: clean URLs, error pages, a fallback page, caching and compression."""

import gzip
import re
from pathlib import Path

import pytest

from tests.nginx.conftest import SHIPPED, Sites
from tests.support.raw_http import Answer

SITE = {"X_Pages_Site": "s/site"}
SINGLE = {"X_Pages_Site": "s/single"}
PAGE = b"a packed page"


@pytest.fixture(scope="module", autouse=True)
def content(sites: Sites) -> None:
    folder = sites.release(
        "s/site",
        {
            "index.html": "home",
            "about.html": "about",
            "team.html": "the team",
            "team/anna.html": "anna",
            "both.html": "the file",
            "both/index.html": "the folder",
            "empty/x.txt": "x",
            "größe.html": "sized",
            "docs/v1/page.html": "page",
            "a.b.html": "dotted",
            "v1.2.html": "dotted too",
            "v1.2/x.txt": "x",
            "LICENSE": "a file",
            "LICENSE.html": "a page",
            "404.html": "root: not found",
            "de/404.html": "de: nicht gefunden",
            "de/hilfe/x.txt": "x",
            "de/hilfe/404.html": "hilfe: nicht gefunden",
            "packed.html": PAGE.decode(),
            "packed.js": "plain",
            "own.csv": "plain",
            ".own-own.csv.gz": "the repository's",
            ".own-alone.tar.gz": "an archive",
        },
    )
    (folder / "packed.html.gz").write_bytes(gzip.compress(PAGE))
    (folder / "packed.js.gz").write_bytes(gzip.compress(b"packed"))
    sites.release("s/single", {"200.html": "the app", "about.html": "about", "real/x.txt": "x", "404.html": "none"})


def get(sites: Sites, path: str, method: str = "GET", **headers: str) -> Answer:
    return sites.ask(f"/s/site{path}", method, **SITE, **headers)


def single(sites: Sites, path: str, **headers: str) -> Answer:
    return sites.ask(f"/s/single{path}", **SINGLE, **headers)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/about", "about"),
        ("/about.html", "about"),
        ("/about?q=1", "about"),
        ("/team", "the team"),  # even with a folder of that name
        ("/team/anna", "anna"),
        ("/both", "the file"),
        ("/both/", "the folder"),
        ("/gr%C3%B6%C3%9Fe", "sized"),
        ("/docs/v1/page", "page"),
        ("/a.b", "dotted"),
        ("//about", "about"),
    ],
)
def test_a_page_is_served_without_html_in_the_url(sites: Sites, path: str, text: str) -> None:
    answer = get(sites, path)
    assert (answer.status, answer.text) == (200, text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/about/", "/about"),
        ("/about//?q=%2f", "/about?q=%2f"),
        ("/team/", "/team"),
        ("/v1.2/", "/v1.2.html"),
        ("/a.b/", "/a.b.html"),
        ("/de", "/de/"),
        ("/empty", "/empty/"),
        ("/gr%C3%B6%C3%9Fe/", "/gr%C3%B6%C3%9Fe"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/p"])
def test_one_redirect_leads_to_the_url_of_a_page(sites: Sites, path: str, location: str, prefix: str) -> None:
    answer = get(sites, path, X_Pages_Prefix=prefix)
    assert (answer.status, answer.headers["location"]) == (301, prefix + location)
    assert get(sites, location).status == (404 if path in {"/empty", "/de"} else 200)  # with no further redirect


@pytest.mark.parametrize(
    "path", ["/about.html/", "/about/x", "/.html", "/team/berta", "/empty/", "/about.htm", "/x/y/"]
)
def test_a_missing_page_is_404(sites: Sites, path: str) -> None:
    assert get(sites, path).status == 404


def test_a_file_without_extension_takes_precedence_over_a_page(sites: Sites) -> None:
    assert get(sites, "/LICENSE").text == "a file"


def test_a_clean_url_behaves_like_its_file(sites: Sites) -> None:
    first = get(sites, "/about")
    assert get(sites, "/about", If_None_Match=first.headers["etag"]).status == 304
    assert get(sites, "/about", Range="bytes=0-2").text == "abo"
    head = get(sites, "/about", "HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, "5", b"")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/x", "root: not found"),
        ("/docs/v1/x", "root: not found"),
        ("/de/x", "de: nicht gefunden"),
        ("/de/x.js", "de: nicht gefunden"),
        ("/de/hilfe/x/y/z", "hilfe: nicht gefunden"),
        ("/de/hilfe/", "hilfe: nicht gefunden"),
        ("/de/.env", "root: not found"),  # rejected before any file is looked up
        ("/x.gz", "root: not found"),
    ],
)
def test_the_nearest_404_page_answers(sites: Sites, path: str, text: str) -> None:
    answer = get(sites, path)
    assert (answer.status, answer.text) == (404, text)
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/users/anna", "/users/anna/", "/real/", "/v1.2", "/example.com", "/x.html"])
def test_the_fallback_page_answers_for_missing_pages(sites: Sites, path: str) -> None:
    answer = single(sites, path)
    assert (answer.status, answer.text) == (200, "the app")
    assert answer.headers["cache-control"] == "no-cache"


def test_existing_files_take_precedence_over_the_fallback_page(sites: Sites) -> None:
    assert single(sites, "/about").text == "about"
    assert single(sites, "/real/x.txt").text == "x"
    assert single(sites, "/.env").status == 404


def extensions() -> list[str]:
    lines = re.findall(r"^ +\S+/\S+ +(.+);", (SHIPPED / "mime.types").read_text(), re.MULTILINE)
    return sorted({each for line in lines for each in line.split()} - {"html", "htm", "xhtml"})


def test_the_fallback_page_does_not_answer_for_missing_files(sites: Sites) -> None:
    wanted = [*extensions(), "JS", "tsx", "css.map", "chunk.js"]
    assert len(wanted) > 130
    for extension in wanted:
        answer = single(sites, f"/assets/missing.{extension}")
        assert (answer.status, answer.text) == (404, "none"), extension


@pytest.mark.parametrize(
    ("destination", "accept", "status"),
    [
        ("document", "text/html,*/*;q=0.8", 200),
        ("iframe", "text/html", 200),
        ("empty", "text/html, application/xhtml+xml", 200),
        ("empty", "*/*", 404),
        ("empty", "application/json", 404),
        ("script", "*/*", 404),
        ("style", "text/css,*/*;q=0.1", 404),
        ("image", "image/avif,image/webp,*/*;q=0.8", 404),
        ("font", "*/*", 404),
        ("manifest", "*/*", 404),
        ("worker", "*/*", 404),
        ("", "text/html", 200),
        ("", "*/*", 200),
        ("", "", 200),
        ("", "application/json", 404),
        ("", "text/css", 404),
    ],
)
def test_a_missing_part_of_a_page_gets_no_fallback_page(
    sites: Sites, destination: str, accept: str, status: int
) -> None:
    headers = {"Sec_Fetch_Dest": destination} if destination else {}
    headers |= {"Accept": accept} if accept else {}
    assert single(sites, "/missing", **headers).status == status


YEAR = "max-age=31536000, immutable"
HASHED = [
    "app.3f9a2b1c.js",
    "app-3f9a2b1c.css",
    "main_3f9a2b1c4d5e6f70.png",
    "app.3f9a2b1c.chunk.js",
    "app.deadbeef.js.map",
    "assets/index-C4xK2b9L.js",
    "x.min.2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae.css",
    "index-BxYz12_3.css",
    "index.DXq8q8tG.js",
    "logo-D4k-9aBc.svg",
    "chunk-5XKJ2ABC.js",
    "font.3f9a2b1c.woff2",
    "data.3f9a2b1c.json",
]
PLAIN = [
    "app.js",
    "jquery.min.js",
    "jquery-3.7.1.min.js",
    "index.html",
    "page-3f9a2b1c.html",
    "report-20241124.pdf",
    "report-20241124a.pdf",
    "photo-12345678.jpg",
    "IMG_1234.JPG",
    "a-IMG_1234.jpg",
    "DSC-P1010023.JPG",
    "slides-Lecture2.pdf",
    "part-Part1of2.zip",
    "plot-Figure1A.png",
    "logo-iOS17Pro.png",
    "case-iPhone15.jpg",
    "trip-Photo_01.jpg",
    "handout-A4-Print.pdf",
    "report-Q3Report.pdf",
    "Screenshot-2024Ab1x.png",
    "invoice-0012345a.pdf",
    "syllabus-2024Fall.pdf",
    "logo-original.png",
    "my-JavaScri.js",
    "poster-SUMMER24.css",
    "doc-550e8400-e29b-41d4-a716-4466554a0000.pdf",
    "release-3f9a2b1.zip",
    "3f9a2b1c.js",
    "3f9a2b1c",
    "app.3f9a2b1c",
    "3f9a2b1c.d/app.js",
]


@pytest.mark.parametrize(("names", "cache"), [(HASHED, YEAR), (PLAIN, "no-cache")])
def test_only_names_with_a_content_hash_are_cached_for_long(sites: Sites, names: list[str], cache: str) -> None:
    sites.release("s/names", dict.fromkeys(names, "x"), release="1" if cache == YEAR else "2")
    for name in names:
        answer = sites.ask(f"/s/names/{name}", X_Pages_Site="s/names")
        assert (answer.status, answer.headers["cache-control"]) == (200, cache), name
    if cache == YEAR:
        same = sites.ask(f"/s/names/{names[0]}", If_None_Match=answer.headers["etag"])
        assert same.headers["cache-control"] == YEAR
        missing = sites.ask("/s/names/gone.3f9a2b1c.js")
        assert (missing.status, missing.headers["cache-control"]) == (404, "no-cache")


def test_a_compressed_copy_is_served_to_clients_that_accept_it(sites: Sites) -> None:
    for path, packed in (("/packed.html", PAGE), ("/packed", PAGE), ("/packed.js", b"packed")):
        answer = get(sites, path, Accept_Encoding="br, gzip")
        assert answer.headers["content-encoding"] == "gzip"
        assert gzip.decompress(answer.body) == packed
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert answer.headers["vary"] == "Accept-Encoding"
        assert get(sites, path, Accept_Encoding="gzip", If_None_Match=answer.headers["etag"]).status == 304
    for encoding in ("", "identity", "gzip;q=0", "br"):
        answer = get(sites, "/packed.js", **({"Accept_Encoding": encoding} if encoding else {}))
        assert answer.text == "plain"
        assert answer.headers["vary"] == "Accept-Encoding"


def test_a_gz_file_of_the_repository_is_not_a_compressed_copy(sites: Sites) -> None:
    """Otherwise `x.csv.gz` would be served as `x.csv`, even if that file does not exist."""
    own = get(sites, "/own.csv.gz", Accept_Encoding="gzip")
    assert (own.text, own.headers["content-type"]) == ("the repository's", "application/gzip")
    assert "content-encoding" not in own.headers
    assert get(sites, "/own.csv", Accept_Encoding="gzip").text == "plain"
    assert get(sites, "/alone.tar", Accept_Encoding="gzip").status == 404
    assert get(sites, "/alone.tar.gz").text == "an archive"
    assert get(sites, "/packed.js.gz").status == 404  # not a file of the repository
    assert get(sites, "/.own-own.csv.gz").status == 404


def test_every_response_has_the_safe_security_headers(sites: Sites) -> None:
    for path in ("/", "/about", "/about/", "/missing", "/own.csv.gz", "/%2f", "/.env"):
        answer = get(sites, path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert "x-frame-options" not in answer.headers


def test_the_configuration_needs_only_common_nginx_modules() -> None:
    for path in Path(SHIPPED).glob("*.conf"):
        assert "brotli" not in path.read_text()
