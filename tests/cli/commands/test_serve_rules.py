"""Aliases, redirects, headers, passwords and suspended sites as `pages serve` shows them, with a real git and nginx."""

import base64
import hashlib
import itertools
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.serving import Serving, eventually

SECONDS = itertools.count(11)
HTPASSWD = "ann:{SHA}" + base64.b64encode(hashlib.sha1(b"pass word").digest()).decode()  # noqa: S324 - the format's
site = partial(static_site, syncInterval="10s")


def secret(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "team"},
        "stringData": data,
    }


def write(path: Path, *objects: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump_all(objects))


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def leads(serving: Serving, host: str, path: str) -> tuple[int, str]:
    status, _, headers = serving.get(host, path)
    return status, headers.get("Location", "")


def test_an_alias_redirects_to_the_site_with_path_query_and_port(tmp_path: Path, git_server: GitServer) -> None:
    git_server.repository("one").commit({"index.html": "number one"})
    write(
        tmp_path / "m" / "sites.yaml",
        site(
            "one",
            repo=git_server.url("one"),
            domain="www.example.com",
            aliases=["example.com", "old.example.org"],
        ),
        site(
            "docs",
            repo=git_server.url("one"),
            domain="www.example.com",
            pathPrefix="/docs",
            aliases=["docs.example.com"],
        ),
        site("own", repo=git_server.url("one"), aliases=["own.example.com"]),
        site(
            "late",
            repo=git_server.url("one"),
            domain="late.example.com",
            aliases=["example.com", "new.example.com"],
        ),
        site("third", repo=git_server.url("one"), aliases=["x.pages.localhost"]),
    )
    with Serving(tmp_path / "state", [tmp_path / "m", "--allowed-hosts", git_server.origin]) as serving:
        at = f"http://www.example.com:{serving.port}"
        with_port = f":{serving.port}"
        eventually(lambda: serving.shows("www.example.com", "number one"))
        for alias in ("example.com", "old.example.org"):
            assert leads(serving, alias + with_port, "/a/b?c=d&e") == (301, f"{at}/a/b?c=d&e")
            assert leads(serving, alias + with_port, "/") == (301, f"{at}/")
        assert leads(serving, "example.com", "/") == (301, "http://www.example.com/")
        assert leads(serving, "docs.example.com", "/x?y") == (301, "http://www.example.com/docs/x?y")
        assert leads(serving, "docs.example.com", "/docs/x") == (301, "http://www.example.com/docs/x")
        assert leads(serving, "docs.example.com", "/docsx") == (301, "http://www.example.com/docs/docsx")
        assert leads(serving, "own.example.com", "/") == (301, "http://own.pages.localhost/")
        assert leads(serving, "example.com", "//evil.test/") == (301, "http://www.example.com//evil.test/")
        # A rejected alias does not take its site down.
        eventually(lambda: serving.shows("late.example.com", "number one"))
        assert leads(serving, "new.example.com", "/") == (301, "http://late.example.com/")
        eventually(lambda: "alias example.com is not served" in said(serving, "team/late")["Ready"]["message"])
        late = said(serving, "team/late")
        assert (late["AliasesReady"]["reason"], late["Ready"]["status"]) == ("PathConflict", "True")
        eventually(lambda: said(serving, "team/third")["AliasesReady"]["reason"] == "PlatformDomain")
        eventually(lambda: said(serving, "team/one")["AliasesReady"]["reason"] == "Routed")


def said(serving: Serving, name: str) -> dict[str, dict[str, str]]:
    conditions = serving.statuses().get(name, {}).get("conditions", [])
    return {"AliasesReady": {"reason": ""}, "Ready": {"message": ""}} | {each["type"]: each for each in conditions}


REDIRECTS = """\
# comments and empty lines

/old            /new           301!
/temp           /new           302   # for now
/blog/:year/:title  /posts/:title?from=:year  308
/news/*         /archive/:splat 303!
/spa/*          /index.html    200
/de             /germany       302   Country=de
/shop id=:id    /product/:id   301
/away/*         https://other.example.org/x/:splat  302!
/loop/*         /loop/again
/evil           javascript:alert(1)
/price$.x       /cost$1?a=b#c
"""
HEADERS = """\
/*
  X-Frame-Options: DENY
  X-Both: all
/assets/*
  Cache-Control: public, max-age=31536000
  X-Both: assets
/assets/a.txt
  X-Quote: a "b" $c \\d
  Set-Cookie: no
"""


