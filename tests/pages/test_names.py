"""No two objects ever share a name, for any names that tenants choose."""

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from pages import names

label = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
site_name = label.filter(lambda text: "--" not in text)
domain = st.lists(label, min_size=2, max_size=5).map(lambda parts: f"{'.'.join(parts)}.example")
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
OF_A_ROUTE = (names.prefix_middleware, names.strip_middleware, names.headers_middleware)


@given(label, site_name, label, site_name)
def test_two_sites_share_no_middleware_and_no_route(a: str, one: str, b: str, two: str) -> None:
    assume((a, one) != (b, two))
    routes = names.ingress_route(a, one), names.ingress_route(b, two)
    assert routes[0] != routes[1]
    assert {make(routes[0]) for make in OF_A_ROUTE}.isdisjoint(make(routes[1]) for make in OF_A_ROUTE)
    assert names.site_root(a, one) != names.site_root(b, two)


@given(label, site_name, label, site_name)
def test_sites_that_traefik_cannot_distinguish_have_the_same_key(a: str, one: str, b: str, two: str) -> None:
    """Traefik replaces every run of other characters with a dash (docs/decisions/0004-names-in-traefik.md)."""
    same = re.sub("-+", "-", f"{a}-{one}") == re.sub("-+", "-", f"{b}-{two}")
    assert (names.traefik_key(a, one) == names.traefik_key(b, two)) == same


@given(domain, domain)
def test_two_domains_share_no_certificate(one: str, two: str) -> None:
    assume(one != two)
    first = names.certificate(one)
    assert names.certificate(two, {first}) != first


@given(label, site_name, domain)
def test_kubernetes_accepts_all_names(namespace: str, name: str, host: str) -> None:
    routes = [names.ingress_route(namespace, name), names.alias(namespace, name, host)]
    made = [*routes, *(make(route) for make in OF_A_ROUTE for route in routes)]
    made += [names.certificate(host), names.https_redirect(host), names.wildcard_certificate(host)]
    assert all(OBJECT_NAME.fullmatch(each) and len(each) <= 253 for each in made)


@given(
    st.lists(label.map(lambda part: part * 3), min_size=1, max_size=4).map(
        lambda parts: ".".join(parts)[:240] + ".example"
    )
)
def test_names_of_long_domains_are_cut(host: str) -> None:
    assert len(names.certificate(host)) <= 253
    assert len(names.certificate(host, {names.certificate(host)})) <= 253
    assert len(names.https_redirect(host)) <= 253
    assert all(len(value) <= 63 for value in names.domain_labels(host).values())
