"""The hooks under a real Metacontroller with the rights of pages-operator."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import yaml

from tests.support.cluster import Hooks, Metacontroller, condition
from tests.support.control_plane import SYSTEM, Cluster, Object
from tests.support.objects import static_site
from tests.support.serving import eventually

MANY = 500
Platform = Callable[..., None]


class Tenant:
    """One tenant's namespace and the objects that are generated for it: their names contain the namespace's."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self.namespace = namespace
        self.domain = f"www.{namespace}.example.org"
        self.pages_domain = f"{namespace}.example.com"

    def apply(self, name: str, **spec: Any) -> str:
        """Create or change a StaticSite; return the name of its IngressRoute."""
        self._cluster.apply(static_site(name, self.namespace, **spec))
        return self.route(name)

    def route(self, name: str) -> str:
        return f"{self.namespace}--{name}"

    def delete(self, name: str) -> None:
        self._cluster.delete("staticsites", name, namespace=self.namespace)

    def generated(self, kind: str) -> Sequence[Object]:
        return [each for each in self._cluster.list(kind, SYSTEM) if self.namespace in each["metadata"]["name"]]

    def names(self, kind: str) -> set[str]:
        return {each["metadata"]["name"] for each in self.generated(kind)}

    def routes(self) -> Mapping[str, str]:
        """The rule of each IngressRoute, by its name."""
        return {
            each["metadata"]["name"]: each["spec"]["routes"][0]["match"] for each in self.generated("ingressroutes")
        }

    def versions(self) -> Mapping[str, str]:
        """Uid and resourceVersion of every generated object."""
        return {
            f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["uid"] + each["metadata"]["resourceVersion"]
            for kind in ("virtualhosts", "ingressroutes", "middlewares", "certificates")
            for each in self.generated(kind)
        }

    def ready(self) -> set[str]:
        """The domains whose VirtualHost says that all of it is made, which Metacontroller writes last."""
        return {
            each["metadata"]["name"]
            for each in self.generated("virtualhosts")
            if condition(each, "Ready").get("status") == "True"
            and each["status"]["observedGeneration"] == each["metadata"]["generation"]
        }

    def rejection(self) -> str:
        """The reason of the first rejection of a site of this namespace."""
        status = (self._cluster.get("platforms", "platform") or {}).get("status", {})
        reasons = [each["reason"] for each in status.get("rejections", []) if each["namespace"] == self.namespace]
        return str(reasons[0]) if reasons else ""


@pytest.fixture
def tenant(metacontroller: Metacontroller, cluster: Cluster, namespace: str, platform: Platform) -> Tenant:
    made = Tenant(cluster, namespace)
    platform(pagesDomain=made.pages_domain)
    return made


