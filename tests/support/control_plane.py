"""A private Kubernetes control plane of real parts: etcd, kube-apiserver, kube-controller-manager (`make tools`)."""

import base64
import os
import secrets
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from httpx2 import Timeout
from lightkube import ALL_NS, ApiError, Client, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Namespace
from lightkube.types import PatchType

from tests.support.serving import eventually, free_port

ROOT = Path(__file__).parents[2]
TOOLS = Path(os.environ.get("PAGES_TOOLS", ROOT / ".cache/tools"))
SYSTEM = "kup6s-pages"
_CONTROLLERS = (
    "garbage-collector-controller,namespace-controller,serviceaccount-controller,clusterrole-aggregation-controller"
)

_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "Metadata",
            "verbs": ["create", "update", "patch", "delete"],
            "resources": [{"group": group} for group in ("pages.kup6s.com", "traefik.io", "cert-manager.io")],
        },
        {"level": "None"},
    ],
}

Object = dict[str, Any]

RESOURCES = {
    plural: create_namespaced_resource(group, version, kind, plural)
    for plural, kind, group, version in (
        ("staticsites", "StaticSite", "pages.kup6s.com", "v1beta1"),
        ("platforms", "Platform", "pages.kup6s.com", "v1beta1"),
        ("virtualhosts", "VirtualHost", "pages.kup6s.com", "v1beta1"),
        ("ingressroutes", "IngressRoute", "traefik.io", "v1alpha1"),
        ("middlewares", "Middleware", "traefik.io", "v1alpha1"),
        ("certificates", "Certificate", "cert-manager.io", "v1"),
        ("orders", "Order", "acme.cert-manager.io", "v1"),
        ("leases", "Lease", "coordination.k8s.io", "v1"),
    )
}


def tools_are_there() -> bool:
    """Whether `make tools` has finished."""
    return (TOOLS / "cluster.key").exists()


def tool(name: str) -> str:
    """The path of one of the tools."""
    return str(TOOLS / "bin" / name)


class Cluster:
    """A cluster by its kubeconfig, as its administrator sees it."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        built = tool("kubectl")
        self._kubectl = built if Path(built).exists() else shutil.which("kubectl") or "kubectl"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def kubectl(
        self,
        *arguments: str,
        stdin: str | None = None,
        check: bool = True,
        kubeconfig: Path | None = None,
        seconds: float = 120,
    ) -> str:
        """The output of kubectl; raises if kubectl fails."""
        command = [self._kubectl, "--kubeconfig", str(kubeconfig or self.kubeconfig), *arguments]
        deadline = time.monotonic() + 60
        while True:
            done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=seconds, check=False)
            # A server that has just learnt of a kind refuses for a moment what a policy about that kind is to judge.
            if "failed to configure policy" not in done.stderr or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if check else done.stdout + done.stderr

    def apply(self, *objects: Object) -> None:
        """Create or change objects."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def apply_files(self, *paths: Path) -> None:
        """Apply files and folders."""
        given = [part for path in paths for part in ("-f", str(path))]
        self.kubectl("apply", "--server-side", "--force-conflicts", *given)

    @cached_property
    def _client(self) -> Client:
        """A client for frequent requests, because starting kubectl for each would take most of the tests' time."""
        return Client(config=KubeConfig.from_file(self.kubeconfig), timeout=Timeout(60))

    def create(self, kind: str, new: Object) -> None:
        """Create an object."""
        self._client.create(RESOURCES[kind](**new))

    def make(self, kind: str, wanted: Object) -> Object:
        """Create or change an object of a kind, without kubectl; return it as it is then."""
        return self._client.apply(RESOURCES[kind](**wanted), field_manager="tests", force=True)

    def merge(self, kind: str, name: str, change: Object, namespace: str = SYSTEM) -> None:
        """Change some fields of an object."""
        self._client.patch(RESOURCES[kind], name, change, namespace=namespace, patch_type=PatchType.MERGE)

    def write_status(self, kind: str, name: str, status: Object, namespace: str = SYSTEM) -> None:
        """Replace an object's status."""
        patch = [{"op": "add", "path": "/status", "value": status}]
        resource = RESOURCES[kind].Status
        self._client.patch(resource, name, patch, namespace=namespace, patch_type=PatchType.JSON)

    def remove(self, kind: str, name: str, namespace: str = SYSTEM) -> None:
        """Delete an object without waiting."""
        self._client.delete(RESOURCES[kind], name, namespace=namespace)

    def get(self, kind: str, name: str, namespace: str = SYSTEM) -> Object | None:
        """The object, or None."""
        try:
            return self._client.get(RESOURCES[kind], name, namespace=namespace)
        except ApiError as error:
            if error.status.code != HTTPStatus.NOT_FOUND:
                raise
            return None

    def list(self, kind: str, namespace: str = ALL_NS) -> Sequence[Object]:
        """All objects of the kind. While the storage of a new kind is prepared, the API server answers 429."""
        listed: Sequence[Object] = []

        def is_listed() -> bool:
            nonlocal listed
            try:
                listed = list(self._client.list(RESOURCES[kind], namespace=namespace))
            except ApiError as error:
                if error.status.code != HTTPStatus.TOO_MANY_REQUESTS:
                    raise
                return False
            return True

        eventually(is_listed)
        return listed

    def namespaces(self) -> Sequence[Object]:
        """All namespaces, with their labels."""
        found = [each.metadata for each in self._client.list(Namespace)]
        named = [{"name": each.name, "labels": each.labels or {}} for each in found if each]
        return [{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata} for metadata in named]

    def names(self, kind: str, namespace: str = SYSTEM) -> set[str]:
        """The names of all objects of the kind."""
        return {each["metadata"]["name"] for each in self.list(kind, namespace)}

    def delete(self, kind: str, *names: str, namespace: str = SYSTEM) -> None:
        """Delete the objects and wait until they are gone."""
        self.kubectl("delete", kind, *names, "-n", namespace, "--wait=true", "--timeout=60s")

    def delete_all(self, *kinds: str) -> None:
        """Delete all objects of these kinds, with one request for each namespace."""
        for kind in kinds:
            for namespace in {each["metadata"]["namespace"] for each in self.list(kind)}:
                self._client.deletecollection(RESOURCES[kind], namespace=namespace)

    def namespace(self, name: str) -> None:
        """Create a namespace."""
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def service_account(self, name: str, folder: Path, namespace: str = SYSTEM) -> Path:
        """A kubeconfig with the token of a ServiceAccount instead of the administrator's."""
        token = self.kubectl("create", "token", name, "-n", namespace, "--duration=24h").strip()
        config = yaml.safe_load(self.kubeconfig.read_text())
        config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
        path = folder / f"{name}.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        path.chmod(0o600)
        return path


