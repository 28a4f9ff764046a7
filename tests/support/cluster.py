"""Our programs, and Metacontroller, as they run in a cluster."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from tests.support.control_plane import SYSTEM, Cluster, Object
from tests.support.deliveries import SECRET, Sent
from tests.support.processes import Program, answer, wait_until_ready
from tests.support.serving import PAGES, free_port

_FAILURE = "failed to sync"


def condition(found: Object | None, type_: str) -> Object:
    """A condition of an object; empty where there is none."""
    conditions = (found or {}).get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == type_), {})


class SyncerProcess(Program):
    """`pages syncer` with the rights of its ServiceAccount; all of a test share volume and cache."""

    def __init__(
        self, folder: Path, name: str, kubeconfig: Path, hosts: str, options: Sequence[str] = (), *, secret: bool = True
    ) -> None:
        self.port = free_port()
        self.api_port = free_port()
        self.metrics_port = free_port()
        self.volume = folder / "volume"
        self.cache = folder / "cache"
        secret_file = folder / "webhook-secret"
        secret_file.write_bytes(SECRET)
        command = [
            *(*PAGES, "syncer"),
            *("--allowed-hosts", hosts),
            *("--volume", str(self.volume)),
            *("--cache", str(self.cache)),
            *(("--webhook-secret-file", str(secret_file)) if secret else ()),
            *("--bind", f"127.0.0.1:{self.api_port}"),
            *("--health-bind", f"127.0.0.1:{self.port}"),
            *("--metrics-bind", f"127.0.0.1:{self.metrics_port}"),
            *("--lease", "5s"),
            *options,
        ]
        super().__init__(folder / f"{name}.log", command, {"KUBECONFIG": str(kubeconfig)})

    def wait_until_ready(self) -> None:
        wait_until_ready(self, self.port)

    def ready(self) -> bool:
        return answer(self.port, "/readyz")[0] == 200

    def problems(self) -> list[str]:
        """What /readyz complains about."""
        _, body = answer(self.port, "/readyz")
        return body["problems"] if body else ["it does not answer"]

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, Any]:
        """Status and JSON of an answer of the API."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.api_port}{path}", body, dict(headers or {}))
        request.method = method
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def deliver(self, sent: Sent) -> tuple[int, Any]:
        """Status and JSON of the answer to a webhook."""
        return self.ask("POST", f"/webhook/{sent.forge}", sent.headers, sent.body)

    def page(self, namespace: str, name: str) -> str | None:
        """What visitors see of a site."""
        try:
            return (self.volume / "live" / namespace / name / "index.html").read_text()
        except OSError:
            return None


class Hooks(Program):
    """`pages hooks`, which has no rights at all."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", options: Sequence[str] = ()) -> None:
        self.host = host
        self.port = free_port()
        self.url = f"http://{host}:{self.port}"
        super().__init__(
            folder / "hooks.log",
            [*PAGES, "hooks", "--bind", f"{host}:{self.port}", "--metrics-bind", "-", "--workers", "1", *options],
            {"KUBECONFIG": "/nonexistent"},
        )

    def wait_until_ready(self) -> None:
        wait_until_ready(self, self.port, self.host)


class Metacontroller(Protocol):
    """A Metacontroller with the rights of pages-operator."""

    def start(self) -> object: ...
    def stop(self) -> None: ...
    def wait_until_ready(self) -> None: ...
    def failures(self) -> int:
        """How many syncs have failed, by its log."""


class MetacontrollerPod:
    """The one that runs in a given cluster (kind/kustomization.yaml)."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def start(self) -> None:
        self._scale(1)

    def stop(self) -> None:
        self._scale(0)
        pod = ("pod", "--selector=app.kubernetes.io/name=metacontroller", "-n", SYSTEM)
        self._cluster.kubectl("wait", "--for=delete", *pod, "--timeout=100s")

    def wait_until_ready(self) -> None:
        self._cluster.kubectl("rollout", "status", "statefulset/metacontroller", "-n", SYSTEM, "--timeout=100s")

    def failures(self) -> int:
        log = self._cluster.kubectl("logs", "statefulset/metacontroller", "-n", SYSTEM)
        return log.count(_FAILURE)

    def _scale(self, replicas: int) -> None:
        self._cluster.kubectl("scale", "statefulset/metacontroller", "-n", SYSTEM, f"--replicas={replicas}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """It stays: there are no controllers for it any more."""


class MetacontrollerProcess(Program):
    """An executable on this machine."""

    def __init__(self, folder: Path, executable: str, kubeconfig: Path, options: Sequence[str] = ()) -> None:
        self.port = free_port()
        command = [
            executable,
            *("--discovery-interval", "5s"),
            *("--client-go-qps", "200"),
            *("--client-go-burst", "400"),
            *("--metrics-address", f"127.0.0.1:{free_port()}"),
            *("--health-probe-bind-address", f"127.0.0.1:{self.port}"),
            *options,
        ]
        super().__init__(folder / "metacontroller.log", command, {"KUBECONFIG": str(kubeconfig)})

    def wait_until_ready(self) -> None:
        wait_until_ready(self, self.port)

    def failures(self) -> int:
        return self.output.count(_FAILURE)
