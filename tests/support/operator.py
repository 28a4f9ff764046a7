"""Who makes what the hooks answer: Metacontroller where there is one, else a player when a test says so."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import yaml

from cli.metacontroller import Reconciled, reconcile
from tests.support.cluster import Hooks, MetacontrollerProcess
from tests.support.control_plane import ROOT, SYSTEM, Cluster, ControlPlane, Object
from tests.support.serving import eventually

_PLURALS = {
    "VirtualHost": "virtualhosts",
    "Certificate": "certificates",
    "Middleware": "middlewares",
    "IngressRoute": "ingressroutes",
}
Key = tuple[str, str]


class Operator(Protocol):
    """Makes at the API server what the hooks say there should be."""

    def settle(self) -> None:
        """Go on once all is as the hooks want it."""

    @property
    def platform_status(self) -> Object: ...


class Player:
    """Asks the hooks itself, once for each time that it is told to settle, and writes what is stored otherwise."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def settle(self) -> None:
        """Bring the generated objects up to date: what is new before what leads there, what is gone at last."""
        there = _there(self._cluster)
        answer = _asked(self._cluster, [each for (kind, _), each in there.items() if kind == "VirtualHost"])
        wanted = _by_key([*answer.virtual_hosts, *answer.objects])
        for key in sorted(wanted, key=lambda key: list(_PLURALS).index(key[0])):
            if there.get(key, {}).get("spec") != wanted[key]["spec"]:
                self._cluster.make(_PLURALS[key[0]], _written(wanted[key]))
        for kind, name in there.keys() - wanted.keys():
            self._cluster.remove(_PLURALS[kind], name)
        for host in answer.virtual_hosts:
            self._say("VirtualHost", host["metadata"]["name"], host["status"], there)
        if answer.platform_status != self.platform_status:
            self._cluster.set_status("platforms", "platform", answer.platform_status)

    @property
    def platform_status(self) -> Object:
        return _platform_status(self._cluster)

    def _say(self, kind: str, name: str, status: Object, there: dict[Key, Object]) -> None:
        if there.get((kind, name), {}).get("status") != status:
            self._cluster.set_status(_PLURALS[kind], name, status)


class Real:
    """A Metacontroller at work, which is waited for until there is exactly what the player would have made."""

    def __init__(self, cluster: Cluster, hooks: Hooks, metacontroller: MetacontrollerProcess) -> None:
        self._cluster = cluster
        self.hooks = hooks
        self.metacontroller = metacontroller

    def settle(self) -> None:
        eventually(self._is_settled, 200)

    @property
    def platform_status(self) -> Object:
        return _platform_status(self._cluster)

    def _is_settled(self) -> bool:
        there = _there(self._cluster)
        answer = _asked(self._cluster, [each for (kind, _), each in there.items() if kind == "VirtualHost"])
        wanted = _by_key([*answer.virtual_hosts, *answer.objects])
        said, to_say = self.platform_status, answer.platform_status
        return _specs(there) == _specs(wanted) and all(
            said.get(each) == to_say.get(each) for each in ("observedGeneration", "sites", "rejections")
        )


@contextmanager
def operating(cluster: ControlPlane, folder: Path) -> Iterator[Operator]:
    """An operator for this cluster; its logs are in the folder."""
    executable = metacontroller()
    if not executable:
        yield Player(cluster)
        return
    cluster.start_controllers()
    kubeconfig = cluster.service_account("pages-operator", folder)
    with Hooks(folder) as hooks:
        hooks.wait_until_ready()
        connect(cluster, hooks)
        with MetacontrollerProcess(folder, executable, kubeconfig) as real:
            real.wait_until_ready()
            yield Real(cluster, hooks, real)


def metacontroller() -> str | None:
    """The executable of Metacontroller, where there is one."""
    return os.environ.get("METACONTROLLER") or shutil.which("metacontroller")


def connect(cluster: Cluster, hooks: Hooks) -> None:
    """Tell Metacontroller where our hooks are."""
    for manifest in sorted((ROOT / "metacontroller").glob("*.yaml")):
        cluster.apply(yaml.safe_load(manifest.read_text().replace("http://127.0.0.1:8080", hooks.url)))


def _asked(cluster: Cluster, hosts: Sequence[Object]) -> Reconciled:
    platform = cluster.get("platforms", "platform")
    assert platform
    now = datetime.now(UTC)
    return reconcile(platform, cluster.list("staticsites"), cluster.namespaces(), hosts, now=now)


def _there(cluster: Cluster) -> dict[Key, Object]:
    """All generated objects, as the API server has stored them."""
    return _by_key(each | {"kind": kind} for kind, plural in _PLURALS.items() for each in cluster.list(plural, SYSTEM))


def _platform_status(cluster: Cluster) -> Object:
    return dict((cluster.get("platforms", "platform") or {}).get("status", {}))


def _by_key(objects: Iterable[Object]) -> dict[Key, Object]:
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


def _specs(objects: dict[Key, Object]) -> dict[Key, Any]:
    return {key: each["spec"] for key, each in objects.items()}


def _written(wanted: Object) -> Object:
    metadata = {key: wanted["metadata"][key] for key in ("name", "namespace", "labels")}
    return {key: wanted[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": metadata}
