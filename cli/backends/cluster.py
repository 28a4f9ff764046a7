"""A cluster as a backend."""

from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from lightkube import ALL_NS, ApiError
from lightkube.types import PatchType

from cli.backends import LogSelection, SyncResult, cluster_facts, cluster_installation, cluster_log, key
from cli.backends.kubernetes_api import KubernetesAPI, names_object, plain
from cli.diagnosis import installation
from cli.diagnosis.facts import Facts, Object, condition, status
from cli.diagnosis.verdicts import Verdict
from cli.exits import Failed
from pages.api import API_VERSION, REQUESTED_AT
from syncer.stores.kubernetes import STATIC_SITE


class Cluster:
    """StaticSites of the Kubernetes API. ``config`` is lightkube's SingleConfig."""

    is_cluster = True

    def __init__(self, config: Any, system: str) -> None:  # noqa: ANN401
        self.api = KubernetesAPI(config, system)
        self.where = self.api.where
        self.default_namespace: str | None = config.namespace

    def sites(self, namespace: str | None) -> list[Object]:
        """The StaticSites of a namespace, or of all."""
        where = f"in namespace {namespace}" if namespace else "in all namespaces (choose one with -n)"
        with self.api.asking(f"list StaticSites {where}"):
            return [_whole(each) for each in self.api.client.list(STATIC_SITE, namespace=namespace or ALL_NS)]

    def site(self, namespace: str, name: str) -> Object | None:
        """One StaticSite."""
        with self.api.asking(f"get StaticSite {namespace}/{name}"):
            try:
                return _whole(self.api.client.get(STATIC_SITE, name, namespace=namespace))
            except ApiError as error:
                if error.status.code == HTTPStatus.NOT_FOUND and names_object(error):
                    return None
                raise

    def mistakes(self) -> list[str]:
        """None: the API server accepts no object with a mistake."""
        return []

    def notes(self) -> list[str]:
        """None: conditions report all problems."""
        return []

    def facts(self, site: Object) -> Facts:
        """All generated objects, as far as we have permission to view them."""
        return cluster_facts.collect(self.api, site)

    def examine(self) -> list[Verdict]:
        """Check the installation."""
        return installation.examine(cluster_installation.look(self.api))

    def api_url(self) -> str | None:
        """Not known: its address is the administrator's choice."""
        return None

    def request_sync(self, site: Object) -> str:
        """Set the annotation that requests a sync."""
        request = datetime.now(UTC).isoformat()
        self._patch(site, {"metadata": {"annotations": {REQUESTED_AT: request}}})
        return request

    def sync_result(self, site: Object, request: str) -> SyncResult:
        """Whether the syncer has handled this request, or a later one."""
        current = self.site(site["metadata"]["namespace"], site["metadata"]["name"])
        if current is None:
            raise Failed(f"{key(site)} was deleted during the sync")
        if status(current).get("lastHandledRequest", "") < request:
            return SyncResult("sync requested; waiting for the syncer")
        synced = condition(current, "Synced")
        reason, message = synced.reason or "Pending", synced.message or "the syncer has not processed it yet"
        return SyncResult(f"{reason}: {message}", synced.is_true)

    def log(self, site: Object, selection: LogSelection) -> Iterator[str]:
        """The syncer's lines about the site if we have permission to read them, else its Events and conditions."""
        return cluster_log.lines(self.api, site, selection)

    def pin(self, site: Object, revision: str | None) -> str:
        """Patch the StaticSite."""
        self._patch(site, {"spec": {"revision": revision}})
        return f"{key(site)}: spec.revision is now {revision or 'not set'}"

    def _patch(self, site: Object, patch: Object) -> None:
        metadata = site["metadata"]
        with self.api.asking(f"patch StaticSite {key(site)}"):
            self.api.client.patch(
                STATIC_SITE, metadata["name"], patch, namespace=metadata["namespace"], patch_type=PatchType.MERGE
            )


def _whole(item: Any) -> Object:  # noqa: ANN401
    """A list's items lack their kind."""
    return {"apiVersion": API_VERSION, "kind": "StaticSite", **plain(item)}
