"""For any rules, Metacontroller can apply every object, and no site loses rules because of another site."""

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks import rule_budget
from pages import rule_syntax
from tests.hooks.test_platform import Object, ask, generated, hosts
from tests.support.objects import stored_site

MAX_ANNOTATIONS = 262_144
DOMAIN = f"{'d' * 60}.{'e' * 60}.example.org"
MARKUP = "<&>" * 682  # Go writes each of these with six characters
site = partial(stored_site, namespace="n" * 60, domain=DOMAIN)


def redirects(count: int, to: str = "/to") -> list[Object]:
    return [{"from": f"/from-{number}", "to": to} for number in range(count)]


def headers(count: int, value: str = "value", names: int = 1) -> list[Object]:
    return [
        {"for": f"/for-{number}/*", "values": {f"X-{name}": value for name in range(names)}} for number in range(count)
    ]


def routes(*sites: Object) -> dict[str, Object]:
    """The routes by site name. It checks that all objects of the answer are small enough."""
    answer = ask(list(sites))
    for each in [*hosts(answer), *generated(answer)]:
        assert as_go_writes_it(each) < MAX_ANNOTATIONS, (each["kind"], each["metadata"]["name"])
    return {route["site"]["name"]: route for host in hosts(answer) for route in host["spec"]["routes"]}


def as_go_writes_it(each: Object) -> int:
    text = json.dumps(each, separators=(",", ":"))
    return len(text) + 5 * sum(text.count(special) for special in "<>&")


def count(route: Object) -> int:
    parts = [route.get(part, {}).get(kind, []) for part in ("rules", "fileRules") for kind in ("redirects", "headers")]
    return sum(map(len, parts))


def test_rules_that_fit_stay_whole() -> None:
    most: Object = {"redirects": redirects(50), "headers": headers(20)}
    routed = routes(site("one", **most), site("two", pathPrefix="/two", **most))
    assert [(count(each), "rulesLeftOut" in each) for each in routed.values()] == [(70, False), (70, False)]


def test_many_rules_of_one_site_displace_none_of_other_sites() -> None:
    few: Object = {"redirects": redirects(50, "/" + "t" * 500), "headers": headers(3)}
    greedy = [
        site(f"greedy-{number}", pathPrefix=f"/a{number}", headers=headers(20, "v" * 2000, 10)) for number in range(5)
    ]
    routed = routes(*greedy, site("modest", pathPrefix="/z", **few), site("none", pathPrefix="/y"))
    assert count(routed["modest"]) == 53
    assert "rulesLeftOut" not in routed["modest"] and "rulesLeftOut" not in routed["none"]
    for each in greedy:
        route = routed[each["metadata"]["name"]]
        assert count(route) + route["rulesLeftOut"] == 20
        assert count(route) >= 1


def test_the_last_rules_are_dropped_and_those_of_files_first() -> None:
    own: Object = {"redirects": redirects(50, "/" + "t" * 1000), "headers": headers(9, "v" * 2000, 10)}
    of_files = {"redirects": redirects(100), "headers": headers(20)}
    route = routes(site("one", **own, status={"rules": of_files}))["one"]
    assert [each["from"] for each in route["rules"]["redirects"]] == [each["from"] for each in own["redirects"]]
    assert [each["for"] for each in route["rules"]["headers"]] == [each["for"] for each in own["headers"]]
    kept = len(route["fileRules"]["redirects"])
    assert route["fileRules"]["redirects"][-1]["from"] == f"/from-{kept - 1}"
    assert route["rulesLeftOut"] == 120 - kept - len(route["fileRules"].get("headers", []))


@pytest.mark.parametrize("name", ["s", "s" * 63])
@pytest.mark.parametrize("value", ["v", '"' * 2048, MARKUP])
def test_the_largest_allowed_rules_become_objects_that_fit(name: str, value: str) -> None:
    most: Object = {"redirects": redirects(50, "/&" * 512), "headers": headers(20, value, 10)}
    of_files = {"redirects": redirects(rule_syntax.MAX_FILE_REDIRECTS), "headers": headers(20)}
    route = routes(site(name, **most, status={"rules": of_files}))[name]
    assert count(route) + route.get("rulesLeftOut", 0) == 190


def test_an_invalid_site_keeps_its_rules_and_the_dropped_count() -> None:
    many = site("one", headers=headers(20, "v" * 2000, 10))
    before = hosts(ask([many]))
    broken = site("one", headers=[{"for": "nonsense", "values": {}}])
    (after,) = hosts(ask([broken], before))
    assert after["spec"]["routes"] == before[0]["spec"]["routes"]
    assert after["spec"]["routes"][0]["rulesLeftOut"]


@given(st.lists(st.integers(0, 1000), max_size=20), st.integers(-100, 5000))
def test_shares_fit_the_budget_and_small_sizes_are_granted_in_full(sizes: list[int], budget: int) -> None:
    granted = rule_budget.shares(sizes, budget)
    assert sum(granted) <= max(budget, 0)
    equal = max(budget, 0) // max(len(sizes), 1)
    for size, share in zip(sizes, granted, strict=True):
        assert min(size, equal) <= share <= size