def test_a_site_is_routed_in_the_system_namespace_and_owned_there(cluster: Cluster, tenant: Tenant) -> None:
    name = tenant.apply("blog", domain=tenant.domain, pathPrefix="/blog")
    eventually(lambda: tenant.names("ingressroutes") == {name})
    eventually(lambda: tenant.names("middlewares") >= {f"{name}-prefix", f"{name}-strip"})
    (route,) = tenant.generated("ingressroutes")
    (owner,) = route["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("VirtualHost", tenant.domain)
    eventually(lambda: tenant.domain in tenant.ready())
    host = cluster.get("virtualhosts", tenant.domain)
    assert host
    assert host["status"]["routes"][0]["resources"]["ingressRoute"] == f"{SYSTEM}/{name}"
    assert host["metadata"]["ownerReferences"][0]["kind"] == "Platform"


def test_an_edit_reaches_the_route(tenant: Tenant) -> None:
    name = tenant.apply("blog", domain=tenant.domain, pathPrefix="/a")
    eventually(lambda: "/a" in tenant.routes().get(name, ""))
    tenant.apply("blog", domain=tenant.domain, pathPrefix="/b")
    eventually(lambda: "/b" in tenant.routes().get(name, ""))


def test_a_site_moves_to_another_domain_at_once(tenant: Tenant) -> None:
    """Both domains' VirtualHosts want the IngressRoute of that name for a moment."""
    for domain in (f"{number}.{tenant.domain}" for number in ("one", "two", "three")):
        name = tenant.apply("blog", domain=domain)
        eventually(lambda domain=domain, name=name: domain in tenant.routes().get(name, ""))  # type: ignore[misc]
        eventually(lambda domain=domain: tenant.names("virtualhosts") == {domain})  # type: ignore[misc]
    eventually(lambda: f"three.{tenant.domain}" in tenant.ready())


def test_a_domain_has_one_owner_and_is_handed_over(tenant: Tenant) -> None:
    first = tenant.apply("first", domain=tenant.domain)
    eventually(lambda: set(tenant.routes()) == {first})
    second = tenant.apply("second", domain=tenant.domain)
    eventually(lambda: tenant.rejection() == "PathConflict")
    assert set(tenant.routes()) == {first}
    tenant.delete("first")
    eventually(lambda: set(tenant.routes()) == {second})
    eventually(lambda: tenant.rejection() == "")


def test_a_deleted_site_leaves_nothing(tenant: Tenant) -> None:
    tenant.apply("blog", domain=tenant.domain, pathPrefix="/blog")
    kinds = {"VirtualHost", "IngressRoute", "Middleware"}
    eventually(lambda: kinds == {name.split("/")[0] for name in tenant.versions()}, 10)
    tenant.delete("blog")
    eventually(lambda: tenant.versions() == {})


def test_a_deleted_namespace_leaves_nothing(cluster: Cluster, tenant: Tenant) -> None:
    for name in ("blog", "docs"):
        tenant.apply(name)
    eventually(lambda: len(tenant.routes()) == 2)
    cluster.kubectl("delete", "namespace", tenant.namespace, "--wait=true", "--timeout=60s")
    eventually(lambda: tenant.versions() == {})


def test_the_platform_is_edited(tenant: Tenant, platform: Platform) -> None:
    name = tenant.apply("blog")
    eventually(lambda: tenant.names("virtualhosts") == {f"blog.{tenant.pages_domain}"})
    issuer = {"kind": "ClusterIssuer", "name": "letsencrypt"}
    other = f"{tenant.namespace}.example.net"
    platform(pagesDomain=other, tls={"mode": "Individual", "issuerRef": issuer})
    eventually(lambda: tenant.names("virtualhosts") == {f"blog.{other}"})
    eventually(lambda: tenant.names("certificates") == {f"blog-{tenant.namespace}-example-net-tls"})
    eventually(lambda: f"blog.{other}" in tenant.routes().get(name, ""))


def test_the_platform_is_deleted_and_takes_all_with_it(cluster: Cluster, tenant: Tenant) -> None:
    tenant.apply("blog")
    eventually(lambda: len(tenant.routes()) == 1)
    cluster.delete("platforms", "platform")
    eventually(lambda: tenant.versions() == {})


def test_a_child_that_was_deleted_or_edited_by_hand_comes_back(cluster: Cluster, tenant: Tenant) -> None:
    name = tenant.apply("blog", domain=tenant.domain)
    eventually(lambda: tenant.domain in tenant.ready())
    whole = tenant.versions().keys()
    cluster.delete("ingressroutes", name)
    eventually(lambda: tenant.domain in tenant.routes().get(name, ""))
    edit = [{"op": "replace", "path": "/spec/routes/0/match", "value": "Host(`stolen.example.org`)"}]
    cluster.kubectl("patch", "ingressroute", name, "-n", SYSTEM, "--type=json", "-p", json.dumps(edit))
    eventually(lambda: tenant.domain in tenant.routes().get(name, ""))
    cluster.kubectl("delete", "virtualhost", tenant.domain, "-n", SYSTEM)
    eventually(lambda: tenant.domain in tenant.ready())
    eventually(lambda: tenant.domain in tenant.routes().get(name, ""))
    assert tenant.versions().keys() == whole


def test_a_restart_rewrites_nothing(
    cluster: Cluster, tenant: Tenant, metacontroller: Metacontroller, hooks: Hooks
) -> None:
    many = [static_site(f"site-{number:03}", tenant.namespace) for number in range(MANY)]
    cluster.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(many))
    eventually(lambda: len(tenant.routes()) == MANY, 180)
    domains = {f"site-{number:03}.{tenant.pages_domain}" for number in range(MANY)}
    eventually(lambda: tenant.ready() == domains)
    before = tenant.versions()
    assert len(before) == 4 * MANY  # VirtualHost, IngressRoute, two Middlewares
    metacontroller.stop()
    hooks.stop()
    hooks.start().wait_until_ready()
    asked = hooks.output.count("/virtualhost/sync")
    metacontroller.start()
    metacontroller.wait_until_ready()
    eventually(lambda: hooks.output.count("/virtualhost/sync") >= asked + MANY, 120)
    last = tenant.apply("last", domain=tenant.domain)  # its turn comes after theirs
    eventually(lambda: last in tenant.routes() and tenant.domain in tenant.ready())
    assert {name: version for name, version in tenant.versions().items() if name in before} == before


@pytest.mark.parametrize("failure", ["down", "error"])
def test_hooks_that_fail_change_nothing_until_they_work_again(
    tenant: Tenant,
    metacontroller: Metacontroller,
    hooks: Hooks,
    failing_server: Callable[[int], None],
    failure: str,
) -> None:
    old = tenant.apply("old")
    eventually(lambda: f"old.{tenant.pages_domain}" in tenant.ready())
    before = tenant.versions()
    hooks.stop()
    if failure == "error":
        failing_server(hooks.port)
    new = tenant.apply("new")
    tenant.delete("old")
    failures = metacontroller.failures()
    eventually(lambda: metacontroller.failures() >= failures + 2)  # it has asked about both changes, and once more
    assert tenant.versions() == before
    assert set(tenant.routes()) == {old}
    if failure == "error":
        failing_server(0)
    hooks.start().wait_until_ready()
    eventually(lambda: set(tenant.routes()) == {new})
