"""The hooks under a real Metacontroller with the rights of pages-operator."""

import json
import time
from collections.abc import Callable, Mapping

import pytest
import yaml

from tests.support.cluster import Hooks, Metacontroller, condition
from tests.support.control_plane import SYSTEM, Cluster, Object
from tests.support.objects import static_site
from tests.support.serving import eventually

MANY = 500
Platform = Callable[..., None]


@pytest.fixture(autouse=True)
def _running(metacontroller: Metacontroller, platform: Platform) -> None:
    platform()


def hosts_routed(cluster: Cluster) -> Mapping[str, str]:
    """The rule of each IngressRoute, by its name."""
    found = cluster.list("ingressroutes", SYSTEM)
    return {each["metadata"]["name"]: each["spec"]["routes"][0]["match"] for each in found}


def versions(cluster: Cluster) -> Mapping[str, str]:
    """Uid and resourceVersion of every generated object."""
    return {
        f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["uid"] + each["metadata"]["resourceVersion"]
        for kind in ("virtualhosts", "ingressroutes", "middlewares", "certificates")
        for each in cluster.list(kind, SYSTEM)
    }


def settled(cluster: Cluster) -> Mapping[str, str]:
    """The versions once they have stopped to change."""
    before = versions(cluster)
    while True:
        time.sleep(1)
        if (now := versions(cluster)) == before:
            return now
        before = now


def rejection(cluster: Cluster) -> str:
    """The reason of the first rejection."""
    found = cluster.get("platforms", "platform") or {}
    rejections = found.get("status", {}).get("rejections", [])
    return str(rejections[0]["reason"]) if rejections else ""


