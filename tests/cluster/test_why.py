"""`pages why` and its companions on a real API server: broken set-ups, each with the true cause.

The objects are real and really broken; the syncer is real. The hooks are asked as Metacontroller would ask them.
"""

import json
import os
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightkube.generic_resource import create_namespaced_resource

from cli import exits
from cli.backends import LogSelection, find, kubeconfig
from cli.backends.cluster import Cluster as Backend
from cli.diagnosis.chain import judge
from cli.diagnosis.facts import HIDDEN
from cli.diagnosis.verdicts import State, Verdict, first_broken
from tests.support import chart
from tests.support.answering import answering
from tests.support.certificates import certificate
from tests.support.cluster import SyncerProcess, condition
from tests.support.control_plane import SYSTEM, Cluster, ControlPlane, Object
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.operator import Player
from tests.support.serving import PAGES, eventually

DOMAIN = "www.example.org"
CERTIFICATE = "www-example-org-tls"
FAILED = "The certificate request has failed to complete: DNS problem: NXDOMAIN looking up A for www.example.org"


def backend_of(path: Path) -> Backend:
    return Backend(kubeconfig.read(path, None), SYSTEM)


@pytest.fixture
def asked(cluster: Cluster) -> Iterator[Backend]:
    """The cluster as its administrator sees it."""
    made = backend_of(cluster.kubeconfig)
    yield made
    made.api.client.close()


@pytest.fixture
def tenant(cluster: Cluster, namespace: str, tmp_path: Path) -> Path:
    """A kubeconfig with the role `edit` in one namespace."""
    cluster.kubectl("create", "serviceaccount", "alice", "-n", namespace)
    cluster.kubectl(
        *("create", "rolebinding", "alice", "-n", namespace),
        "--clusterrole=edit",
        f"--serviceaccount={namespace}:alice",
    )
    path = cluster.service_account("alice", tmp_path, namespace)
    cluster.kubectl("config", "set-context", "--current", f"--namespace={namespace}", kubeconfig=path)
    return path


@pytest.fixture
def cert_manager(cluster: Cluster) -> Iterator[None]:
    """Takes away what stands for cert-manager's own objects."""
    yield
    cluster.kubectl("delete", "clusterissuers", "--all")
    cluster.kubectl("delete", "orders,certificaterequests", "--all", "-n", SYSTEM)


