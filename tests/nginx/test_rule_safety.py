"""What the rules of a site cannot do: open a protected page, reach another site, mix releases, or stop nginx."""

import threading
from contextlib import closing
from http.client import HTTPConnection

import pytest

from syncer.content.rules import compiled
from syncer.content.rules.compile import compile_rules
from tests.nginx.conftest import Sites
from tests.nginx.test_passwords import SHA, basic, users
from tests.support.raw_http import ask
from tests.support.serving import eventually

PAGES = {"index.html": "home", "secret.html": "secret", "docs/index.html": "docs", "404.html": "not found"}


def release(sites: Sites, site: str, redirects: str, headers: str = "", number: str = "1", **files: str) -> None:
    published = {**PAGES, **files}
    texts = {"_redirects": redirects.encode(), "_headers": headers.encode()}
    rules = compile_rules(texts, None, list(published)).compiled
    sites.release(site, {**published, compiled.NAME: rules.dump().decode()}, number)


@pytest.mark.parametrize("path", ["/x", "/x/", "/any/y.html", "/late", "/error", "/away", "/docs"])
def test_v3_no_rule_opens_a_protected_site(sites: Sites, path: str) -> None:
    rules = (
        "/x /secret.html 200!\n/any/* /secret 200!\n/late /secret.html 200\n/error /secret.html 404!\n/away /docs 302!"
    )
    release(sites, "rules/closed", f"{rules}\n/away /docs 302!")
    users(sites, "rules/closed", f"ann:{SHA}\n")
    answer = sites.ask(f"/rules/closed{path}", X_Pages_Auth="required")
    assert answer.status == 401
    assert "secret" not in answer.text
    assert "location" not in answer.headers
    allowed = sites.ask(f"/rules/closed{path}", X_Pages_Auth="required", Authorization=basic("ann"))
    assert allowed.status in {200, 301, 302, 404}


@pytest.mark.parametrize(
    "target",
    ["/../closed/secret.html", "/%2e%2e/closed/secret.html", "/.own-rules.json", "/..%2fclosed/secret", "//closed/x"],
)
def test_v2_no_rewrite_leaves_its_site(sites: Sites, target: str) -> None:
    release(sites, "rules/closed", "/x /docs 302")
    release(sites, "rules/rewriter", f"/in {target} 200!\n/in/* /../closed/:splat 200!\n/at/:page /:page 200!")
    for path in ("/in", "/in/secret.html", "/at/.own-rules.json", "/at/%2e%2e", "/at/..%2fclosed%2fsecret.html"):
        answer = sites.ask(f"/rules/rewriter{path}")
        assert answer.status in {400, 404}
        assert "secret" not in answer.text and "version" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/x",
        "/go///evil.example",
        "/go/%2f%2fevil.example",
        "/go/%5cevil.example",
        "/go/%0d%0aX:1",
        "/go/%00",
    ],
)
def test_v4_no_path_of_a_visitor_redirects_to_another_host_or_adds_a_header(sites: Sites, path: str) -> None:
    release(sites, "rules/splat", "/go/* /:splat 301!\n/q u=:u /:u 302!\n/* /docs/:splat 302")
    for asked in (path, f"/q?u={path}"):
        answer = sites.ask(f"/rules/splat{asked}")
        location = answer.headers.get("location", "/")
        assert not location.startswith(("//", "/\\", "http")), location
        assert "x" not in answer.headers
        assert answer.status in {301, 302, 400, 404}


def test_an_alias_redirects_to_the_port_that_the_visitor_used(sites: Sites) -> None:
    release(sites, "rules/alias", "/old /new 302!")
    home = {"X_Pages_Home": "https://www.example.com/docs", "Host": "old.example.com:8443"}
    assert sites.ask("/rules/alias/a?b", **home).headers["location"] == "https://www.example.com:8443/docs/a?b"
    assert sites.ask("/rules/alias/old", **home).headers["location"] == "https://www.example.com:8443/docs/new"


@pytest.mark.parametrize(("path", "rule"), [("/old", "_redirects:1"), ("/app/x", "_redirects:2"), ("/", "")])
def test_the_rule_that_answers_is_named_on_request_only(sites: Sites, path: str, rule: str) -> None:
    release(sites, "rules/named", "/old /new 302!\n/app/* /docs/index.html 200")
    assert sites.ask(f"/rules/named{path}", X_Pages_Explain="1").headers.get("x-pages-rule", "") == rule
    assert "x-pages-rule" not in sites.ask(f"/rules/named{path}").headers


def unreadable(sites: Sites) -> int:
    text = ask(sites.health_port, "GET /metrics HTTP/1.1").text
    return int(text.rpartition("pages_nginx_unreadable_rules_total ")[2].split()[0])


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"version": 2}', '{"version": 1}', '{"version":1,"redirects":{},"headers":7}']
)
def test_unreadable_rules_close_only_their_site(sites: Sites, content: str) -> None:
    site = f"broken/s{abs(hash(content))}"
    release(sites, "rules/sound", "/old /docs 301!")
    before = unreadable(sites)
    sites.release(site, {**PAGES, compiled.NAME: content})
    for path in ("/", "/secret.html", "/nothing", "/docs"):
        answer = sites.ask(f"/{site}{path}")
        assert (answer.status, "secret" in answer.text) == (503, False)
    assert sites.ask("/rules/sound/old").status == 301
    assert unreadable(sites) > before
    log = (sites.root.parent / "error.log").read_text(errors="replace")
    assert any(site in line and "closed" in line for line in log.splitlines())
    assert [line for line in log.splitlines() if not line.isprintable()] == []


def get(connection: HTTPConnection, path: str) -> tuple[str, str, str]:
    """Text, location and X-Release of the answer."""
    headers = {"X-Pages-Site": "rules/busy", "X-Pages-Auth": "public"}
    connection.request("GET", f"/rules/busy/{path}", headers=headers)
    answer = connection.getresponse()
    return answer.read().decode(), answer.headers.get("Location", ""), answer.headers.get("X-Release", "")


def test_a_reader_never_gets_rules_and_pages_of_two_releases(sites: Sites) -> None:
    """Each push changes the page, its header and a redirect together."""
    pushes, mixed, asked = 100, [], 0
    done = threading.Event()

    def push(number: int) -> None:
        page = dict.fromkeys(["index.html", "page.html", "404.html"], str(number))
        release(sites, "rules/busy", f"/old /to-{number} 301!", f"/*\n  X-Release: {number}", str(number), **page)

    def read() -> None:
        nonlocal asked
        with closing(HTTPConnection("127.0.0.1", sites.port, timeout=60)) as connection:
            while not done.is_set():
                for path in ("", "page", "old", "gone"):
                    text, location, header = get(connection, path)
                    asked += 1
                    own = location.removeprefix("/to-") if path == "old" else text
                    if own != header:
                        mixed.append((path, text, location, header))

    push(0)
    readers = [threading.Thread(target=read) for _ in range(4)]
    for each in readers:
        each.start()
    eventually(lambda: asked > 4)
    for number in range(1, pushes + 1):
        before = asked
        push(number)
        eventually(lambda before=before: asked > before + 4)  # type: ignore[misc]
    done.set()
    for each in readers:
        each.join()
    assert asked > 4 * pushes
    assert mixed == []