class ControlPlane(Cluster):
    """A cluster of our own; its data is deleted with it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="control-plane-"))
        super().__init__(self._folder / "admin.kubeconfig")
        self._etcd_port, self._etcd_peer_port, self._port = free_port(), free_port(), free_port()
        self._token = secrets.token_hex(16)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.server = f"https://127.0.0.1:{self._port}"
        self.audit_log = self._folder / "audit.log"  # all writes of our kinds and of those that the hooks generate

    def __enter__(self) -> Self:
        try:
            self._write_keys()
            (self._folder / "audit-policy.yaml").write_text(yaml.safe_dump(_AUDIT_POLICY))
            self._start_etcd()
            self.start_api()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self.stop()

    def stop(self) -> None:
        """Stop all processes, the API server before etcd, and delete their data."""
        for name in ("kube-controller-manager", "kube-apiserver", "etcd"):
            self._stop(name)
        shutil.rmtree(self._folder, ignore_errors=True)

    def stop_api(self) -> None:
        """Stop the API server; etcd keeps its data."""
        self._stop("kube-apiserver")

    def start_api(self) -> None:
        """Start the API server at the same address."""
        self._start(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self._folder}/certificates",
            f"--token-auth-file={self._folder}/tokens.csv",
            f"--audit-policy-file={self._folder}/audit-policy.yaml",
            f"--audit-log-path={self.audit_log}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._folder}/service-accounts.key",
            f"--service-account-signing-key-file={self._folder}/service-accounts.key",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",
            "--max-requests-inflight=0",
            "--max-mutating-requests-inflight=0",
            "--enable-priority-and-fairness=false",
        )
        eventually(self._is_ready)
        certificate = (self._folder / "certificates/apiserver.crt").read_bytes()
        self._write_kubeconfig(base64.b64encode(certificate).decode())
        # Ready as it is, it does not serve all custom kinds yet. kubectl waits for that; the first time there are none.
        self.kubectl("get", ",".join(RESOURCES), "--all-namespaces", check=False)

    def _is_ready(self) -> bool:
        process = self._processes["kube-apiserver"]
        assert process.poll() is None, self._log("kube-apiserver")
        request = urllib.request.Request(f"{self.server}/readyz", headers={"Authorization": f"Bearer {self._token}"})
        anything = ssl.create_default_context()
        anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
        try:
            with urllib.request.urlopen(request, timeout=2, context=anything) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _start_etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._etcd_peer_port))
        self._start(
            "etcd",
            f"--data-dir={self._folder}/etcd",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=error",
        )

    def start_controllers(self) -> None:
        """Start garbage collection. It handles the CRDs that exist now, and notices later ones after some time."""
        if "kube-controller-manager" in self._processes:
            return
        self._start(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            f"--controllers={_CONTROLLERS}",
            "--leader-elect=false",
            "--secure-port=0",
            "--concurrent-gc-syncs=5",
        )

    def _write_keys(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        (self._folder / "service-accounts.key").write_bytes(key)
        (self._folder / "tokens.csv").write_text(f'{self._token},admin,admin,"system:masters"\n')

    def _write_kubeconfig(self, certificate: str) -> None:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [
                {"name": "test", "cluster": {"server": self.server, "certificate-authority-data": certificate}}
            ],
            "users": [{"name": "test", "user": {"token": self._token}}],
        }
        self.kubeconfig.write_text(yaml.safe_dump(config))
        self.kubeconfig.chmod(0o600)

    def _start(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen([tool(name), *arguments], stdout=log, stderr=log)

    def _stop(self, name: str) -> None:
        """Kill a process: the API server would wait for watches to end."""
        if process := self._processes.pop(name, None):
            process.kill()
            process.wait()

    def _log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")[-3000:]
