"""`_redirects` and `_headers`: what is read, what is told by its line, and that nothing is ever too much."""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks import redirect_regexes as traefik
from pages import rule_syntax as grammar
from pages.api import Redirect, SiteRules, StaticSite
from syncer.content import headers, redirects, rule_files as rules
from syncer.content.lines import MAX_BYTES, MAX_LINES, Lines
from syncer.content.served import Served
from syncer.content.tree import File, Listing


def redirects_of(text: str | bytes, *files: str) -> tuple[list[tuple[str, str, int]], dict[int, str]]:
    lines = Lines("_redirects", text.encode() if isinstance(text, str) else text)
    found = redirects.parse(lines, Served(files)).redirects
    return [(each.from_, each.to, each.status) for each in found], {each.line: each.message for each in lines.problems}


def headers_of(text: str | bytes) -> tuple[dict[str, dict[str, str]], dict[int, str]]:
    lines = Lines("_headers", text.encode() if isinstance(text, str) else text)
    found = headers.parse(lines)
    return {each.for_: dict(each.values) for each in found}, {each.line: each.message for each in lines.problems}


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("/home              /", ("/home", "/", 301)),
        ("/my-redirect       /", ("/my-redirect", "/", 301)),
        ("/blog/my-post.php  /blog/my-post", ("/blog/my-post.php", "/blog/my-post", 301)),
        ("/news              /blog  302", ("/news", "/blog", 302)),
        ("/cuties            https://www.petsofnetlify.com", ("/cuties", "https://www.petsofnetlify.com", 301)),
        ("/news/*  /blog/:splat", ("/news/*", "/blog/:splat", 301)),
        ("/news/:month/:date/:year/:slug  /blog/:year/:month/:date/:slug", None),
        ("/articles/:id /posts?id=:id 301!", ("/articles/:id", "/posts?id=:id", 301)),
        ("\t/a\t/b\t302 # because", ("/a", "/b", 302)),
        ("/für-dich /für/alle", ("/f%C3%BCr-dich", "/f%C3%BCr/alle", 301)),
        ("/* https://new.example.com/:splat 301!", ("/*", "https://new.example.com/:splat", 301)),
    ],
)
def test_a_line_of_netlifys_documentation_is_a_redirect(line: str, rule: tuple[str, str, int] | None) -> None:
    found, problems = redirects_of(line)
    assert problems == {}
    assert found == [rule or (*line.split(), 301)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/pass-through /index.html 200", "rewrites (200) are not supported, but for `/* /page.html 200`"),
        ("/api/* https://api.example.com/:splat 200", "rewrites"),
        ("/* https://api.example.com/ 200", "rewrites"),
        ("/* /:splat/index.html 200", "rewrites"),
        ("/* /index.html 200!", "rewrites"),
        ("/* /index.html 200", "there is no page /index.html"),
        ("/ecommerce /store-closed 404", "404 is not supported, but for `/* /page.html 404`"),
        ("/x /y 410", "status 410 is not supported"),
        ("/x /y 418", "status 418 is not supported"),
        ("/x /y abc", "'abc' is no status code"),
        ("/ /anz 302 Country=au,nz", "Country"),
        ("/china/* /china/zh-cn/:splat 302 Language=zh", "Language"),
        ("/admin/* /login 302 Role=admin", "Role"),
        ("/x /y Country=de", "Country"),
        ("/path/* param1=:value1 /otherpath/:value1/:splat 301", "query parameters"),
        ("/path?x=1 /y", "query parameters"),
        ("http://blog.example.com/* https://www.example.com/blog/:splat 301!", "spec.aliases"),
        ("//evil.test/x /y", "spec.aliases"),
        ("/lonely", "no target"),
        ("lonely /x", "what is redirected must be a path"),
        ("/a/*/b /x", "what is redirected must be a path"),
        ("/a* /x", "what is redirected must be a path"),
        ("/x javascript:alert(1)", "the target must be a path"),
        ("/x //evil.test/", "the target must be a path"),
        ("/x /\\evil.test/", "the target must be a path"),
        ("/x data:text/html,x", "the target must be a path"),
        ("/:a https://:a.example.com/", "the target must be a path"),
        ("/a/* /:splat/x", "must not go on after"),
        ("/a /b/:splat", "':splat'"),
        ("/a/:x /b/:y", "':y' in the target"),
        ("/a /a/", "leads to itself"),
        ("/a/* /a/b/:splat", "leads to itself"),
        ("/* /gone", "leads to itself"),
        ("/.well-known/acme-challenge/* /x", "certificate authorities"),
        ("/" + "a" * 300 + " /x", "at most 256 characters"),
        ("/x\x01 /y", "control characters"),
    ],
)
def test_a_line_that_is_no_redirect_is_told_by_its_number(line: str, why: str) -> None:
    found, problems = redirects_of(f"# first\n/good /better\n{line}\n/last /one\n")
    assert found == [("/good", "/better", 301), ("/last", "/one", 301)]
    assert list(problems) == [3]
    assert why in problems[3]


