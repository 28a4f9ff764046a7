"""The complete table of allowed connections, so that both extra and missing ones are noticed."""

import ipaddress
from typing import Any

import pytest

from tests.support.chart import containers, of_kind, pods, render, variant
from tests.support.control_plane import Object

TRAEFIK = "traefik/app.kubernetes.io/name=traefik"
DNS = "kube-system/k8s-app=kube-dns"


def policies(objects: list[Object]) -> dict[str, Any]:
    return {each["metadata"]["name"]: each["spec"] for each in of_kind(objects, "NetworkPolicy")}


def peer(each: Any) -> str:
    if "ipBlock" in each:
        return str(each["ipBlock"]["cidr"])
    namespace = each["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    labels = each.get("podSelector", {}).get("matchLabels", {})
    return "/".join([namespace, *(f"{key}={value}" for key, value in labels.items())])


def table(rules: list[Any], side: str) -> set[tuple[str, int]]:
    """The peers and ports of a rule; "anywhere" if the rule names no peer."""
    return {
        (who, port["port"])
        for rule in rules
        for who in (map(peer, rule[side]) if side in rule else ("anywhere",))
        for port in rule["ports"]
    }


def table_of(objects: list[Object], policy: str) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    spec = policies(objects)[policy]
    return table(spec.get("ingress", []), "from"), table(spec.get("egress", []), "to")


def test_all_traffic_is_denied_by_default() -> None:
    assert policies(variant("default"))["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_pods_of_other_programs_in_the_namespace_are_not_restricted() -> None:
    ours = {"matchLabels": {"app.kubernetes.io/part-of": "kup6s-pages"}}
    for namespace in ("default", "kube-system"):
        objects = render({}, namespace=namespace)
        assert policies(objects)["default-deny"]["podSelector"] == ours
        assert all(ours["matchLabels"].items() <= pod["metadata"]["labels"].items() for pod in pods(objects).values())


def test_only_traefik_reaches_nginx_and_nginx_reaches_nothing() -> None:
    assert table_of(variant("served"), "static-sites-nginx") == ({(TRAEFIK, 8080)}, set())


def test_the_syncer_reaches_dns_the_api_and_public_git_servers() -> None:
    incoming, outgoing = table_of(variant("served"), "pages-syncer")
    assert incoming == {(TRAEFIK, 8082), ("monitoring", 9091)}
    assert outgoing == {(DNS, 53), ("anywhere", 6443), ("0.0.0.0/0", 443), ("::/0", 443)}


def test_the_operator_reaches_only_the_api_and_only_monitoring_reaches_it() -> None:
    assert table_of(variant("served"), "pages-operator") == (
        {("monitoring", 9090), ("monitoring", 9999)},
        {("anywhere", 6443)},
    )


def test_h1_only_the_clusters_metacontroller_reaches_the_hooks() -> None:
    incoming, outgoing = table_of(variant("their-metacontroller"), "pages-operator")
    assert incoming == {("metacontroller/app.kubernetes.io/name=metacontroller", 8080), ("monitoring", 9090)}
    assert outgoing == set()


def test_only_the_configured_addresses_are_allowed() -> None:
    incoming, outgoing = table_of(variant("with-everything"), "pages-syncer")
    assert incoming == {(TRAEFIK, 8082), ("192.0.2.0/28", 8082), ("monitoring", 9091)}
    assert outgoing == {
        (DNS, 5353),
        ("169.254.20.10/32", 5353),
        ("10.0.0.1/32", 443),
        *((cidr, port) for cidr in ("0.0.0.0/0", "::/0", "10.1.2.3/32") for port in (443, 8443)),
        ("forgejo/app=forgejo", 3000),
    }


def test_without_webhooks_traefik_does_not_reach_the_syncer() -> None:
    incoming, _ = table_of(variant("without-webhooks"), "pages-syncer")
    assert incoming == {("monitoring", 9091)}


@pytest.mark.parametrize(
    "inside",
    [
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "169.254.169.254", "127.0.0.1"),
        *("168.63.129.16", "0.0.0.1", "224.0.0.1", "::1", "fe80::1", "fd00::1", "64:ff9b::a00:1", "ff02::1"),
    ],
)
def test_u8_private_addresses_are_not_public_git_servers(inside: str) -> None:
    address = ipaddress.ip_address(inside)
    for rule in policies(variant("served"))["pages-syncer"]["egress"]:
        for block in (each["ipBlock"] for each in rule.get("to", []) if "ipBlock" in each):
            assert not _admits(block, address), block["cidr"]


@pytest.mark.parametrize("outside", ["140.82.121.3", "172.32.0.1", "2a01:4f8::1"])
def test_a_public_git_server_is_reachable(outside: str) -> None:
    address = ipaddress.ip_address(outside)
    rules = policies(variant("served"))["pages-syncer"]["egress"]
    blocks = [each["ipBlock"] for rule in rules for each in rule.get("to", []) if "ipBlock" in each]
    assert any(_admits(block, address) for block in blocks)


def _admits(block: Any, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    cidr = ipaddress.ip_network(block["cidr"])
    excluded = [ipaddress.ip_network(each) for each in block.get("except", [])]
    return address in cidr and not any(address in each for each in excluded)


@pytest.mark.parametrize("name", ["served", "their-metacontroller", "one-pod", "monitored"])
def test_every_policy_names_existing_pods_and_ports(name: str) -> None:
    objects = variant(name)
    for policy, spec in policies(objects).items():
        labels = spec["podSelector"].get("matchLabels", {})
        if policy in ("default-deny", "acme-http01-solver"):
            continue
        chosen = [pod for pod in pods(objects).values() if labels.items() <= pod["metadata"]["labels"].items()]
        assert chosen, policy
        listening = {
            port["containerPort"]
            for pod in chosen
            for each in containers(pod).values()
            for port in each.get("ports", [])
        }
        assert {port for _, port in table(spec.get("ingress", []), "from")} <= listening, policy


def test_certificate_challenges_reach_their_solver() -> None:
    assert table_of(variant("served"), "acme-http01-solver") == ({(TRAEFIK, 8089)}, set())