def test_the_files_of_a_repository_redirect_and_set_headers(tmp_path: Path, git_server: GitServer) -> None:
    repository = git_server.repository("one")
    files = {"index.html": "home", "new.html": "new", "old/index.html": "old", "assets/a.txt": "a", "assets/b.txt": "b"}
    repository.commit({**files, "_redirects": REDIRECTS, "_headers": HEADERS})
    write(
        tmp_path / "m" / "sites.yaml",
        site(
            "one",
            repo=git_server.url("one"),
            redirects=[{"from": "/temp", "to": "/spec", "status": 302}],
            headers=[{"for": "/assets/b.txt", "values": {"X-Own": "spec", "Cache-Control": "no-store"}}],
        ),
        site("docs", repo=git_server.url("one"), domain="example.com", pathPrefix="/docs"),
    )
    with Serving(tmp_path / "state", [tmp_path / "m", "--allowed-hosts", git_server.origin]) as serving:
        host = "one.pages.localhost"
        eventually(lambda: leads(serving, host, "/old") == (301, "/new"))
        assert leads(serving, host, "/old/") == (301, "/new")
        assert leads(serving, host, "/old?a=b") == (301, "/new?a=b")
        assert leads(serving, host, "/temp") == (302, "/spec")  # the StaticSite's own come first
        assert leads(serving, host, "/blog/2019/hello") == (301, "/posts/hello?from=2019")
        assert leads(serving, host, "/news/a/b/") == (302, "/archive/a/b/")
        assert leads(serving, host, "/news") == (302, "/archive/")
        assert leads(serving, host, "/away/a/b?q") == (302, "https://other.example.org/x/a/b?q")
        assert leads(serving, host, "/away//evil.test") == (302, "https://other.example.org/x/evil.test")
        assert leads(serving, host, "/price$.x") == (301, "/cost$1?a=b#c")
        assert leads(serving, host, "/pricex.x")[0] == 404
        assert leads(serving, host, "/loop/x")[0] == leads(serving, host, "/evil")[0] == 404
        assert leads(serving, host, "/de")[0] == leads(serving, host, "/shop")[0] == 404
        assert leads(serving, host, "/olds")[0] == 404
        eventually(lambda: leads(serving, "example.com", "/docs/old?x") == (301, "/docs/new?x"))
        assert leads(serving, "example.com", "/old")[0] == 404
        # Neither file is a page.
        assert [leads(serving, host, path)[0] for path in ("/_redirects", "/_headers")] == [404, 404]
        # Headers.
        home, a, b = (serving.get(host, path)[2] for path in ("/", "/assets/a.txt", "/assets/b.txt"))
        assert (home["X-Frame-Options"], home["X-Both"], home["Cache-Control"]) == ("DENY", "all", "no-cache")
        assert (a["X-Frame-Options"], a["X-Both"]) == ("DENY", "assets")
        assert (a["Cache-Control"], a["X-Quote"]) == ("public, max-age=31536000", 'a "b" $c \\d')
        assert "Set-Cookie" not in a
        assert (b["X-Own"], b["Cache-Control"], b["X-Both"]) == ("spec", "no-store", "assets")
        # What does not work is said, with its line.
        message = serving.synced("team/one")[1]
        for text in ("_redirects line 5: 308 is taken as 301", "_redirects line 7: rewrites (200)"):
            assert text in message
        problems = serving.statuses()["team/one"]["rules"]["problems"]
        lines = {(each["file"], each["line"]) for each in problems}
        assert lines == {("_redirects", number) for number in (5, 6, 7, 8, 9, 11, 12)} | {("_headers", 9)}
        # The next commit changes them, and the last takes them away.
        repository.commit({"_redirects": "/old /newer 302!\n/assets/a.txt /new\n/* /index.html 200\n"})
        eventually(lambda: leads(serving, host, "/old") == (302, "/newer"))
        assert serving.get(host, "/assets/a.txt")[:2] == (200, "a")
        assert serving.get(host, "/any/page")[:2] == (200, "home")
        assert serving.get(host, "/assets/missing.js")[0] == 404
        assert "_redirects line 2: /assets/a.txt is there" in serving.synced("team/one")[1]
        repository.commit({"index.html": "no rules", "_redirects": None, "_headers": None})
        eventually(lambda: serving.get(host, "/old/")[1] == "old")
        assert "X-Both" not in serving.get(host)[2]