def pages(kube: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PAGES, *arguments],
        env=os.environ | {"KUBECONFIG": str(kube)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def stop(backend: Backend, namespace: str, name: str) -> Verdict:
    """The first broken link; a verdict without a reason if there is none."""
    links = judge(backend.facts(find(backend, name, namespace)))
    return first_broken(links) or Verdict("", State.OK, "")


def stops(backend: Backend, namespace: str, name: str, reason: str, *says: str) -> None:
    """Wait until the chain stops there, because the syncer needs some time to report it."""
    eventually(lambda: stop(backend, namespace, name).reason == reason)
    link = stop(backend, namespace, name)
    for text in says:
        assert text in f"{link.name}: {link.text}\n{link.remedy}"


def status_of(cluster: Cluster, kind: str, name: str, *conditions: Object, **more: Any) -> None:
    cluster.write_status(kind, name, {"conditions": list(conditions), **more})


def said(type_: str, status: str, reason: str, message: str = "") -> Object:
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": moment}


def test_each_refusal_of_git_or_the_platform_has_its_remedy(
    cluster: Cluster,
    namespace: str,
    platform: Callable[..., None],
    syncer: SyncerProcess,
    git_server: GitServer,
    asked: Backend,
    tenant: Path,
) -> None:
    git_server.repository("blog").commit({"index.html": "hello", "docs/index.html": "docs"})
    git_server.repository("private").commit({"index.html": "plans"})
    git_server.require("private", "deploy", "the-token")
    blog, private = git_server.url("blog"), git_server.url("private")
    platform(domainPolicies=[{"domains": [DOMAIN], "namespaces": ["team-*", namespace]}])
    cluster.apply(static_site("first", namespace, repo=blog, domain=DOMAIN))
    Player(
        cluster, "VirtualHost"
    ).settle()  # now it holds the domain; of two that were made in the same second, either might
    cases: dict[str, tuple[str, dict[str, Any], str, tuple[str, ...]]] = {
        "gone": (git_server.url("nothing"), {}, "RepoNotFound", ("Git", "create secret generic site-token")),
        "locked": (private, {}, "AuthFailed", ("Git", "create secret generic site-token")),
        "sealed": (private, {"secretRef": {"name": "token"}}, "SecretForbidden", ("kind: RoleBinding",)),
        "branch": (blog, {"branch": "mian"}, "BranchNotFound", ("one it has: main", '"branch": "NAME"')),
        "folder": (blog, {"path": "/dcos"}, "SubpathNotFound", ("Release", '"path": "/FOLDER"')),
        "host": ("https://elsewhere.example.com/x", {}, "HostNotAllowed", ("--allowed-hosts",)),
        "taken": (blog, {"domain": DOMAIN}, "PathConflict", ("VirtualHost", "'first'")),
        "foreign": (blog, {"domain": "www.example.com"}, "DomainNotAllowed", ("domainPolicies",)),
        "ours": (blog, {"domain": "x.pages.example.com"}, "PlatformDomain", ("remove spec.domain",)),
    }
    for name, (repo, spec, _, _) in cases.items():
        cluster.apply(static_site(name, namespace, repo=repo, **spec))
    Player(cluster, "VirtualHost").settle()
    for name, (_, _, reason, says) in cases.items():
        stops(asked, namespace, name, reason, *says)
    # A tenant sees the same by the status alone, and as a process.
    as_tenant = backend_of(tenant)
    for name, (_, _, reason, says) in cases.items():
        stops(as_tenant, namespace, name, reason, *says)
    as_tenant.api.client.close()
    done = pages(tenant, "why", "taken", "--no-request")
    assert done.returncode == exits.NOT_READY, done.stderr
    assert "It stops at VirtualHost (PathConflict)" in done.stdout
    done = pages(tenant, "why", "frist")
    assert done.returncode == exits.USAGE
    assert "did you mean first?" in done.stderr


def test_missing_and_edited_objects_are_reported_in_the_order_of_the_chain(
    cluster: Cluster,
    namespace: str,
    platform: Callable[..., None],
    make_syncer: Callable[..., SyncerProcess],
    git_server: GitServer,
    asked: Backend,
    cert_manager: None,
) -> None:
    git_server.repository("blog").commit({"index.html": "hello"})
    with make_syncer() as syncer:
        syncer.wait_until_ready()
        cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), domain=DOMAIN))
        stops(asked, namespace, "blog", "NoPlatform", "VirtualHost")
        platform(tls={"mode": "Individual", "issuerRef": {"name": "letsencrypt"}})
        stops(asked, namespace, "blog", "Pending", "VirtualHost")
        found = asked.facts(find(asked, "blog", namespace))
        down = first_broken(judge(replace(found, now=found.now + timedelta(minutes=3), lease=HIDDEN)))
        assert down and down.reason == "HooksDown" and "pages-operator" in down.remedy
        Player(cluster, "VirtualHost").settle()
        stops(asked, namespace, "blog", "RouteMissing", f"IngressRoute {SYSTEM}/{namespace}--blog does not exist")
        Player(cluster, "IngressRoute", "Middleware").settle()
        stops(asked, namespace, "blog", "IssuerMissing", "ClusterIssuer letsencrypt")
        issuer(cluster, "False", "Failed to register ACME account")
        stops(asked, namespace, "blog", "IssuerNotReady", "Failed to register ACME account")
        issuer(cluster, "True")
        stops(asked, namespace, "blog", "CertificateMissing")
        Player(cluster, "Certificate").settle()
        failed = said("Issuing", "False", "Failed", FAILED), said("Ready", "False", "DoesNotExist", "Issuing")
        status_of(cluster, "certificates", CERTIFICATE, *failed)
        order(cluster)
        stops(asked, namespace, "blog", "Failed", "NXDOMAIN looking up A", "Order blog-1: invalid")
        status_of(cluster, "certificates", CERTIFICATE, said("Ready", "True", "Ready"), notAfter="2020-01-01T00:00:00Z")
        stops(asked, namespace, "blog", "CertificateExpired", "2020-01-01")
        status_of(cluster, "certificates", CERTIFICATE, said("Ready", "True", "Ready"))
        cluster.kubectl(
            *("patch", "ingressroute", f"{namespace}--blog", "-n", SYSTEM, "--type=json", "-p"),
            '[{"op": "replace", "path": "/spec/entryPoints", "value": ["other"]}]',
        )
        stops(
            asked, namespace, "blog", "RouteChanged", "spec.entryPoints[0] is 'other'", "kubectl -n kup6s-pages delete"
        )
        Player(cluster, "IngressRoute").settle()
        Player(cluster, "VirtualHost").settle()
        eventually(lambda: stop(asked, namespace, "blog").reason == "")
        found = replace(asked.facts(find(asked, "blog", namespace)), now=datetime.now(UTC) + timedelta(minutes=9))
        down = first_broken(judge(found))
        assert down and down.reason == "SyncerDown" and "min ago" in down.text
    eventually(lambda: stop(asked, namespace, "blog").reason == "SyncerDown")  # it gave its Lease back


