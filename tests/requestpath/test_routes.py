"""Routing of requests: default and custom domains, paths, HTTPS, certificates, and domains that change their owner."""

import pytest

from tests.support.issuer import issue
from tests.support.request_path import PAGES, RequestPath
from tests.support.serving import eventually


@pytest.fixture
def content(path: RequestPath) -> None:
    path.git.repository("content").commit(
        {"index.html": "home", "docs/index.html": "docs", "page.html": "page", "404.html": "not here"}
    )
    path.git.repository("other").commit({"index.html": "another home", "x/index.html": "x", "page.html": "other page"})


@pytest.mark.usefixtures("content")
def test_a_site_without_a_domain_is_served_below_the_pages_domain(path: RequestPath) -> None:
    path.site("one", "blog", "content")
    path.settle()
    eventually(lambda: path.shows(f"blog.{PAGES}", "home"))
    assert path.shows(f"blog.{PAGES}", "page", "/page")
    assert path.ask(f"BLOG.{PAGES}", "/").text == "home"
    assert path.ask(f"other.{PAGES}", "/").status == 404


@pytest.mark.usefixtures("content")
def test_a_custom_domain_serves_the_whole_site(path: RequestPath) -> None:
    path.site("one", "blog", "content", domain="www.example.net")
    path.settle()
    eventually(lambda: path.shows("www.example.net", "home"))
    assert path.ask("www.example.net", "/docs").headers["location"] == "/docs/"
    assert path.ask("www.example.net", "/page/").headers["location"] == "/page"
    missing = path.ask("www.example.net", "/nope")
    assert (missing.status, missing.text) == (404, "not here")
    first = path.ask("www.example.net", "/page")
    assert path.ask("www.example.net", "/page", If_None_Match=first.headers["etag"]).status == 304
    assert path.ask("www.example.net", "/page", Range="bytes=1-2").text == "ag"
    head = path.ask("www.example.net", "/page", "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "4")


@pytest.mark.usefixtures("content")
def test_two_sites_share_a_domain_by_whole_path_segments(path: RequestPath) -> None:
    path.site("one", "root", "content", domain="www.example.net")
    path.site("one", "docs", "other", domain="www.example.net", pathPrefix="/docs")
    path.settle()
    eventually(lambda: path.shows("www.example.net", "another home", "/docs/"))
    eventually(lambda: path.shows("www.example.net", "home"))
    domain = "www.example.net"
    assert path.ask(domain, "/docs").headers["location"] == "/docs/"
    assert path.ask(domain, "/docs?q=1").headers["location"] == "/docs/?q=1"
    assert path.ask(domain, "/docs/x").headers["location"] == "/docs/x/"
    assert path.ask(domain, "/docs/page").text == "other page"
    assert path.ask(domain, "/docs/page/").headers["location"] == "/docs/page"
    assert path.ask(domain, "/page").text == "page"
    for neighbour in ("/docsabc", "/docs-2", "/docs.html", "/doc", "/DOCS/"):
        answer = path.ask(domain, neighbour)
        assert (answer.status, answer.text) == (404, "not here"), neighbour
    assert "not here" not in path.ask(domain, "/docs/nope").text  # each site has its own


@pytest.mark.usefixtures("content")
def test_plain_http_redirects_to_https_with_path_and_query(path: RequestPath) -> None:
    path.platform(ingress={"redirectHTTP": True})
    path.site("one", "blog", "content", domain="www.example.net")
    path.site("one", "deep", "other", domain="www.example.net", pathPrefix="/deep")
    path.settle()
    eventually(lambda: path.ask_plain("www.example.net", "/").status == 301)
    for where in ("/", "/page?q=%2f", "/deep/x/", "/deep"):
        answer = path.ask_plain("www.example.net", where)
        assert (answer.status, answer.headers["location"]) == (301, f"https://www.example.net{where}")
    assert path.ask_plain("nobody.example.net", "/").status == 404


@pytest.mark.usefixtures("content")
def test_a_domain_gets_renewed_certificates_without_a_restart(path: RequestPath) -> None:
    path.site("one", "blog", "content", domain="tls.example.net")
    path.site("one", "news", "content", domain="news.example.net")
    path.settle()
    eventually(lambda: path.shows("tls.example.net", "home"))
    first = issue(path.cluster, "tls-example-net-tls")
    other = issue(path.cluster, "news-example-net-tls")
    eventually(lambda: path.certificate("tls.example.net") == first)
    eventually(lambda: path.certificate("news.example.net") == other)
    pid = path.traefik.process.pid
    second = issue(path.cluster, "tls-example-net-tls")
    eventually(lambda: path.certificate("tls.example.net") == second)
    assert second != first
    assert path.shows("tls.example.net", "home")
    assert path.certificate("news.example.net") == other
    assert path.traefik.process.pid == pid and path.traefik.running()


@pytest.mark.usefixtures("content")
def test_a_domain_is_handed_over_when_its_site_is_deleted(path: RequestPath) -> None:
    path.site("one", "first", "content", domain="www.example.net")
    path.settle()
    eventually(lambda: path.shows("www.example.net", "home"))
    path.site("two", "second", "other", domain="www.example.net")
    path.settle()
    eventually(lambda: path.syncer.page("two", "second") or (path.nginx.root / "live/two/second").exists())
    assert path.ask("www.example.net", "/").text == "home"
    assert [each["name"] for each in path.operator.platform_status["rejections"]] == ["second"]
    path.delete("one", "first")
    path.settle()
    eventually(lambda: path.shows("www.example.net", "another home"))
    assert path.ask("www.example.net", "/docs/").status == 404  # nothing of the previous site is left


@pytest.mark.usefixtures("content")
def test_a_deleted_site_is_404(path: RequestPath) -> None:
    path.site("one", "blog", "content", domain="www.example.net")
    path.settle()
    eventually(lambda: path.shows("www.example.net", "home"))
    path.delete("one", "blog")
    eventually(lambda: path.ask("www.example.net", "/").status == 404)  # the syncer alone does this
    path.settle()
    eventually(lambda: "404 page not found" in path.ask("www.example.net", "/").text)  # Traefik's own page


@pytest.mark.usefixtures("content")
def test_an_edited_site_moves_without_downtime(path: RequestPath) -> None:
    path.site("one", "blog", "content", domain="www.example.net", pathPrefix="/a")
    path.settle()
    eventually(lambda: path.shows("www.example.net", "home", "/a/"))
    path.site("one", "blog", "content", domain="www.example.net", pathPrefix="/b")
    path.settle()
    eventually(lambda: path.shows("www.example.net", "home", "/b/"))
    eventually(lambda: path.ask("www.example.net", "/a/").status == 404)
