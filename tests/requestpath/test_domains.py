"""The domains and paths that a StaticSite may claim (D1 to D9), and their effect for visitors."""

from http import HTTPStatus
from typing import Any

import pytest
from lightkube import ApiError

from tests.support.control_plane import SYSTEM, Object
from tests.support.objects import static_site
from tests.support.request_path import PAGES, RequestPath
from tests.support.serving import eventually

DOMAIN = "www.example.net"


@pytest.fixture(autouse=True)
def _content(path: RequestPath) -> None:
    path.git.repository("content").commit({"index.html": "home", "docs/index.html": "docs"})
    path.git.repository("other").commit({"index.html": "another home", "y.html": "y"})


def refused(path: RequestPath, name: str = "bad", **spec: Any) -> bool:
    """Whether the API server rejects such a StaticSite."""
    try:
        path.cluster.make("staticsites", static_site(name, "one", repo=path.git.url("content"), **spec))
    except ApiError as error:
        return bool(error.status.code == HTTPStatus.UNPROCESSABLE_ENTITY)
    return False


def rejected(path: RequestPath) -> set[str]:
    """The rejected sites in the namespaces of this test."""
    return {each["name"] for each in path.operator.platform_status["rejections"] if each["namespace"] in {"one", "two"}}


def made(path: RequestPath, kind: str) -> dict[str, Object]:
    """The objects that the hooks generated for the domains of this test."""
    found = {each["metadata"]["name"]: each for each in path.cluster.list(kind, SYSTEM)}
    return {name: each for name, each in found.items() if "team-" not in name}


def test_d1_a_domain_cannot_inject_into_a_rule(path: RequestPath) -> None:
    for domain in ["a.test`) || PathPrefix(`/", 'a.test"', "a.test\\", "a.test\nb.test", "a.test`)"]:
        assert refused(path, domain=domain), domain


def test_d1_a_rule_is_one_host_and_one_path(path: RequestPath) -> None:
    path.site("one", "blog", "content", domain=DOMAIN, pathPrefix="/a")
    path.settle()
    (route,) = made(path, "ingressroutes").values()
    assert route["spec"]["routes"][0]["match"] == f"Host(`{DOMAIN}`) && (Path(`/a`) || PathPrefix(`/a/`))"


def test_d2_only_host_names_are_domains(path: RequestPath) -> None:
    names = ["*.x.test", "x.test.", "x.test:443", "10.0.0.1", "localhost", "x..test", "-x.test", "x_y.test"]
    long = [f"{'a' * 64}.test", ".".join(["a" * 49] * 5) + ".test"]  # 64 and 254 characters
    for domain in [*names, *long, "victim.test\n", "\nvictim.test", " victim.test"]:
        assert refused(path, domain=domain), domain


def test_d2_domains_are_case_insensitive(path: RequestPath) -> None:
    path.site("one", "blog", "content", domain="WWW.Example.NET")
    path.settle()
    path.site("two", "blog", "other", domain=DOMAIN)
    path.settle()
    eventually(lambda: path.shows(DOMAIN, "home"))
    assert rejected(path) == {"blog"}


def test_d3_no_site_can_claim_the_platforms_own_names(path: RequestPath) -> None:
    path.platform(reservedDomains=["argocd.corp.example", "*.svc.example"])
    path.site("one", "good", "content", domain=DOMAIN)
    for number, domain in enumerate((PAGES, f"x.{PAGES}", f"webhook.{PAGES}", "argocd.corp.example", "a.svc.example")):
        path.site("two", f"bad-{number}", "content", domain=domain)
    path.settle()
    eventually(lambda: path.shows(DOMAIN, "home"))
    assert set(made(path, "ingressroutes")) == {"one--good"}
    assert path.ask("argocd.corp.example", "/").status == 404


def test_d4_a_later_claim_gets_no_route_and_no_certificate(path: RequestPath) -> None:
    path.site("one", "first", "content", domain=DOMAIN)
    path.settle()
    path.site("two", "second", "other", domain=DOMAIN)
    path.settle()
    eventually(lambda: path.shows(DOMAIN, "home"))
    assert rejected(path) == {"second"}
    assert set(made(path, "ingressroutes")) == {"one--first"}
    assert len(made(path, "certificates")) == 1


def test_d5_a_granted_domain_stays_reserved_after_its_site_is_deleted(path: RequestPath) -> None:
    others = {"domains": ["*.example.org"], "namespaces": ["*"]}
    path.platform(domainPolicies=[{"domains": [DOMAIN], "namespaces": ["one"]}, others])
    path.site("one", "blog", "content", domain=DOMAIN)
    path.settle()
    eventually(lambda: path.shows(DOMAIN, "home"))
    path.delete("one", "blog")
    path.site("two", "blog", "other", domain=DOMAIN)
    path.settle()
    assert rejected(path) == {"blog"}
    eventually(lambda: path.ask(DOMAIN, "/").status == 404)


def test_d6_a_longer_path_takes_nothing_from_another_namespace(path: RequestPath) -> None:
    path.site("one", "shop", "content", domain=DOMAIN)
    path.settle()
    path.site("two", "thief", "other", domain=DOMAIN, pathPrefix="/login")
    path.settle()
    eventually(lambda: path.shows(DOMAIN, "home"))
    assert rejected(path) == {"thief"}
    assert "another" not in path.ask(DOMAIN, "/login/").text


def test_d7_a_path_cannot_cover_acme_challenges(path: RequestPath) -> None:
    for prefix in ("/.well-known", "/.well-known/acme-challenge", "/..", "/a/../b", "/a`)", "a", "/a//b"):
        assert refused(path, domain=DOMAIN, pathPrefix=prefix), prefix


def test_d8_a_path_matches_whole_segments_only(path: RequestPath) -> None:
    path.site("one", "year", "content", domain=DOMAIN, pathPrefix="/2019")
    path.settle()
    eventually(lambda: path.shows(DOMAIN, "home", "/2019/"))
    for where in ("/2019foo", "/2019../two/thief/", "/2019%2f..", "/2019%2f", "/2019;x", "/2019.", "/201"):
        answer = path.ask(DOMAIN, where)
        assert answer.status in {400, 404}, where
        assert "home" not in answer.text, where


def test_d9_a_name_is_one_short_label(path: RequestPath) -> None:
    for name in ("a.b", "a--b", "a" * 64, "A", "a_b"):
        assert refused(path, name), name


def test_d9_a_default_domain_has_one_site(path: RequestPath) -> None:
    path.site("one", "blog", "content")
    path.settle()
    path.site("two", "blog", "other")
    path.settle()
    eventually(lambda: path.shows(f"blog.{PAGES}", "home"))
    assert rejected(path) == {"blog"}
    assert set(made(path, "ingressroutes")) == {"one--blog"}
