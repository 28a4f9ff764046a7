"""The laws of stage one, for any request."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks import platform, virtualhost
from hooks.payload import STATIC_SITE, VIRTUAL_HOST, NotAHookRequest
from tests.support.objects import REPO, static_site, stored_site

Object = dict[str, Any]
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PAGES = "pages.example.com"

labels = st.sampled_from(["a", "b", "a-b", "b-c", "c"])
domains = st.sampled_from(["one.test", "Two.test", "a.b-c.test", "a-b.c.test", f"a.{PAGES}", PAGES, f"webhook.{PAGES}"])
prefixes = st.sampled_from(["", "/docs", "/docs/v1", "/docsabc", "/.well-known"])


@st.composite
def static_sites(draw: st.DrawFn) -> Object:
    spec: Object = {"repo": REPO}
    if domain := draw(st.none() | domains):
        spec["domain"] = domain
        spec["pathPrefix"] = draw(prefixes)
    if draw(st.integers(0, 9)) == 0:
        spec = draw(st.sampled_from([{}, {"repo": 7}, {"repo": "ftp://x"}]))
    created = f"2026-01-0{draw(st.integers(1, 5))}T00:00:00Z"
    return static_site(draw(labels), draw(labels), metadata={"creationTimestamp": created}) | {"spec": spec}


def unique(drawn: list[Object]) -> list[Object]:
    """One object per namespace and name, each with its own uid, as in a cluster."""
    by_name = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in drawn}
    for number, each in enumerate(by_name.values()):
        each["metadata"]["uid"] = f"uid-{number:02}"
    return list(by_name.values())


sites_of_a_cluster = st.lists(static_sites(), max_size=14).map(unique)
policies = st.sampled_from(
    [
        [],
        [{"domains": ["one.test", "two.test", "*.c.test"], "namespaces": ["*"], "sharedPaths": True}],
        [{"domains": ["one.test"], "namespaces": ["a"]}],
    ]
)
tls_modes = st.sampled_from(
    [
        {"mode": "Off"},
        {"mode": "Individual", "issuerRef": {"name": "le"}},
        {"mode": "Wildcard", "wildcardSecretName": "w"},
        {"mode": "Wildcard", "issuerRef": {"name": "le"}},
    ]
)


def ask(sites: list[Object], observed: list[Object] | None = None, **spec: Any) -> Object:
    request = {
        "parent": {
            "kind": "Platform",
            "metadata": {"name": "platform", "namespace": "kup6s-pages", "generation": 1},
            "spec": {"pagesDomain": PAGES, "tls": {"mode": "Off"}, **spec},
        },
        "children": {VIRTUAL_HOST: {f"kup6s-pages/{each['metadata']['name']}": each for each in observed or []}},
        "related": {
            STATIC_SITE: {f"{each['metadata']['namespace']}/{each['metadata']['name']}": each for each in sites}
        },
    }
    answer = platform.sync(request, now=NOW, hold=timedelta(0))
    assert answer["status"]["conditions"][0]["reason"] != "InvalidSpec"
    return answer


def hosts(answer: Object) -> list[Object]:
    return [child for child in answer["children"] if child["kind"] == "VirtualHost"]


def generated(answer: Object) -> list[Object]:
    """All objects of stage two."""
    objects: list[Object] = []
    for host in hosts(answer):
        parent = {**host, "metadata": {**host["metadata"], "namespace": "kup6s-pages"}}
        objects += virtualhost.sync({"parent": parent, "children": {}, "related": {}}, now=NOW)["children"]
    return objects


@given(sites_of_a_cluster, st.randoms(use_true_random=False), policies, tls_modes)
def test_the_order_of_the_sites_does_not_matter(sites: list[Object], random: Any, policy: Any, tls: Any) -> None:
    shuffled = sites[:]
    random.shuffle(shuffled)
    assert ask(sites, domainPolicies=policy, tls=tls) == ask(shuffled, domainPolicies=policy, tls=tls)


@given(sites_of_a_cluster, policies, tls_modes)
def test_no_two_routes_have_one_host_and_path(sites: list[Object], policy: Any, tls: Any) -> None:
    rules = [
        rule["match"]
        for made in generated(ask(sites, domainPolicies=policy, tls=tls))
        if made["kind"] == "IngressRoute"
        for rule in made["spec"]["routes"]
    ]
    assert len(rules) == len(set(rules))


@given(sites_of_a_cluster, policies, tls_modes)
def test_no_two_objects_have_one_name(sites: list[Object], policy: Any, tls: Any) -> None:
    names = [(made["kind"], made["metadata"]["name"]) for made in generated(ask(sites, domainPolicies=policy, tls=tls))]
    assert len(names) == len(set(names))


@given(sites_of_a_cluster, tls_modes)
def test_no_two_domains_share_a_certificates_secret(sites: list[Object], tls: Any) -> None:
    own = [host["spec"]["tls"] for host in hosts(ask(sites, tls=tls)) if "tls" in host["spec"]]
    secrets = [each["secretName"] for each in own if "issuerRef" in each]
    assert len(secrets) == len(set(secrets))


@given(sites_of_a_cluster, policies)
def test_every_site_is_either_routed_or_rejected(sites: list[Object], policy: Any) -> None:
    answer = ask(sites, domainPolicies=policy)
    routed = [(r["site"]["namespace"], r["site"]["name"]) for host in hosts(answer) for r in host["spec"]["routes"]]
    rejected = [(each["namespace"], each["name"]) for each in answer["status"]["rejections"]]
    all_sites = [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in sites]
    assert sorted(routed + rejected) == sorted(all_sites)
    assert answer["status"]["rejected"] == len(rejected)
    assert all(each["reason"] and each["message"] for each in answer["status"]["rejections"])


@given(sites_of_a_cluster, sites_of_a_cluster, policies, tls_modes)
def test_new_sites_change_no_existing_route(
    sites: list[Object], newcomers: list[Object], policy: Any, tls: Any
) -> None:
    before = hosts(ask(sites, domainPolicies=policy, tls=tls))
    present = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in sites}
    added = [each for each in newcomers if (each["metadata"]["namespace"], each["metadata"]["name"]) not in present]
    for number, each in enumerate(added):
        each["metadata"] |= {"uid": f"a-new-{number}", "creationTimestamp": "2020-01-01T00:00:00Z"}
    after = {
        host["metadata"]["name"]: host for host in hosts(ask(sites + added, before, domainPolicies=policy, tls=tls))
    }
    for host in before:
        now = after[host["metadata"]["name"]]
        assert {**now["spec"], "routes": []} == {**host["spec"], "routes": []}
        assert all(route in now["spec"]["routes"] for route in host["spec"]["routes"])


@given(
    sites_of_a_cluster,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["metadata", "spec", "name", "namespace", "uid", "repo"]), inner, max_size=4
            )
        ),
        max_leaves=8,
    ),
)
def test_a_malformed_site_affects_no_other_site(sites: list[Object], garbage: Any) -> None:
    clean = ask(sites)
    broken = stored_site("zz", "zz") | {"spec": garbage}
    assert hosts(ask([*sites, broken])) == hosts(clean)


@given(sites_of_a_cluster)
def test_an_answer_fed_back_is_stable(sites: list[Object]) -> None:
    first = ask(sites)
    assert hosts(ask(sites, hosts(first))) == hosts(first)


def test_at_most_500_rejections_are_listed_and_all_are_counted() -> None:
    sites = [stored_site(f"s{number}", "a") | {"spec": {}} for number in range(600)]
    status = ask(sites)["status"]
    assert (status["rejected"], len(status["rejections"])) == (600, 500)


def test_a_request_without_the_related_sites_is_rejected() -> None:
    host = hosts(ask([stored_site()]))[0]
    request = {
        "parent": {
            "kind": "Platform",
            "metadata": {"name": "p"},
            "spec": {"pagesDomain": PAGES, "tls": {"mode": "Off"}},
        },
        "children": {VIRTUAL_HOST: {"kup6s-pages/x": host}},
        "related": {},
    }
    with pytest.raises(NotAHookRequest, match="customize"):
        platform.sync(request, now=NOW)


def test_a_request_is_not_modified() -> None:
    sites = [stored_site()]
    before = copy.deepcopy(sites)
    ask(sites)
    assert sites == before


def test_the_time_of_a_condition_stays_while_its_status_stays() -> None:
    request = {
        "parent": {
            "kind": "Platform",
            "metadata": {"name": "p", "generation": 1},
            "spec": {"pagesDomain": PAGES, "tls": {"mode": "Off"}},
        },
        "children": {},
        "related": {STATIC_SITE: {}},
    }
    first = platform.sync(request, now=NOW)["status"]
    request["parent"]["status"] = first  # type: ignore[index]  # a plain dict
    assert platform.sync(request, now=NOW + timedelta(hours=1))["status"] == first


def test_c8_one_host_belongs_to_one_namespace() -> None:
    def claim(namespace: str, day: int, **spec: Any) -> Object:
        created = f"2026-01-0{day}T00:00:00Z"
        metadata = {"uid": f"{day}", "creationTimestamp": created}
        return static_site(f"site-{day}", namespace, metadata=metadata, **spec)

    owner, sibling = claim("a", 1, domain="one.test"), claim("a", 2, domain="one.test", pathPrefix="/docs")
    stranger = claim("b", 3, domain="one.test", pathPrefix="/login")
    squatter = claim("b", 4, domain=PAGES)
    answer = ask([owner, sibling, stranger, squatter])
    routed = {
        (host["spec"]["domain"], r["site"]["namespace"]) for host in hosts(answer) for r in host["spec"]["routes"]
    }
    assert routed == {("one.test", "a")}
    rejected = {each["name"]: each["reason"] for each in answer["status"]["rejections"]}
    assert rejected == {"site-3": "DomainConflict", "site-4": "PlatformDomain"}