def test_a_protected_site_is_closed_until_it_has_its_secret(tmp_path: Path, git_server: GitServer) -> None:
    git_server.repository("one").commit({"index.html": "internal", "404.html": "internal too"})
    protected = site("one", repo=git_server.url("one"), basicAuth={"secretRef": {"name": "visitors"}})
    manifest = tmp_path / "m" / "sites.yaml"
    write(manifest, protected, site("open", repo=git_server.url("one")))
    with Serving(tmp_path / "state", [tmp_path / "m", "--allowed-hosts", git_server.origin]) as serving:
        host = "one.pages.localhost"
        eventually(lambda: serving.shows("open.pages.localhost", "internal"))
        eventually(lambda: serving.synced("team/one")[0] == "SiteClosed")
        assert "Secret 'visitors' does not exist" in serving.synced("team/one")[1]
        assert_closed(serving, host)
        assert serving.shows("open.pages.localhost", "internal")

        write(
            manifest,
            protected,
            site("open", repo=git_server.url("one")),
            secret("visitors", users="ann:plain\n"),
        )
        request_sync(manifest)
        eventually(lambda: "line 1 has an unknown hash" in serving.synced("team/one")[1])
        assert_closed(serving, host)

        write(
            manifest,
            protected,
            site("open", repo=git_server.url("one")),
            secret("visitors", users=HTPASSWD),
        )
        request_sync(manifest)
        eventually(lambda: serving.get(host, **basic("ann", "pass word"))[:2] == (200, "internal"))
        status, body, headers = serving.get(host)
        assert (status, "internal" in body, headers["WWW-Authenticate"]) == (401, False, 'Basic realm="Restricted"')
        assert serving.get(host, **basic("ann", "wrong"))[0] == 401
        assert serving.get(host, "/nothing")[0] == 401
        assert serving.get(host, **{"X-Pages-Auth": ""})[0] == 401
        assert serving.get(host, "/nothing", **basic("ann", "pass word"))[1] == "internal too"

        write(manifest, protected, site("open", repo=git_server.url("one")))
        request_sync(manifest)
        eventually(lambda: serving.get(host, **basic("ann", "pass word"))[0] == 403)

        write(manifest, site("one", repo=git_server.url("one")))
        eventually(lambda: serving.shows(host, "internal"))


def request_sync(manifest: Path) -> None:
    """What a new generation does: the file's sites are synced now."""
    objects = list(yaml.safe_load_all(manifest.read_text()))
    interval = f"{next(SECONDS)}s"
    for each in objects:
        if each["kind"] == "StaticSite":
            each["spec"]["syncInterval"] = interval
    manifest.write_text(yaml.safe_dump_all(objects))


def assert_closed(serving: Serving, host: str) -> None:
    for path in ("/", "/nothing", "/404.html", "/index.html"):
        status, body, _ = serving.get(host, path, **basic("ann", "pass word"))
        assert status in {401, 403, 404}, path
        assert "internal" not in body