def issuer(cluster: Cluster, ready: str, message: str = "") -> None:
    cluster.apply(
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "ClusterIssuer",
            "metadata": {"name": "letsencrypt"},
            "spec": {"selfSigned": {}},
        }
    )
    patch = json.dumps({"status": {"conditions": [said("Ready", ready, "Registered", message)]}})
    cluster.kubectl("patch", "clusterissuer", "letsencrypt", "--subresource=status", "--type=merge", "-p", patch)


def order(cluster: Cluster) -> None:
    """What cert-manager leaves behind of an order that failed."""
    reference = {"issuerRef": {"name": "letsencrypt", "kind": "ClusterIssuer"}, "request": "eA=="}
    annotations = {"cert-manager.io/certificate-name": CERTIFICATE}
    request = {"apiVersion": "cert-manager.io/v1", "kind": "CertificateRequest", "spec": reference}
    cluster.apply(request | {"metadata": {"name": "blog-1", "namespace": SYSTEM, "annotations": annotations}})
    made = {"apiVersion": "acme.cert-manager.io/v1", "kind": "Order", "spec": reference}
    cluster.apply(made | {"metadata": {"name": "blog-1", "namespace": SYSTEM, "annotations": annotations}})
    cluster.write_status("orders", "blog-1", {"state": "invalid", "reason": "DNS problem: NXDOMAIN"})


def test_sync_rollback_logs_and_status_with_a_tenants_rights(
    cluster: Cluster,
    namespace: str,
    platform: Callable[..., None],
    syncer: SyncerProcess,
    git_server: GitServer,
    tenant: Path,
) -> None:
    first = git_server.repository("blog").commit({"index.html": "one"})
    platform()
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="24h"))
    Player(cluster, "VirtualHost").settle()
    eventually(lambda: condition(cluster.get("staticsites", "blog", namespace), "Ready").get("status") == "True")
    listed = pages(tenant, "status", "-o", "json")
    assert listed.returncode == exits.OK, listed.stderr
    assert [each["metadata"]["name"] for each in json.loads(listed.stdout)["items"]] == ["blog"]
    assert pages(tenant, "status", "-o", "name").stdout == "staticsite.pages.kup6s.com/blog\n"
    one = yaml.safe_load(pages(tenant, "status", f"{namespace}/blog", "-o", "yaml").stdout)
    assert one["kind"] == "StaticSite" and one["status"]["phase"] == "Ready"
    refused = pages(tenant, "status", "-A")
    assert refused.returncode == exits.CANNOT_ASK
    assert "you lack permission to list StaticSites in all namespaces" in refused.stderr

    second = git_server.repository("blog").commit({"index.html": "two"})
    done = pages(tenant, "sync", "blog", "--wait", "--timeout", "60s")
    assert done.returncode == exits.OK, done.stderr
    assert f"commit {second[:12]} is live" in done.stdout
    assert syncer.page(namespace, "blog") == "two"
    assert len(releases_of(cluster, namespace)) == 2

    back = pages(tenant, "rollback", "blog", first[:8])
    assert back.returncode == exits.OK, back.stderr
    assert syncer.page(namespace, "blog") == "one"
    assert f"pinned to {first}" in pages(tenant, "why", "blog", "--no-request").stdout
    assert pages(tenant, "rollback", "blog", "--to-branch").returncode == exits.OK
    assert syncer.page(namespace, "blog") == "two"

    logs = pages(tenant, "logs", "blog")
    assert "You lack permission to read the syncer's log" in logs.stderr
    assert f"Synced=True Synced: commit {second[:12]} is live" in logs.stdout

    git_server.repository("blog").delete_branch("main")
    git_server.repository("blog").commit({"index.html": "x"}, branch="other")
    failed = pages(tenant, "sync", "blog", "--wait", "--timeout", "60s")
    assert failed.returncode == exits.NOT_READY
    assert "BranchNotFound" in failed.stderr


