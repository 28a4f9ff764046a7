"""Who may do what, as the API server answers it: the whole table, so that a right more is seen as much as one less."""

from contextlib import suppress
from pathlib import Path

from tests.support.control_plane import SYSTEM, Cluster
from tests.support.serving import eventually

READ = "get list watch"
WRITE = "create update patch delete"
PAGES, TRAEFIK = "pages.kup6s.com", "traefik.io"
OPERATOR_EVERYWHERE = {
    f"staticsites.{PAGES}": READ,
    f"platforms.{PAGES}": READ,
    f"virtualhosts.{PAGES}": READ,
    "namespaces": READ,
    f"ingressroutes.{TRAEFIK}": READ,
    f"middlewares.{TRAEFIK}": READ,
    "certificates.cert-manager.io": READ,
    "customresourcedefinitions.apiextensions.k8s.io": READ,
    "compositecontrollers.metacontroller.k8s.io": READ,
    "decoratorcontrollers.metacontroller.k8s.io": READ,
    "controllerrevisions.metacontroller.k8s.io": READ,
}
OPERATOR_AT_HOME = {
    **OPERATOR_EVERYWHERE,
    f"virtualhosts.{PAGES}": f"{READ} {WRITE}",
    f"ingressroutes.{TRAEFIK}": f"{READ} {WRITE}",
    f"middlewares.{TRAEFIK}": f"{READ} {WRITE}",
    "certificates.cert-manager.io": f"{READ} {WRITE}",
    f"platforms.{PAGES}/status": "update patch",
    f"virtualhosts.{PAGES}/status": "update patch",
    f"platforms.{PAGES}/finalizers": "update",
    f"virtualhosts.{PAGES}/finalizers": "update",
    "events": "create patch",
}
SYNCER_EVERYWHERE = {
    f"staticsites.{PAGES}": READ,
    f"staticsites.{PAGES}/status": "patch",
    "events": "create patch",
}
SYNCER_AT_HOME = {
    **SYNCER_EVERYWHERE,
    f"platforms.{PAGES}": READ,
    f"virtualhosts.{PAGES}": READ,
    "leases.coordination.k8s.io": "create",
    "leases.coordination.k8s.io [pages-syncer]": "get update",
}


def rights(cluster: Cluster, kubeconfig: Path, namespace: str) -> dict[str, set[str]]:
    """The verbs by resource that somebody has in a namespace, without what everybody has."""
    table = cluster.kubectl("auth", "can-i", "--list", "-n", namespace, "--no-headers", kubeconfig=kubeconfig)
    found: dict[str, set[str]] = {}
    for line in table.splitlines():
        head, names, verbs = line.replace("]", "").rsplit("[", 2)
        resource = head.split("[")[0].strip()
        if resource and not resource.startswith("selfsubject"):
            key = f"{resource} [{names.strip()}]" if names.strip() else resource
            found.setdefault(key, set()).update(verbs.split())
    return found


def check(cluster: Cluster, kubeconfig: Path, namespace: str, table: dict[str, str]) -> None:
    """These are the rights, and no more: in a moment, for the API server learns of a new one as others do."""
    wanted = {resource: set(verbs.split()) for resource, verbs in table.items()}
    with suppress(AssertionError):
        eventually(lambda: rights(cluster, kubeconfig, namespace) == wanted)
    assert rights(cluster, kubeconfig, namespace) == wanted


def test_the_operator_writes_in_the_system_namespace_alone(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    kubeconfig = cluster.service_account("pages-operator", tmp_path)
    check(cluster, kubeconfig, namespace, OPERATOR_EVERYWHERE)
    check(cluster, kubeconfig, SYSTEM, OPERATOR_AT_HOME)


def test_the_syncer_writes_statuses_events_and_its_lease(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    kubeconfig = cluster.service_account("pages-syncer", tmp_path)
    check(cluster, kubeconfig, namespace, SYNCER_EVERYWHERE)
    check(cluster, kubeconfig, SYSTEM, SYNCER_AT_HOME)


def test_tenants_edit_their_sites_but_not_the_status(cluster: Cluster, namespace: str) -> None:
    for role in ("edit", "view"):
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": role, "namespace": namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": f"tenant-{role}"}],
        }
        cluster.apply(binding)

    def may(user: str, verb: str, resource: str, part: str = "") -> str:
        asked = ("auth", "can-i", verb, resource, f"--subresource={part}", "-n", namespace, f"--as=tenant-{user}")
        return cluster.kubectl(*asked, check=False).split()[0]

    eventually(lambda: may("edit", "create", "staticsites") == may("view", "list", "staticsites") == "yes")
    assert [may("edit", verb, "staticsites") for verb in ("create", "patch", "delete", "list")] == ["yes"] * 4
    assert [may("view", verb, "staticsites") for verb in ("list", "create", "delete")] == ["yes", "no", "no"]
    assert [may("edit", verb, "staticsites", "status") for verb in ("patch", "update")] == ["no", "no"]
    assert may("edit", "create", "virtualhosts.pages.kup6s.com") == "no"
