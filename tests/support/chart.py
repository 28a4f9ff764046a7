"""The chart deploy/helm/kup6s-pages, rendered by a real helm 4 or 3, and the deploy/install.yaml made from it."""

import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.control_plane import ROOT, SYSTEM, TOOLS, Cluster, Object, tool

CHART = ROOT / "deploy/helm/kup6s-pages"
INSTALL = ROOT / "deploy/install.yaml"
RELEASE = "kup6s-pages"
HELMS = ("helm", "helm3")
RIGHTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
FENCES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")

_SERVED = {"platform": {"pagesDomain": "pages.example.com", "tls": {"issuerRef": {"name": "letsencrypt"}}}}
# What an administrator might want, by name: each is rendered, checked against schemas and given to a real API server.
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "served": _SERVED,
    "their-metacontroller": _SERVED | {"metacontroller": {"bundled": False}},
    "one-pod": _SERVED | {"persistence": {"accessMode": "ReadWriteOnce"}},
    "existing-claim": {"persistence": {"existingClaim": "sites"}, "syncer": {"cache": {"existingClaim": "mirrors"}}},
    "wildcard-secret": {
        "platform": {
            "pagesDomain": "pages.example.com",
            "tls": {"mode": "Wildcard", "wildcardSecretName": "wildcard-tls"},
        }
    },
    "wildcard-issuer": {
        "platform": {
            "pagesDomain": "Pages.Example.com",
            "tls": {"mode": "Wildcard", "issuerRef": {"name": "dns", "kind": "Issuer"}},
        }
    },
    "tls-off": {"platform": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}}},
    "monitored": _SERVED
    | {
        "metrics": {
            "podLabels": {"app": "prometheus"},
            "serviceMonitor": {"enabled": True, "labels": {"r": "x"}},
            "prometheusRule": {
                "enabled": True,
                "labels": {"r": "x"},
                "runbookUrl": "https://docs.example.com/how-to/alerts/",
            },
            "grafanaDashboard": {"enabled": True},
        }
    },
    "without-webhooks": _SERVED | {"webhooks": {"enabled": False}},
    "without-extras": {
        "metrics": {"enabled": False},
        "admissionPolicies": {"enabled": False},
        "networkPolicies": {"enabled": False},
        "nginx": {"replicas": 1, "podDisruptionBudget": {"enabled": False}},
        "rbac": {"aggregateToTenants": False},
    },
    "with-everything": {
        "image": {"registry": "registry.example.com/team", "tag": "1.2.3", "pullPolicy": "Always"},
        "operator": {"image": {"digest": f"sha256:{'a' * 64}"}},
        "nginx": {"image": {"registry": "elsewhere.example.com", "repository": "nginx", "tag": "own"}},
        "imagePullSecrets": [{"name": "registry-login"}],
        "commonLabels": {"team": "web"},
        "namespace": {"create": True},
        "dashboard": {"enabled": True},
        "platform": {
            "pagesDomain": "pages.example.com",
            "namespaceSelector": {"matchLabels": {"pages": "yes"}},
            "domainPolicies": [{"domains": ["*.example.org"], "namespaces": ["team-a"], "sharedPaths": True}],
            "reservedDomains": ["argocd.example.com"],
            "tls": {"issuerRef": {"name": "letsencrypt"}},
            "ingress": {"entryPoints": ["public"], "redirectHTTP": False},
        },
        "webhooks": {"host": "hooks.example.net", "secretName": "forges", "secretKeys": ["webhook-secret"]},
        "syncer": {
            "allowedHosts": ["*.example.com", "https://10.1.2.3:8443"],
            "extraArgs": ["--keep-releases=1"],
            "podLabels": {"zone": "a"},
            "podAnnotations": {"note": "yes"},
            "tolerations": [{"key": "a", "operator": "Exists"}],
            "nodeSelector": {"disk": "fast"},
            "priorityClassName": "high",
        },
        "persistence": {"storageClass": "-", "keep": False, "annotations": {"a": "b"}, "size": "1Ti"},
        "traefik": {"cidrs": ["192.0.2.0/28"]},
        "networkPolicies": {
            "dns": {"cidrs": ["169.254.20.10/32"], "ports": [5353]},
            "apiServer": {"cidrs": ["10.0.0.1/32"], "ports": [443]},
            "git": {
                "privateCidrs": ["10.1.2.3/32"],
                "ports": [443, 8443],
                "inCluster": [{"namespace": "forgejo", "podLabels": {"app": "forgejo"}, "port": 3000}],
            },
        },
    },
}


def helm(*arguments: str, stdin: str | None = None, program: str = "helm") -> subprocess.CompletedProcess[str]:
    """Run helm; skip the test if it is not built."""
    path = tool(program)
    if not Path(path).is_file():
        pytest.skip(f"{program} is not built: run `make tools` once")
    return subprocess.run([path, *arguments], input=stdin, capture_output=True, text=True, timeout=100, check=False)


def render(
    values: Mapping[str, Any], release: str = RELEASE, namespace: str = SYSTEM, program: str = "helm"
) -> list[Object]:
    """The objects that the chart makes of the values."""
    command = ("template", release, str(CHART), "-n", namespace, "-f", "-")
    done = helm(*command, stdin=yaml.safe_dump(dict(values)), program=program)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


@cache
def variant(name: str) -> list[Object]:
    """The objects of a variant, rendered once."""
    return render(VARIANTS[name])


def find(objects: list[Object], kind: str, name: str) -> Object:
    """The one object of this kind and name."""
    (found,) = (each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name)
    return found


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """The objects of these kinds."""
    return [each for each in objects if each["kind"] in kinds]


def pods(objects: list[Object]) -> dict[str, Object]:
    """The pod template of each Deployment, by its name."""
    return {each["metadata"]["name"]: each["spec"]["template"] for each in of_kind(objects, "Deployment")}


def containers(pod: Object) -> dict[str, Object]:
    """The containers of a pod by name, init containers included."""
    spec = pod["spec"]
    return {each["name"]: each for each in (*spec.get("initContainers", []), *spec["containers"])}


def installed(*kinds: str) -> list[Object]:
    """The objects of these kinds in deploy/install.yaml, which need no helm."""
    return of_kind([each for each in yaml.safe_load_all(INSTALL.read_text()) if each], *kinds)


DOOR = "pages-domain-grants"  # refuses tenants at once what the hooks would reject


def prepare(cluster: Cluster, *, others: bool = True) -> None:
    """Apply our CRDs, RBAC and admission policies; ``others`` are the CRDs of Traefik, cert-manager, Metacontroller.

    The policy on domain grants is not bound, so that the hooks decide; ``test_fences.py`` binds it.
    """
    cluster.apply_files(ROOT / "crds", *((TOOLS / "crds", CHART / "crds/metacontroller.yaml") if others else ()))
    cluster.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
    wanted = installed("Namespace", *RIGHTS, *FENCES)
    cluster.apply(*(each for each in wanted if not _is_door(each)))


def shut_the_door(cluster: Cluster) -> None:
    """Bind the policy that rejects a tenant's domain before the hooks do."""
    cluster.apply(*(each for each in installed(*FENCES) if _is_door(each)))


def _is_door(found: Object) -> bool:
    return bool(found["kind"] == "ValidatingAdmissionPolicyBinding" and found["metadata"]["name"] == DOOR)