FILES = ("index.html", "old.html", "team/index.html", "für/alle.html", "img/a b.png", "200.txt")


@pytest.mark.parametrize(
    "path", ["/", "/old", "/old/", "/old.html", "/team", "/team/", "/f%C3%BCr/alle", "/img/a%20b.png"]
)
def test_what_is_there_comes_before_a_redirect_unless_that_is_forced(path: str) -> None:
    found, problems = redirects_of(f"{path} /new 302", *FILES)
    assert (found, list(problems)) == ([], [1])
    assert f"{path} is there and comes first: write 302! to redirect it all the same" in problems[1]
    assert redirects_of(f"{path} /new 302!", *FILES) == ([(path, "/new", 302)], {})


@pytest.mark.parametrize("path", ["/olds", "/ol", "/team/x", "/img", "/index", "/200"])
def test_what_is_not_there_is_redirected(path: str) -> None:
    files = [each for each in FILES if each != "index.html"]
    assert redirects_of(f"{path} /new", *files) == ([(path, "/new", 301)], {})


@pytest.mark.parametrize(
    ("from_", "hides"),
    [("/team/*", "/team"), ("/:lang/alle", "/für/alle"), ("/img/:name", "/img/a b.png"), ("/*", "/index.html")],
)
def test_a_redirect_of_many_paths_hides_files_and_says_so_unless_it_is_forced(from_: str, hides: str) -> None:
    found, problems = redirects_of(f"{from_} https://example.org/ 301", *FILES)
    assert found == [(from_, "https://example.org/", 301)]
    assert f"such as {hides}" in problems[1] and "write 301!" in problems[1]
    assert redirects_of(f"{from_} https://example.org/ 301!", *FILES) == (found, {})
    assert redirects_of(f"/none{from_} https://example.org/ 301", *FILES)[1] == {}


def test_a_status_that_traefik_has_not_is_told_once() -> None:
    found, problems = redirects_of("/a /x 303\n/b /x 303\n/c /x 307!\n/d /x 308\n/e /x 302\n")
    assert [status for _, _, status in found] == [303, 303, 307, 308, 302]
    assert problems == {
        1: "303 is taken as 302, here and below",
        3: "307 is taken as 302, here and below",
        4: "308 is taken as 301, here and below",
    }


@pytest.mark.parametrize(
    ("line", "files", "answers"),
    [
        ("/*    /index.html   200", ["index.html"], {"200.html": "index.html"}),
        ("/* / 200", ["index.html"], {"200.html": "index.html"}),
        ("/* /app 200", ["index.html", "app.html"], {"200.html": "app.html"}),
        ("/* /200.html 200", ["200.html"], {"200.html": "200.html"}),
        ("/* /404.html 404", ["404.html"], {"404.html": "404.html"}),
        ("/* /404 404", ["404/index.html"], {"404.html": "404/index.html"}),
        (
            "/* /index.html 200\n/* /404.html 404",
            ["index.html", "404.html"],
            {"200.html": "index.html", "404.html": "404.html"},
        ),
    ],
)
def test_a_page_for_all_that_is_missing_is_named(line: str, files: list[str], answers: dict[str, str]) -> None:
    lines = Lines("_redirects", line.encode())
    found = redirects.parse(lines, Served(files))
    assert (found.redirects, found.fallbacks, lines.problems) == ([], answers, [])