def releases_of(cluster: Cluster, namespace: str) -> list[Object]:
    """What the status lists, once it lists more than the first."""

    def listed() -> list[Object]:
        found = (cluster.get("staticsites", "blog", namespace) or {}).get("status", {}).get("releases", [])
        return found if len(found) > 1 else []

    return eventually(listed)


def test_events_are_part_of_a_tenants_log(
    cluster: Cluster, namespace: str, platform: Callable[..., None], asked: Backend, git_server: GitServer, tenant: Path
) -> None:
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog")))
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "blog.1", "namespace": namespace},
        "involvedObject": {"kind": "StaticSite", "name": "blog", "namespace": namespace},
        "type": "Normal",
        "reason": "Deployed",
        "message": "commit 91ba199859ec, 3 files",
        "lastTimestamp": "2026-11-24T12:00:00Z",
    }
    cluster.apply(event)
    backend = backend_of(tenant)
    lines = list(backend.log(find(backend, "blog"), LogSelection()))
    backend.api.client.close()
    assert lines == ["2026-11-24T12:00:00Z Normal Deployed: commit 91ba199859ec, 3 files"]


class _Kubelet(BaseHTTPRequestHandler):
    """Of a node, only this: the log of a container."""

    server: "_Node"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write("".join(f"{line}\n" for line in self.server.log).encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class _Node(ThreadingHTTPServer):
    log: Sequence[str] = ()

    def __init__(self, pem: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Kubelet)
        self.asked: list[str] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self.socket = context.wrap_socket(self.socket, server_side=True)


@pytest.fixture
def node(cluster: Cluster, tmp_path: Path) -> Iterator[_Node]:
    """A node with the syncer's pod on it, beside another container."""
    if not isinstance(cluster, ControlPlane):
        pytest.skip("a given cluster has nodes of its own")
    with answering(_Node(certificate(tmp_path, "node"))) as made:
        _register(cluster, made.server_port)
        yield made
        cluster.kubectl("delete", "pod", "syncer-1", "-n", SYSTEM, "--force", "--grace-period=0")
        cluster.kubectl("delete", "node", "node")


def _register(cluster: ControlPlane, port: int) -> None:
    cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}})
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    cluster.kubectl(
        "patch", "node", "node", "--subresource=status", "--type=merge", "-p", json.dumps({"status": status})
    )
    containers = [{"name": name, "image": "x"} for name in ("proxy", "syncer")]
    metadata = {"name": "syncer-1", "namespace": SYSTEM, "labels": {"app.kubernetes.io/name": "pages-syncer"}}
    # Not of this project's making: the namespace enforces what a pod may be.
    secure = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {"nodeName": "node", "containers": [each | {"securityContext": secure} for each in containers]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def test_an_administrator_reads_the_syncers_own_lines_about_the_site(
    cluster: Cluster, namespace: str, asked: Backend, git_server: GitServer, node: _Node
) -> None:
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog")))
    mine = [json.dumps({"event": f"site_published {number}", "site": f"{namespace}/blog"}) for number in range(3)]
    others = [json.dumps({"event": "site_published", "site": f"{namespace}/blog-2"}), "no JSON", "[1]"]
    node.log = [*others, *mine, *others]
    site = find(asked, "blog", namespace)
    assert list(asked.log(site, LogSelection())) == mine
    assert list(asked.log(site, LogSelection(tail=1, since=timedelta(minutes=5)))) == mine[-1:]
    assert f"/containerLogs/{SYSTEM}/syncer-1/syncer?sinceSeconds=300" in node.asked
    assert list(asked.log(site, LogSelection(tail=0, follow=True))) == mine
    assert "follow=true" in node.asked[-1]


def test_doctor_names_what_an_installation_lacks(
    cluster: Cluster, platform: Callable[..., None], tmp_path: Path, namespace: str, tenant: Path
) -> None:
    told = pages(cluster.kubeconfig, "doctor", "-o", "json")
    assert told.returncode == exits.NOT_READY, told.stderr
    checks = json.loads(told.stdout)
    by_name: dict[str, list[Object]] = {}
    for each in checks:
        by_name.setdefault(each["check"], []).append(each)
    assert [each["state"] for each in by_name["CRD"]] == ["ok"] * 3
    assert [each["state"] for each in by_name["RBAC"]] == ["ok"] * 2
    assert "there is no CompositeController pages-platform" in by_name["Metacontroller"][0]["message"]
    assert "there is no Platform" in by_name["Platform"][0]["message"]
    assert "no syncer is running: the Lease kup6s-pages/pages-syncer has no holder" in by_name["Syncer"][0]["message"]
    cluster.kubectl("delete", "clusterrolebinding", "pages-syncer")
    platform(tls={"mode": "Individual", "issuerRef": {"name": "letsencrypt"}}, pagesDomain="pages.nowhere.invalid")
    try:
        shown = pages(cluster.kubeconfig, "doctor").stdout
    finally:
        chart.prepare(cluster)
    assert (
        "ServiceAccount pages-syncer lacks permission to list staticsites.pages.kup6s.com, patch staticsites/status"
        in shown
    )
    assert "names ClusterIssuer letsencrypt, which does not exist" in shown
    assert "*.pages.nowhere.invalid does not resolve" in shown
    # Without administrator rights it says what it cannot view, and nothing breaks.
    limited = pages(tenant, "doctor")
    assert "you lack permission to view" in limited.stdout and "Traceback" not in limited.stderr


@pytest.mark.parametrize("how", ["token", "server", "context", "kubeconfig"])
def test_a_failure_to_ask_is_one_sentence(cluster: Cluster, tmp_path: Path, how: str) -> None:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    if how == "token":
        config["users"][0]["user"]["token"] = "expired"
    if how == "server":
        config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    file = tmp_path / "kubeconfig"
    file.write_text("{}" if how == "kubeconfig" else yaml.safe_dump(config))
    done = pages(file, "status", *(("--context", "nope") if how == "context" else ()))
    says = {
        "token": "does not accept your credentials",
        "server": "cannot be reached",
        "context": "its contexts: test",
        "kubeconfig": "has no contexts",
    }
    assert done.returncode == exits.CANNOT_ASK, done.stderr
    assert says[how] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_without_our_crds_is_recognised(cluster: Cluster, asked: Backend) -> None:
    unknown = create_namespaced_resource("nothing.kup6s.com", "v1", "StaticSite", "staticsites")
    with (
        pytest.raises(exits.CannotAsk, match="kup6s-pages is not installed there"),
        asked.api.asking("list StaticSites"),
    ):
        list(asked.api.client.list(unknown))


def test_several_kubeconfigs_are_merged_as_in_kubectl(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    (tmp_path / "users").write_text(yaml.safe_dump({"users": config.pop("users")}))
    (tmp_path / "rest").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(str(tmp_path / each) for each in ("none", "users", "rest")))
    merged = Backend(kubeconfig.read(None, None), SYSTEM)
    assert merged.sites(None) == []
    merged.api.client.close()
