"""The chart's admission policies on a real API server: H3 with the token of pages-operator, D3 with tenants."""

import copy
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.metacontroller import reconcile
from tests.support import chart
from tests.support.control_plane import SYSTEM, Cluster, Object
from tests.support.objects import static_site
from tests.support.serving import eventually

ISSUER = {"kind": "ClusterIssuer", "name": "letsencrypt"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Ask = Callable[[Object], str]


@pytest.fixture(autouse=True)
def _the_door_is_shut(cluster: Cluster) -> Iterator[None]:
    chart.shut_the_door(cluster)
    yield
    cluster.kubectl("delete", "validatingadmissionpolicybinding", chart.DOOR)
    # The API server judges by it for a moment longer: not what another file tries next.
    site = static_site("x", "default", domain="pages.example.com")
    eventually(lambda: "created (server dry run)" in asked(cluster, site))


@pytest.fixture
def grants(platform: Callable[..., None], cluster: Cluster) -> None:
    """A Platform that gives team-a a domain and keeps one; wait until the policies know this one, not that before."""
    mark = f"{secrets.token_hex(4)}.example.net"
    platform(
        tls={"mode": "Individual", "issuerRef": ISSUER},
        ingress={"redirectHTTP": True},
        domainPolicies=[
            {"domains": ["www.example.org", "*.A.example.org"], "namespaces": ["team-a"]},
            {"domains": ["shared.example.org"], "namespaces": ["*"]},
        ],
        reservedDomains=["argocd.example.com", "*.internal.example.com", mark],
    )
    for name in ("team-a", "team-b"):
        cluster.namespace(name)
    eventually(lambda: "reserved" in asked(cluster, static_site("x", "team-a", domain=mark)))


def asked(cluster: Cluster, new: Object, kubeconfig: Path | None = None) -> str:
    """What the API server says to a request to create it, which changes nothing."""
    command = ("create", "--dry-run=server", "-f", "-")
    return cluster.kubectl(*command, stdin=yaml.safe_dump(new), check=False, kubeconfig=kubeconfig)


@pytest.fixture
def ask(cluster: Cluster, grants: None, tmp_path: Path) -> Ask:
    """Asks with the token of pages-operator."""
    kubeconfig = cluster.service_account("pages-operator", tmp_path)
    return lambda new: asked(cluster, new, kubeconfig)


def made_by_the_hooks(cluster: Cluster) -> dict[str, Object]:
    """What the hooks make of a site of team-a, as Metacontroller would create it, by kind and name."""
    platform = cluster.get("platforms", "platform")
    assert platform
    site = static_site("blog", "team-a", domain="www.example.org", pathPrefix="/blog")
    site["metadata"] |= {"uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    done = reconcile(
        platform, [site], [{"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "team-a"}}], [], now=NOW
    )
    made = {}
    for each in (*done.virtual_hosts, *done.objects):
        owner = "Platform" if each["kind"] == "VirtualHost" else "VirtualHost"
        made[f"{each['kind']} {each['metadata']['name']}"] = {
            **{key: each[key] for key in ("apiVersion", "kind", "spec")},
            "metadata": {
                "name": each["metadata"]["name"],
                "namespace": SYSTEM,
                "labels": each["metadata"]["labels"],
                "ownerReferences": [
                    {
                        "apiVersion": "pages.kup6s.com/v1beta1",
                        "kind": owner,
                        "name": "x",
                        "uid": "x",
                        "controller": True,
                    }
                ],
            },
        }
    return made


def changed(original: Object, path: str, value: Any) -> Object:
    """A copy with one field set; a number in the path is an index, and None takes the field away."""
    made = copy.deepcopy(original)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("|")]
    place: Any = made
    for part in parents:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return made


def test_what_the_hooks_make_is_let_through(cluster: Cluster, ask: Ask) -> None:
    made = made_by_the_hooks(cluster)
    assert {name.split()[0] for name in made} == {"VirtualHost", "IngressRoute", "Middleware", "Certificate"}
    for name, each in made.items():
        assert "created (server dry run)" in ask(each), name


ROUTE, PREFIX, HEADERS = (
    f"{kind} team-a--blog{end}"
    for kind, end in (("IngressRoute", ""), ("Middleware", "-prefix"), ("Middleware", "-headers"))
)
HOST, TLS = "VirtualHost www.example.org", "Certificate www-example-org-tls"
MATCH = "spec|routes|0|match"


NEVER: tuple[tuple[str, str, Any, str], ...] = (
    (ROUTE, MATCH, "Host(`argocd.example.com`)", "reserved by the administrator"),
    (ROUTE, MATCH, "Host(`db.internal.example.com`)", "reserved by the administrator"),
    (ROUTE, MATCH, "Host(`webhook.pages.example.com`)", "reserved by the administrator"),
    (ROUTE, MATCH, "Host(`other.pages.example.com`)", "may only use its own name"),
    (ROUTE, MATCH, "Host(`www.example.com`)", "no domainPolicy"),
    (ROUTE, MATCH, "Host(`www.example.org`) && Path(`/x`) || PathPrefix(`/`)", "must match one Host and paths of it"),
    (ROUTE, MATCH, "Host(`www.example.org`) || Host(`argocd.example.com`)", "must match one Host and paths of it"),
    (ROUTE, MATCH, "Host(`www.example.org`, `argocd.example.com`)", "must match one Host and paths of it"),
    (ROUTE, MATCH, "HostRegexp(`.*`)", "must match one Host and paths of it"),
    (ROUTE, MATCH, "PathPrefix(`/`)", "must match one Host and paths of it"),
    (
        ROUTE,
        MATCH,
        "Host(`www.example.org`) && (Path(`/x`) || Host(`a.example`))",
        "must match one Host and paths of it",
    ),
    (ROUTE, "spec|routes|0|services|0|name", "pages-syncer", "the Service static-sites-nginx"),
    (ROUTE, "spec|routes|0|services|0|namespace", "argocd", "the Service static-sites-nginx"),
    (ROUTE, "spec|routes|0|services|0|kind", "TraefikService", "the Service static-sites-nginx"),
    (ROUTE, "spec|routes|0|middlewares|0|namespace", "argocd", "Middlewares of this namespace"),
    (ROUTE, "spec|tls|options", {"name": "weak"}, "TLS may only name a Secret"),
    (ROUTE, "metadata|name", "pages-webhook", "must be named after its site"),
    (ROUTE, "metadata|name", "team-b--blog", "must be named after its site"),
    (ROUTE, "metadata|labels|pages.kup6s.com/managed", None, "must have the label"),
    (ROUTE, "metadata|ownerReferences|0|kind", "StaticSite", "must be owned by a Platform"),
    (PREFIX, "metadata|name", "pages-webhook-rate", "must be named after its site"),
    (PREFIX, "spec", {"plugin": {"x": {}}}, "a Middleware may only be"),
    (PREFIX, "spec", {"forwardAuth": {"address": "http://evil.example"}}, "a Middleware may only be"),
    (PREFIX, "spec", {"chain": {"middlewares": [{"name": "pages-webhook-rate"}]}}, "a Middleware may only be"),
    (PREFIX, "spec", {"basicAuth": {"secret": "x"}}, "a Middleware may only be"),
    (HEADERS, "spec|headers|accessControlAllowOriginList", ["*"], "may only set headers"),
    (PREFIX, "spec", {"errors": {"status": ["404"], "service": {"name": "x"}}}, "a Middleware may only be"),
    (PREFIX, "spec|addPrefix|prefix", "/team-b/private", "may only use its own folder"),
    (PREFIX, "spec|addPrefix|prefix", "/", "may only use its own folder"),
    (HEADERS, "spec|headers|customRequestHeaders|X-Pages-Site", "team-b/private", "the site's own folder"),
    (
        HEADERS,
        "spec|headers|customRequestHeaders|Authorization",
        "Basic x",
        "may only set the request headers X-Pages-Site",
    ),
    (HOST, "spec|service|name", "pages-syncer", "use the Service static-sites-nginx"),
    (HOST, "metadata|name", "argocd.example.com", "named after its domain"),
    (TLS, "spec|issuerRef|name", "internal-ca", "the Platform's issuer"),
    (TLS, "spec|isCA", True, "may only have DNS names"),
    (TLS, "spec|dnsNames", ["argocd.example.com"], "reserved by the administrator"),
    (TLS, "spec|secretName", "pages-syncer", "its Secret must have the same name"),
    (TLS, "spec|ipAddresses", ["10.0.0.1"], "may only have DNS names"),
)


def test_h3_what_the_hooks_never_make_is_refused(cluster: Cluster, ask: Ask) -> None:
    made = made_by_the_hooks(cluster)
    hidden = []
    for name, path, value, said in NEVER:
        wrong = changed(made[name], path, value)
        answer = ask(wrong)
        assert "denied request" in answer, f"{name} {path} {value}: {answer}"
        if said not in answer:
            hidden.append((wrong, said, answer))
    # Of two policies that refuse it, the API server tells of one: the other is asked alone.
    cluster.kubectl("delete", "validatingadmissionpolicybinding", "pages-operator-domains")
    try:
        for wrong, said, answer in hidden:
            assert "'pages-operator-domains'" in answer, answer
            eventually(lambda: said in ask(wrong))  # noqa: B023 - called at once
    finally:
        cluster.apply(*chart.installed("ValidatingAdmissionPolicyBinding"))


def test_h3_other_kinds_and_other_namespaces_are_refused_even_to_an_account_with_rights(
    cluster: Cluster, grants: None, tmp_path: Path
) -> None:
    """As a second fence: the account is an administrator here, as when its rights were widened in error."""
    kubeconfig = cluster.service_account("pages-operator", tmp_path)
    account = f"--serviceaccount={SYSTEM}:pages-operator"
    cluster.kubectl("create", "clusterrolebinding", "widened", "--clusterrole=cluster-admin", account)
    try:
        eventually(lambda: "may not write" in asked(cluster, config_map(SYSTEM), kubeconfig))  # the right is known
        for new, said in (
            (config_map(SYSTEM), "may not write /configmaps"),
            (config_map("team-a"), "may only write in namespace kup6s-pages"),
            (static_site("blog", "team-a"), "may only write in namespace kup6s-pages"),
            ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new"}}, "may only write in namespace"),
        ):
            assert said in asked(cluster, new, kubeconfig)
        gone = ("delete", "deployment,secret,platform", "--all", "-n", SYSTEM, "--dry-run=server")
        assert "may not write pages.kup6s.com/platforms" in cluster.kubectl(*gone, check=False, kubeconfig=kubeconfig)
    finally:
        cluster.kubectl("delete", "clusterrolebinding", "widened")


def config_map(namespace: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": namespace}}


def test_nobody_else_is_fenced(cluster: Cluster, grants: None) -> None:
    """An administrator's own routes are none of our business."""
    route = changed(made_by_the_hooks(cluster)[ROUTE], MATCH, "Host(`argocd.example.com`)")
    assert "created (server dry run)" in asked(cluster, route)


CLAIMS = (
    ("team-a", "www.example.org", ""),
    ("team-a", "WWW.example.org", ""),
    ("team-a", "x.a.example.org", ""),
    ("team-b", "shared.example.org", ""),
    ("team-b", "site.pages.example.com", ""),
    ("team-b", None, ""),
    ("team-b", "www.example.org", "namespace team-b is not allowed to use www.example.org"),
    ("team-a", "a.example.org", "namespace team-a is not allowed to use a.example.org"),
    ("team-a", "xa.example.org", "namespace team-a is not allowed to use xa.example.org"),
    ("team-b", "x.a.example.org", "namespace team-b is not allowed to use"),
    ("team-a", "argocd.example.com", "argocd.example.com is reserved by the administrator"),
    ("team-a", "Db.Internal.example.com", "db.internal.example.com is reserved by the administrator"),
    ("team-a", "webhook.pages.example.com", "is reserved by the administrator"),
    ("team-a", "pages.example.com", "belongs to the platform; remove spec.domain"),
    ("team-a", "other.pages.example.com", "to use site.pages.example.com"),
)


def test_d3_a_domain_that_is_not_granted_is_refused_at_once(cluster: Cluster, grants: None) -> None:
    for namespace, domain, said in CLAIMS:
        spec: Object = {"domain": domain} if domain else {}
        answer = asked(cluster, static_site(namespace=namespace, **spec))
        assert said in answer if said else "created (server dry run)" in answer, f"{namespace} {domain}: {answer}"


def test_d3_a_platform_as_large_as_can_be_is_no_trouble(cluster: Cluster, platform: Callable[..., None]) -> None:
    """What an expression may cost is limited, and beyond that everything is refused."""
    cluster.namespace("team-a")
    policies = [
        {"domains": [f"*.d{domain}.p{policy}.example.org" for domain in range(100)], "namespaces": ["team-a", "team-b"]}
        for policy in range(250)
    ]
    platform(domainPolicies=policies, reservedDomains=[f"*.r{number}.example.com" for number in range(256)])
    granted = static_site("site", "team-a", domain="www.d99.p249.example.org")
    refused = static_site("site", "team-a", domain="www.d100.p249.example.org")
    eventually(lambda: "is not allowed to use" in asked(cluster, refused))
    assert "created (server dry run)" in asked(cluster, granted)


def test_d3_without_policies_whoever_comes_first_has_a_domain(cluster: Cluster, platform: Callable[..., None]) -> None:
    mark = f"{secrets.token_hex(4)}.example.net"
    platform(reservedDomains=[mark])
    cluster.namespace("team-a")
    eventually(lambda: "reserved" in asked(cluster, static_site("site", "team-a", domain=mark)))
    assert "created (server dry run)" in asked(cluster, static_site("site", "team-a", domain="any.example.net"))


def test_d3_a_site_whose_grant_was_taken_can_still_be_edited(
    cluster: Cluster, grants: None, platform: Callable[..., None]
) -> None:
    site = static_site("site", "team-a", domain="www.example.org")
    cluster.apply(site)
    platform(
        tls={"mode": "Individual", "issuerRef": ISSUER},
        domainPolicies=[{"domains": ["z.example"], "namespaces": ["z"]}],
    )
    new = static_site("new", "team-a", domain="www.example.org")
    eventually(lambda: "is not allowed to use" in asked(cluster, new))
    cluster.apply(changed(site, "spec|branch", "next"))
    assert "is not allowed to use" in cluster.kubectl(
        *("patch", "staticsite", "site", "-n", "team-a", "--type=merge", "-p", '{"spec": {"domain": "b.example.org"}}'),
        check=False,
    )