def test_a_page_that_is_there_already_answers_what_is_missing() -> None:
    _, problems = redirects_of("/* /index.html 200", "index.html", "200.html")
    assert problems == {1: "the site has a 200.html, which answers what is missing"}


def test_headers_are_read_as_netlify_writes_them() -> None:
    text = (
        "# a path:\n/templates/index.html\n  # headers for that path:\n  X-Frame-Options: DENY\n\n"
        "/templates/*\n\tX-Frame-Options: SAMEORIGIN\n/*\n  cache-control: max-age=0\n  cache-control: no-cache\n"
        "  Cache-Control: no-store\n"
    )
    found, problems = headers_of(text)
    assert problems == {}
    assert found == {
        "/templates/index.html": {"X-Frame-Options": "DENY"},
        "/templates/*": {"X-Frame-Options": "SAMEORIGIN"},
        "/*": {"cache-control": "max-age=0, no-cache, no-store"},
    }


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("  X-A: b", 1, "stands below the path"),
        ("/*\n  X-A b", 2, "written `Name: value`"),
        ("/*\n  Set-Cookie: a=b", 2, "Set-Cookie is not a site's to set"),
        ("/*\n  X-Pages-Site: a/b", 2, "not a site's to set"),
        ("/*\n  Strict-Transport-Security: max-age=1; includeSubDomains", 2, "max-age"),
        ("/*\n  X A: b", 2, "name of a header"),
        ("/*\n  X-A:", 2, "not empty"),
        ("/*\n  X-A: ä", 2, "printable ASCII"),
        ("/*\n  ! X-A", 2, "taking a header away"),
        ("/*.js\n  X-A: b", 1, "placeholders"),
        ("/:x\n  X-A: b", 1, "placeholders"),
        ("https://example.com/*\n  X-A: b", 1, "another host"),
        ("x\n  X-A: b", 1, "the path must be a path"),
        ("/*\n" + "".join(f"  X-{number}: b\n" for number in range(11)), 12, "at most 10 headers"),
    ],
)
def test_a_line_that_is_no_header_is_told_by_its_number(text: str, line: int, why: str) -> None:
    found, problems = headers_of(f"{text}\n/good\n  X-Good: yes\n")
    assert found["/good"] == {"X-Good": "yes"}
    assert list(problems) == [line]
    assert why in problems[line]


def test_there_are_limits_to_lines_rules_and_problems() -> None:
    found, problems = redirects_of("".join(f"/a{number} /b\n" for number in range(150)))
    assert (len(found), list(problems)) == (100, [101])
    found, problems = redirects_of("\n" * MAX_LINES + "/late /b\n")
    assert (found, list(problems)) == ([], [MAX_LINES + 1])
    found, problems = redirects_of("/a " * 9000 + "\n" + "bad\n" * 500)
    assert (found, len(problems)) == ([], 20)
    many, problems = headers_of("".join(f"/{number}\n  X-A: b\n" for number in range(40)))
    assert (len(many), list(problems)) == (20, [41])


@settings(max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(st.sampled_from("/:*a.\\ \t\n#!%?=&$(){}`30128é\u2028\0"), max_size=200).map(str.encode),
    )
)
def test_c5_no_file_makes_us_fail_and_what_is_read_is_always_valid(content: bytes) -> None:
    found = SiteRules(
        redirects=redirects.parse(Lines("_redirects", content), Served(["index.html", "a"])).redirects,
        headers=headers.parse(Lines("_headers", content)),
    )
    assert SiteRules.model_validate(found.dump()) == found


PATHS = st.lists(st.sampled_from([":a", ":b", "x", "y.z", "$1", "(p)", "%C3%A4", "+"]), max_size=4)
TARGETS = st.sampled_from(
    ["/", "/n", "/n/:splat", "/:splat", "/:a", "/:a/:b?c=:a", "https://h.test/:splat#f", "/$1/$$"]
)
ASKED = st.text(st.sampled_from("/x.y:zp%A4C3\\?=+$1()h"), max_size=30)


