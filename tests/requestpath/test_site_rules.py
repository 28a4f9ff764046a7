"""Aliases, rules in a site's files, and passwords: from the StaticSite to a visitor, through all components."""

import base64
import hashlib

from tests.support.control_plane import Object
from tests.support.request_path import PAGES, RequestPath
from tests.support.serving import eventually


def test_an_alias_leads_to_the_site_with_path_and_query_and_has_a_certificate(path: RequestPath) -> None:
    path.platform(ingress={"redirectHTTP": True})
    path.git.repository("blog").commit({"index.html": "home", "page.html": "page"})
    path.site("one", "blog", "blog", domain="www.example.net", aliases=["example.net"])
    path.settle()
    eventually(lambda: path.shows("www.example.net", "home"))
    eventually(lambda: path.ask("example.net", "/page?q=1").status == 301)
    assert path.ask("example.net", "/page?q=1").headers["location"] == "https://www.example.net/page?q=1"
    eventually(lambda: path.ask_plain("example.net", "/page").headers.get("location") == "https://example.net/page")
    names = [each["spec"]["dnsNames"] for each in path.cluster.list("certificates")]
    assert ["example.net"] in names and ["www.example.net"] in names


def test_rules_in_the_files_of_a_repository_apply(path: RequestPath) -> None:
    path.platform()
    repository = path.git.repository("rules")
    repository.commit(
        {
            "index.html": "home",
            "new.html": "new",
            "_redirects": "/old /new 301\n/news/* /new?from=:splat 302\nnonsense\n",
            "_headers": "/*\n  X-Frame-Options: DENY\n/new\n  X-Only: here\n",
        }
    )
    path.site("one", "rules", "rules")
    host = f"rules.{PAGES}"
    eventually(lambda: _status(path, "one", "rules").get("rules"))
    path.settle()
    eventually(lambda: path.ask(host, "/old").status == 301)
    assert path.ask(host, "/old").headers["location"] == "/new"
    assert path.ask(host, "/news/today").headers["location"] == "/new?from=today"
    eventually(lambda: "x-only" in path.ask(host, "/new").headers)
    assert path.ask(host, "/new").headers["x-frame-options"] == "DENY"
    assert "x-only" not in path.ask(host, "/").headers
    assert path.ask(host, "/_redirects").status == 404
    problems = _status(path, "one", "rules")["rules"]["problems"]
    assert [(each["file"], each["line"]) for each in problems] == [("_redirects", 3)]


def test_a_protected_site_requires_the_password(path: RequestPath) -> None:
    path.platform()
    path.git.repository("internal").commit({"index.html": "internal"})
    digest = base64.b64encode(hashlib.sha1(b"open sesame").digest()).decode()  # noqa: S324 - the format of htpasswd
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "visitors", "namespace": "two"},
        "stringData": {"users": f"ali:{{SHA}}{digest}\n"},
    }
    path.cluster.apply(secret)
    path.site("two", "internal", "internal", basicAuth={"secretRef": {"name": "visitors"}}, syncInterval="10s")
    host = f"internal.{PAGES}"
    path.settle()
    eventually(lambda: path.ask(host, "/").status in {401, 403})
    eventually(lambda: "\n" in _synced(path))
    path.cluster.kubectl("apply", "-f", "-", stdin=_synced(path).partition("\n")[2])
    login = base64.b64encode(b"ali:open sesame").decode()
    eventually(lambda: path.ask(host, "/", Authorization=f"Basic {login}").text == "internal", 60)
    assert path.ask(host, "/").status == 401
    wrong = base64.b64encode(b"ali:wrong").decode()
    assert path.ask(host, "/", Authorization=f"Basic {wrong}").status == 401


def _synced(path: RequestPath) -> str:
    """The message of a condition."""
    conditions = _status(path, "two", "internal").get("conditions", [])
    return next((each["message"] for each in conditions if each["type"] == "Synced"), "")


def _status(path: RequestPath, namespace: str, name: str) -> Object:
    found = path.cluster.get("staticsites", name, namespace) or {}
    return dict(found.get("status", {}))
