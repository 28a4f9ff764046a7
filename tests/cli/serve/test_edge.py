"""The stand-in for Traefik routes what the objects say, or refuses them by name."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.serve.edge import UnsupportedObject, render
from hooks import virtualhost

Object = dict[str, Any]


def routed(*prefixes: str, domain: str = "example.com") -> list[Object]:
    """What the hooks make of a domain with a site at each prefix."""
    host = {
        "kind": "VirtualHost",
        "metadata": {"name": domain, "namespace": "kup6s-pages"},
        "spec": {
            "domain": domain,
            "entryPoints": ["web"],
            "service": {},
            "routes": [
                {"site": {"namespace": "team", "name": f"s{number}"}, "pathPrefix": prefix, "root": f"/team/s{number}"}
                for number, prefix in enumerate(prefixes)
            ],
        },
    }
    request = {"parent": host, "children": {}, "related": {}}
    made = virtualhost.sync(request, now=datetime(2026, 1, 1, tzinfo=UTC))["children"]
    return [{**each, "metadata": {**each["metadata"], "namespace": "kup6s-pages"}} for each in made]


def rendered(objects: list[Object]) -> str:
    return render(objects, listen=["127.0.0.1:8080"], upstream="unix:sites.sock")


def changed(kind: str, suffix: str, change: Object) -> list[Object]:
    """The objects of a site at /docs, one of them with another spec."""
    objects = copy.deepcopy(routed("/docs"))
    for each in objects:
        if each["kind"] == kind and each["metadata"]["name"].endswith(suffix):
            each["spec"] = each["spec"] | change
    return objects


def test_a_site_becomes_a_server_with_its_paths() -> None:
    text = rendered(routed("", "/docs"))
    assert "server_name example.com;" in text
    for location in ("location / {", "location = /docs {", "location ^~ /docs/ {"):
        assert location in text
    assert "proxy_pass http://pages_sites/team/s1$pages_passed;" in text


def test_the_same_objects_give_the_same_text_in_any_order() -> None:
    objects = routed("", "/a", "/b") + routed("", domain="other.example.com")
    assert rendered(objects) == rendered(objects[::-1])


@pytest.mark.parametrize(
    "rule",
    [
        "Host(`a.example.com`) || Host(`b.example.com`)",
        "HostRegexp(`.*`)",
        "PathPrefix(`/`)",
        "Host(`a.example.com`) && PathPrefix(`/docs`)",
        "Host(`a.example.com`) && (Path(`/docs`) || PathPrefix(`/other/`))",
        "Host(`a.example.com; return 200`)",
        "Host(`a.example.com`) && (Path(`/a b`) || PathPrefix(`/a b/`))",
        "",
    ],
)
def test_a_rule_that_is_not_ours_is_refused_by_name(rule: str) -> None:
    objects = routed("")
    objects[0]["spec"]["routes"][0]["match"] = rule
    with pytest.raises(UnsupportedObject, match="IngressRoute kup6s-pages/team--s0"):
        rendered(objects)


@pytest.mark.parametrize(
    ("suffix", "change"),
    [
        ("-prefix", {"addPrefix": {"prefix": "/team/s0; return 200 evil"}}),
        ("-prefix", {"addPrefix": {"prefix": "/../other"}}),
        ("-prefix", {"addPrefix": {"prefix": ""}}),
        ("-strip", {"stripPrefix": {"prefixes": ["/other"]}}),
        ("-strip", {"stripPrefix": {"prefixes": ["/docs"], "forceSlash": True}}),
        ("-headers", {"headers": {"customRequestHeaders": {"X-A": '"; return 200 "evil'}}}),
        ("-headers", {"headers": {"customRequestHeaders": {"X A": "b"}}}),
        ("-headers", {"headers": {"customRequestHeaders": {"X-A": "$host"}}}),
        ("-headers", {"rateLimit": {"average": 1}}),
    ],
)
def test_a_middleware_that_cannot_be_played_is_refused_by_name(suffix: str, change: Object) -> None:
    with pytest.raises(UnsupportedObject, match=f"team--s0{suffix}"):
        rendered(changed("Middleware", suffix, change))


def test_a_middleware_that_is_missing_is_named() -> None:
    objects = [each for each in routed("") if not each["metadata"]["name"].endswith("-prefix")]
    with pytest.raises(UnsupportedObject, match="no Middleware kup6s-pages/team--s0-prefix"):
        rendered(objects)


def test_two_routes_of_one_host_and_path_are_refused() -> None:
    objects = routed("") + [
        {**each, "metadata": {**each["metadata"], "name": f"x{each['metadata']['name']}"}} for each in routed("")
    ]
    with pytest.raises(UnsupportedObject, match="same host and path"):
        rendered(objects)


def test_objects_of_other_groups_are_passed_over() -> None:
    certificate = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "x"}}
    assert rendered([*routed(""), certificate]) == rendered(routed(""))


def test_aliases_never_take_a_name_that_is_claimed() -> None:
    objects = routed("") + routed("", domain="alias.example.com")
    text = render(
        objects,
        listen=["127.0.0.1:1"],
        upstream="unix:x",
        aliases=lambda _host: ["alias.example.com", "free.example.com"],
    )
    assert "server_name alias.example.com free.example.com;" in text
    assert "server_name example.com;" in text