@settings(max_examples=300)
@given(PATHS, st.booleans(), TARGETS, ASKED, st.sampled_from(["", "/docs"]))
def test_v4_no_redirect_within_the_site_ever_leads_to_another_host(
    path: list[str], splat: bool, to: str, asked: str, prefix: str
) -> None:
    from_ = "/" + "/".join([*path, *(["*"] if splat else [])])
    if ":splat" in to and not splat:
        return
    made = traefik.redirect(Redirect.model_validate({"from": from_, "to": to}), prefix)
    match = re.search(made["regex"], f"https://example.com{prefix}/{asked}")
    if match is None:
        return
    location = re.sub(
        r"\$\$|\$\{(\d)\}", lambda each: match[int(each[1])] or "" if each[1] else "$", made["replacement"]
    )
    if to.startswith("/"):
        assert re.match(r"/(?![/\\])", location), location
    else:
        assert location.startswith("https://h.test/")


def test_the_files_are_taken_out_of_what_is_published() -> None:
    contents = {"1": b"/a /b\nbad\n", "2": b"/*\n  X-A: b\n", "3": b"page"}

    def blobs(oids: Iterable[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
        return ((oid, len(contents[oid]), io.BytesIO(contents[oid])) for oid in oids)

    page, below = File("index.html", "3", 4), File("below/_redirects", "1", 10)
    files = [File("_headers", "2", 12), File("_redirects", "1", 10), below, page]
    listing, found = rules.take_out(Listing(files, Counter()), blobs)
    assert listing.files == [below, page]
    assert found.dump() == {
        "redirects": [{"from": "/a", "to": "/b", "status": 301}],
        "headers": [{"for": "/*", "values": {"X-A": "b"}}],
        "problems": [{"file": "_redirects", "line": 2, "message": "there is no target: a line is `from to [status]`"}],
    }
    contents["4"] = b"/* /index.html 200\n"
    listing, _ = rules.take_out(Listing([File("_redirects", "4", 19), page], Counter()), blobs)
    assert listing.files == [page, File("200.html", "3", 4)]
    large = File("_redirects", "9", MAX_BYTES + 1)  # it is not even read
    _, found = rules.take_out(Listing([large], Counter()), blobs)
    assert [each.message for each in found.problems] == ["the file has more than 64 KiB; nothing of it is used"]
    assert rules.take_out(Listing([page], Counter()), blobs) == (Listing([page], Counter()), SiteRules())


def test_what_leads_to_itself_by_way_of_the_sites_own_domain_is_said() -> None:
    spec = {
        "repo": "https://forge.example.com/r",
        "domain": "Example.com",
        "pathPrefix": "/docs",
        "redirects": [
            {"from": "/a", "to": "https://example.com/docs/a"},
            {"from": "/a", "to": "https://example.com/a"},
            {"from": "/*", "to": "https://www.example.com/:splat"},
        ],
    }
    site = StaticSite.model_validate({"metadata": {"name": "x"}, "spec": spec})
    own = Redirect.model_validate({"from": "/b/*", "to": "https://example.com/docs/b/:splat"})
    assert rules.describe(site, SiteRules(redirects=[own])) == (
        "spec.redirects[0] leads to itself and is left out; _redirects: /b/* leads to itself and is left out"
    )


@pytest.mark.parametrize(
    ("from_", "to", "itself"),
    [
        ("/a", "/a", True),
        ("/a", "/a?x#y", True),
        ("/", "/", True),
        ("/*", "/", True),
        ("/:x", "/y", True),
        ("/a/*", "/b/:splat", False),
        ("/a/b", "/a", False),
        ("/a", "/a/b", False),
        ("/a/*", "/a", True),
        ("/*", "https://example.com/:splat", False),
    ],
)
def test_a_redirect_to_itself_is_told_from_others(from_: str, to: str, itself: bool) -> None:
    assert grammar.leads_to_itself(from_, to) == itself


@pytest.mark.parametrize(
    ("to", "itself"),
    [
        ("https://example.com/a/x", True),
        ("https://www.example.com/a/x", True),
        ("https://docs.example.com/docs/a/x", True),
        ("https://docs.example.com/a/x", False),  # another site's, above the prefix
        ("https://www.example.com/docs/a", True),
        ("https://www.example.com/b", False),
        ("https://other.example.com/a/x", False),
    ],
)
def test_a_redirect_to_an_alias_comes_back(to: str, itself: bool) -> None:
    home = grammar.Home("Docs.example.com", "/docs", ("example.com", "www.example.com"))
    assert grammar.leads_to_itself("/a/*", to, home) == itself