@pytest.mark.parametrize("kind", ["-apr1", "-B"])
def test_passwords_of_other_tools_are_taken(tmp_path: Path, git_server: GitServer, kind: str) -> None:
    users = {
        "-apr1": "bob:" + subprocess.check_output(["openssl", "passwd", "-apr1", "secret"], text=True).strip(),
        "-B": "bob:$2y$05$abcdefghijklmnopqrstuuWW41s0fLp9dUzGJpzAPaKSAzm7iHvIu",
    }[kind]
    git_server.repository("one").commit({"index.html": "internal"})
    write(
        tmp_path / "m" / "sites.yaml",
        site("one", repo=git_server.url("one"), basicAuth={"secretRef": {"name": "visitors"}}),
        secret("visitors", auth=users),
    )
    with Serving(tmp_path / "state", [tmp_path / "m", "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.synced("team/one")[0] == "Synced")
        eventually(lambda: serving.get("one.pages.localhost", **basic("bob", "wrong"))[0] == 401)
        if kind == "-apr1":
            assert serving.get("one.pages.localhost", **basic("bob", "secret"))[0] == 200


def test_a_suspended_site_stays_as_it_is(tmp_path: Path, git_server: GitServer) -> None:
    repository = git_server.repository("one")
    repository.commit({"index.html": "first"})
    manifest = tmp_path / "m" / "sites.yaml"
    write(manifest, site("one", repo=git_server.url("one")))
    with Serving(tmp_path / "state", [tmp_path / "m", "--allowed-hosts", git_server.origin]) as serving:
        eventually(lambda: serving.shows("one.pages.localhost", "first"))
        write(
            manifest,
            site("one", repo=git_server.url("one"), suspend=True),
            site("two", repo=git_server.url("one")),
        )
        eventually(lambda: serving.synced("team/one")[0] == "Suspended")
        repository.commit({"index.html": "second"})
        write(
            manifest,
            site("one", repo=git_server.url("one"), suspend=True),
            site("two", repo=git_server.url("one"), path=""),
        )
        eventually(lambda: serving.shows("two.pages.localhost", "second"))
        assert serving.shows("one.pages.localhost", "first")
        status = serving.statuses()["team/one"]
        assert status["phase"] == "Suspended"
        assert said(serving, "team/one")["Ready"]["status"] == "True"
        write(manifest, site("one", repo=git_server.url("one")))
        eventually(lambda: serving.shows("one.pages.localhost", "second"))
        eventually(lambda: serving.statuses()["team/one"]["phase"] == "Ready")


def test_a_site_that_begins_suspended_is_published_when_it_is_resumed_as_it_is_pinned_then(
    tmp_path: Path, git_server: GitServer
) -> None:
    repository = git_server.repository("one")
    old = repository.commit({"index.html": "old"})
    repository.commit({"index.html": "new"})
    manifest, url = tmp_path / "m" / "sites.yaml", git_server.url("one")
    more: dict[str, Any] = {"aliases": ["one.example.org"], "basicAuth": {"secretRef": {"name": "visitors"}}}
    write(
        manifest,
        site("one", repo=url, suspend=True, **more),
        secret("visitors", users=HTPASSWD),
    )
    with Serving(tmp_path / "state", [tmp_path / "m", "--allowed-hosts", git_server.origin]) as serving:
        host, known = "one.pages.localhost", basic("ann", "pass word")
        eventually(lambda: "nothing is published" in serving.synced("team/one")[1])
        eventually(lambda: leads(serving, "one.example.org", "/") == (301, f"http://{host}/"))
        assert serving.get(host, **known)[0] in {401, 403, 404}
        assert git_server.requests == []
        write(
            manifest,
            site("one", repo=url, revision=old, **more),
            secret("visitors", users=HTPASSWD),
        )
        eventually(lambda: serving.get(host, **known)[:2] == (200, "old"))
        # What is live stays so, its passwords too.
        write(
            manifest,
            site("one", repo=url, suspend=True, **more),
            secret("visitors", users="ann:plain\n"),
        )
        eventually(lambda: serving.synced("team/one")[0] == "Suspended")
        assert serving.get(host, **known)[:2] == (200, "old")
        assert leads(serving, "one.example.org", "/x") == (301, f"http://{host}/x")
        write(
            manifest,
            site("one", repo=url, **more),
            secret("visitors", users=HTPASSWD.replace("ann", "bea")),
        )
        eventually(lambda: serving.get(host, **basic("bea", "pass word"))[:2] == (200, "new"))
        assert serving.get(host, **known)[0] == 401
