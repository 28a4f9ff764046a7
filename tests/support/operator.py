"""What makes the objects that the hooks answer: Metacontroller where there is one, else a player."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import yaml

from cli.metacontroller import Reconciled, reconcile
from pages.names import LABEL_MANAGED
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
    """Makes the objects that the hooks ask for."""

    def settle(self) -> None:
        """Return once the objects are as the hooks ask for."""

    @property
    def platform_status(self) -> Object: ...


class Player:
    """Does what Metacontroller does, once for each time that it settles: asks the hooks, makes objects and statuses.

    With ``kinds`` it makes only those, for tests of a set-up that is not complete.
    """

    def __init__(self, cluster: Cluster, *kinds: str) -> None:
        self._cluster = cluster
        self._kinds = kinds or tuple(_PLURALS)
        self.platform_status: Object = {}

    def settle(self) -> None:
        """Bring the objects up to date: new ones before those that lead there, then the removals, then the statuses."""
        there = _generated(self._cluster)
        answer = _asked(self._cluster, there)
        wanted = {key: each for key, each in _by_key(_objects_of(answer)).items() if key[0] in self._kinds}
        for key in sorted(wanted, key=lambda key: list(_PLURALS).index(key[0])):
            if key not in there or _without_empty(there[key]["spec"]) != _without_empty(wanted[key]["spec"]):
                there[key] = self._cluster.make(_PLURALS[key[0]], _written(wanted[key]))
        for kind, name in there.keys() - wanted.keys():
            if kind in self._kinds:
                self._cluster.remove(_PLURALS[kind], name)
        self.platform_status = answer.platform_status
        if "VirtualHost" in self._kinds:
            self._write_statuses(answer, there)

    def _write_statuses(self, answer: Reconciled, there: dict[Key, Object]) -> None:
        for host in answer.virtual_hosts:
            name = host["metadata"]["name"]
            made = there["VirtualHost", name]
            status = host["status"] | {"observedGeneration": made["metadata"]["generation"]}
            if made.get("status") != status:
                self._cluster.write_status("virtualhosts", name, status)
        self._cluster.write_status("platforms", "platform", answer.platform_status)


class Real:
    """A running Metacontroller. It has settled once the objects are those that the player would have made."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def settle(self) -> None:
        eventually(self._is_settled, 200)

    @property
    def platform_status(self) -> Object:
        return dict((self._cluster.get("platforms", "platform") or {}).get("status", {}))

    def _is_settled(self) -> bool:
        there = _generated(self._cluster)
        answer = _asked(self._cluster, there)
        wanted = _by_key(_objects_of(answer))
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
            yield Real(cluster)


def metacontroller() -> str | None:
    """The executable of Metacontroller, where there is one."""
    return os.environ.get("METACONTROLLER") or shutil.which("metacontroller")


def connect(cluster: Cluster, hooks: Hooks) -> None:
    """Tell Metacontroller where our hooks are."""
    for manifest in sorted((ROOT / "metacontroller").glob("*.yaml")):
        cluster.apply(yaml.safe_load(manifest.read_text().replace("http://127.0.0.1:8080", hooks.url)))


def _generated(cluster: Cluster) -> dict[Key, Object]:
    """The generated objects of all kinds that the API server has, by the label that the hooks give them."""
    return _by_key(
        each | {"kind": kind}
        for kind, plural in _PLURALS.items()
        for each in cluster.list(plural, SYSTEM)
        if LABEL_MANAGED in each["metadata"].get("labels", {})
    )


def _asked(cluster: Cluster, there: dict[Key, Object]) -> Reconciled:
    platform = cluster.get("platforms", "platform")
    assert platform
    hosts = [each for (kind, _), each in there.items() if kind == "VirtualHost"]
    now = datetime.now(UTC)
    return reconcile(platform, cluster.list("staticsites"), cluster.namespaces(), hosts, now=now)


def _objects_of(answer: Reconciled) -> Sequence[Object]:
    return [*answer.virtual_hosts, *answer.objects]


def _by_key(objects: Iterable[Object]) -> dict[Key, Object]:
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


def _specs(objects: dict[Key, Object]) -> dict[Key, Any]:
    return {key: _without_empty(each["spec"]) for key, each in objects.items()}


def _without_empty(spec: Any) -> Any:
    """Without fields that are false or empty: the API server adds those that the hooks leave out."""
    if isinstance(spec, dict):
        return {key: _without_empty(value) for key, value in spec.items() if value}
    return [_without_empty(each) for each in spec] if isinstance(spec, list) else spec


def _written(wanted: Object) -> Object:
    metadata = {key: wanted["metadata"][key] for key in ("name", "namespace", "labels")}
    return {key: wanted[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": metadata}
