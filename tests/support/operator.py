"""What Metacontroller does with our hooks, once and when a test says so."""

from datetime import UTC, datetime

from pages.cli.metacontroller import reconcile
from tests.support.control_plane import Cluster, Object

_PLURALS = {
    "VirtualHost": "virtualhosts",
    "Certificate": "certificates",
    "Middleware": "middlewares",
    "IngressRoute": "ingressroutes",
}


class Operator:
    """Asks the hooks what there should be, and makes it so at the API server."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._made: dict[tuple[str, str], Object] = {}
        self.platform_status: Object = {}

    def settle(self) -> None:
        """Bring the generated objects up to date: what is new before what leads there, what is gone at last."""
        platform = self._cluster.get("platforms", "platform")
        assert platform
        namespaces = self._cluster.namespaces()
        hosts = [each for (kind, _), each in self._made.items() if kind == "VirtualHost"]
        now = datetime.now(UTC)
        answer = reconcile(platform, self._cluster.list("staticsites"), namespaces, hosts, now=now)
        self.platform_status = answer.platform_status
        wanted = {_key(each): each for each in [*answer.virtual_hosts, *answer.objects]}
        for key in sorted(wanted, key=lambda key: list(_PLURALS).index(key[0])):
            if self._made.get(key, {}).get("spec") != wanted[key]["spec"]:
                self._cluster.make(_PLURALS[key[0]], _written(wanted[key]))
        for kind, name in self._made.keys() - wanted.keys():
            self._cluster.remove(_PLURALS[kind], name)
        self._made = wanted


def _key(found: Object) -> tuple[str, str]:
    return found["kind"], found["metadata"]["name"]


def _written(wanted: Object) -> Object:
    metadata = {key: wanted["metadata"][key] for key in ("name", "namespace", "labels")}
    return {key: wanted[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": metadata}