def test_a_site_is_routed_in_the_system_namespace_and_owned_there(cluster: Cluster, namespace: str) -> None:
    cluster.apply(static_site("blog", namespace, domain="www.example.org", pathPrefix="/blog"))
    name = f"{namespace}--blog"
    eventually(lambda: cluster.names("ingressroutes") == {name})
    eventually(lambda: cluster.names("middlewares") >= {f"{name}-prefix", f"{name}-strip"})
    (route,) = cluster.list("ingressroutes")
    (owner,) = route["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("VirtualHost", "www.example.org")
    eventually(lambda: condition(cluster.get("virtualhosts", "www.example.org"), "Ready").get("status") == "True")
    host = cluster.get("virtualhosts", "www.example.org")
    assert host
    assert host["status"]["routes"][0]["resources"]["ingressRoute"] == f"{SYSTEM}/{name}"
    assert host["metadata"]["ownerReferences"][0]["kind"] == "Platform"


def test_an_edit_reaches_the_route(cluster: Cluster, namespace: str) -> None:
    cluster.apply(static_site("blog", namespace, domain="www.example.org", pathPrefix="/a"))
    eventually(lambda: "/a" in hosts_routed(cluster).get(f"{namespace}--blog", ""))
    cluster.apply(static_site("blog", namespace, domain="www.example.org", pathPrefix="/b"))
    eventually(lambda: "/b" in hosts_routed(cluster).get(f"{namespace}--blog", ""))


def test_a_site_moves_to_another_domain_at_once(cluster: Cluster, namespace: str) -> None:
    """Both domains' VirtualHosts want the IngressRoute of that name for a moment."""
    name = f"{namespace}--blog"
    for domain in ("one.example.org", "two.example.org", "three.example.org"):
        cluster.apply(static_site("blog", namespace, domain=domain))
        eventually(lambda domain=domain: domain in hosts_routed(cluster).get(name, ""))  # type: ignore[misc]
        eventually(lambda domain=domain: cluster.names("virtualhosts") == {domain})  # type: ignore[misc]
    eventually(lambda: condition(cluster.get("virtualhosts", "three.example.org"), "Ready").get("status") == "True")


def test_a_domain_has_one_owner_and_is_handed_over(cluster: Cluster, namespace: str) -> None:
    cluster.apply(static_site("first", namespace, domain="www.example.org"))
    eventually(lambda: set(hosts_routed(cluster)) == {f"{namespace}--first"})
    cluster.apply(static_site("second", namespace, domain="www.example.org"))
    eventually(lambda: rejection(cluster) == "PathConflict")
    assert set(hosts_routed(cluster)) == {f"{namespace}--first"}
    cluster.delete("staticsites", "first", namespace=namespace)
    eventually(lambda: set(hosts_routed(cluster)) == {f"{namespace}--second"})
    eventually(lambda: rejection(cluster) == "")


def test_a_deleted_site_leaves_nothing(cluster: Cluster, namespace: str) -> None:
    cluster.apply(static_site("blog", namespace, domain="www.example.org", pathPrefix="/blog"))
    eventually(
        lambda: {"VirtualHost", "IngressRoute", "Middleware"} == {name.split("/")[0] for name in versions(cluster)}, 10
    )
    cluster.delete("staticsites", "blog", namespace=namespace)
    eventually(lambda: versions(cluster) == {})


def test_a_deleted_namespace_leaves_nothing(cluster: Cluster, namespace: str) -> None:
    cluster.apply(static_site("blog", namespace), static_site("docs", namespace))
    eventually(lambda: len(hosts_routed(cluster)) == 2)
    cluster.kubectl("delete", "namespace", namespace, "--wait=true", "--timeout=60s")
    eventually(lambda: versions(cluster) == {})


def test_the_platform_is_edited(cluster: Cluster, namespace: str, platform: Platform) -> None:
    cluster.apply(static_site("blog", namespace))
    eventually(lambda: cluster.names("virtualhosts") == {"blog.pages.example.com"})
    issuer = {"kind": "ClusterIssuer", "name": "letsencrypt"}
    platform(pagesDomain="sites.example.net", tls={"mode": "Individual", "issuerRef": issuer})
    eventually(lambda: cluster.names("virtualhosts") == {"blog.sites.example.net"})
    eventually(lambda: cluster.names("certificates") == {"blog-sites-example-net-tls"})
    eventually(lambda: "blog.sites.example.net" in hosts_routed(cluster).get(f"{namespace}--blog", ""))


def test_the_platform_is_deleted_and_takes_all_with_it(cluster: Cluster, namespace: str) -> None:
    cluster.apply(static_site("blog", namespace))
    eventually(lambda: len(hosts_routed(cluster)) == 1)
    cluster.delete("platforms", "platform")
    eventually(lambda: versions(cluster) == {})


def test_the_most_rules_that_sites_may_have_are_applied(cluster: Cluster, namespace: str) -> None:
    """It notes in an annotation what it applied, and those have a limit."""
    values = {f"X-{number}": "v" * 2048 for number in range(10)}
    most: Object = {
        "redirects": [{"from": f"/from-{number}", "to": "/" + "t" * 1000} for number in range(50)],
        "headers": [{"for": f"/for-{number}/*", "values": values} for number in range(20)],
    }
    files = {
        "redirects": [{"from": f"/{number}", "to": "/x"} for number in range(100)],
        "headers": [{"for": f"/{number}/*", "values": {"X-A": "b"}} for number in range(20)],
    }
    long, domain = "l" * 60, "www.example.org"
    cluster.apply(static_site(long, namespace, domain=domain, headers=files["headers"]))
    status = json.dumps({"status": {"rules": files}})
    cluster.kubectl("patch", "staticsite", long, "-n", namespace, "--type=merge", "--subresource=status", "-p", status)
    cluster.apply(static_site("most", namespace, domain=domain, pathPrefix="/most", **most))
    names = {f"{namespace}--{long}", f"{namespace}--most"}
    eventually(lambda: set(hosts_routed(cluster)) == names)
    for name in names:
        eventually(lambda name=name: f"{name}-redirect-50" in cluster.names("middlewares"))  # type: ignore[misc]
    eventually(lambda: condition(cluster.get("virtualhosts", domain), "Ready").get("status") == "True")


def test_a_child_that_was_deleted_or_edited_by_hand_comes_back(cluster: Cluster, namespace: str) -> None:
    cluster.apply(static_site("blog", namespace, domain="www.example.org"))
    name = f"{namespace}--blog"
    eventually(lambda: name in hosts_routed(cluster))
    whole = settled(cluster)
    cluster.delete("ingressroutes", name)
    eventually(lambda: "www.example.org" in hosts_routed(cluster).get(name, ""))
    edit = [{"op": "replace", "path": "/spec/routes/0/match", "value": "Host(`stolen.example.org`)"}]
    cluster.kubectl("patch", "ingressroute", name, "-n", SYSTEM, "--type=json", "-p", json.dumps(edit))
    eventually(lambda: "www.example.org" in hosts_routed(cluster).get(name, ""))
    cluster.kubectl("delete", "virtualhost", "www.example.org", "-n", SYSTEM)
    eventually(lambda: "www.example.org" in hosts_routed(cluster).get(name, ""))
    assert settled(cluster).keys() == whole.keys()


def test_a_restart_rewrites_nothing(
    cluster: Cluster, namespace: str, metacontroller: Metacontroller, hooks: Hooks
) -> None:
    cluster.kubectl("create", "-f", "-", stdin=sites(namespace, MANY))
    eventually(lambda: len(hosts_routed(cluster)) == MANY, 180)
    before = settled(cluster)
    assert len(before) == 4 * MANY  # VirtualHost, IngressRoute, two Middlewares
    metacontroller.stop()
    hooks.stop()
    hooks.start().wait_until_ready()
    asked = hooks.output.count("/virtualhost/sync")
    metacontroller.start()
    metacontroller.wait_until_ready()
    eventually(lambda: hooks.output.count("/virtualhost/sync") >= asked + MANY, 120)
    assert settled(cluster) == before


@pytest.mark.parametrize("failure", ["down", "error"])
def test_hooks_that_fail_change_nothing_and_it_heals_by_itself(
    cluster: Cluster, namespace: str, hooks: Hooks, failing_server: Callable[[int], None], failure: str
) -> None:
    cluster.apply(static_site("old", namespace))
    eventually(lambda: set(hosts_routed(cluster)) == {f"{namespace}--old"})
    before = settled(cluster)
    hooks.stop()
    if failure == "error":
        failing_server(hooks.port)
    cluster.apply(static_site("new", namespace))
    cluster.delete("staticsites", "old", namespace=namespace)
    time.sleep(3)
    assert versions(cluster) == before
    if failure == "error":
        failing_server(0)
    hooks.start().wait_until_ready()
    eventually(lambda: set(hosts_routed(cluster)) == {f"{namespace}--new"})


def sites(namespace: str, count: int) -> str:
    return yaml.safe_dump_all([static_site(f"site-{number:03}", namespace) for number in range(count)])
