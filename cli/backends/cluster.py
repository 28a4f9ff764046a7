"""A cluster, by its API and with the rights of whoever asks."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
from lightkube import ALL_NS, ApiError, Client
from lightkube.core.exceptions import ConfigError
from lightkube.types import PatchType

from cli.backends import LogWanted, SyncResult, cluster_facts, cluster_log, key
from cli.diagnosis.facts import Facts, Object, Seen, condition, status
from cli.exits import CannotAsk, Failed, Forbidden
from pages.api import API_VERSION, REQUESTED_AT
from syncer.stores.kubernetes import STATIC_SITE

_SECONDS = 15.0
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404


class Cluster:
    """StaticSites of the Kubernetes API. ``config`` is lightkube's SingleConfig."""

    is_cluster = True

    def __init__(self, config: Any, system: str) -> None:  # noqa: ANN401
        self.where = f"the cluster of context {config.context_name} ({config.cluster.server})"
        self.default_namespace: str | None = config.namespace
        self.system = system
        self._config = config
        with self.asking("be reached"):
            self.client = Client(config=config, timeout=httpx2.Timeout(_SECONDS))

    @contextlib.contextmanager
    def patient(self) -> Iterator[Client]:
        """A client that waits for the next line of a log however long that takes."""
        client = Client(config=self._config, timeout=httpx2.Timeout(_SECONDS, read=None))
        try:
            yield client
        finally:
            client.close()

    def sites(self, namespace: str | None) -> list[Object]:
        """The StaticSites of a namespace, or of all."""
        where = f"in namespace {namespace}" if namespace else "in all namespaces (-n names one)"
        with self.asking(f"list StaticSites {where}"):
            return [_whole(each) for each in self.client.list(STATIC_SITE, namespace=namespace or ALL_NS)]

    def site(self, namespace: str, name: str) -> Object | None:
        """One StaticSite."""
        with self.asking(f"get StaticSite {namespace}/{name}"):
            try:
                return _whole(self.client.get(STATIC_SITE, name, namespace=namespace))
            except ApiError as error:
                if error.status.code == _NOT_FOUND and (error.status.details and error.status.details.name):
                    return None
                raise

    def notes(self) -> list[str]:
        """Nothing: what is wrong is at the objects."""
        return []

    def is_whole(self) -> bool:
        """There are no manifests here that might be broken."""
        return True

    def look(self, resource: Any, name: str, namespace: str | None = None) -> Seen:  # noqa: ANN401 - lightkube's
        """An object that may be hidden from us."""
        with self.asking(f"get {resource._api_info.plural} {name}"):  # noqa: SLF001 - it has no other name
            try:
                found = (
                    self.client.get(resource, name, namespace=namespace)
                    if namespace
                    else self.client.get(resource, name)
                )
            except ApiError as error:
                if error.status.code in {_FORBIDDEN, _NOT_FOUND}:
                    return Seen(hidden=error.status.code == _FORBIDDEN)
                raise
            return Seen(plain(found))

    def look_at_all(self, resource: Any, namespace: str | None) -> list[Object] | None:  # noqa: ANN401 - lightkube's
        """All objects of a kind; None where they are hidden from us, or there is no such kind."""
        with self.asking(f"list {resource._api_info.plural}"):  # noqa: SLF001
            try:
                found = self.client.list(resource, namespace=namespace) if namespace else self.client.list(resource)
                return [plain(each) for each in found]
            except ApiError as error:
                if error.status.code in {_FORBIDDEN, _NOT_FOUND}:
                    return None
                raise

    def facts(self, site: Object) -> Facts:
        """What may be seen of everything that was generated."""
        return cluster_facts.collect(self, site)

    def request_sync(self, site: Object) -> str:
        """Set the annotation that the syncer looks for."""
        asked = datetime.now(UTC).isoformat()
        self._patch(site, {"metadata": {"annotations": {REQUESTED_AT: asked}}})
        return asked

    def sync_result(self, site: Object, request: str) -> SyncResult:
        """Whether the syncer has answered this request, or one that came after it."""
        found = self.site(site["metadata"]["namespace"], site["metadata"]["name"])
        if found is None:
            raise Failed(f"{key(site)} was deleted meanwhile")
        synced = condition(found, "Synced")
        text = f"{synced.get('reason', 'Pending')}: {synced.get('message', 'the syncer has not seen it yet')}"
        if status(found).get("lastHandledRequest", "") < request:
            return SyncResult("asked for; the syncer has not answered yet")
        return SyncResult(text, synced.get("status") == "True")

    def log(self, site: Object, wanted: LogWanted) -> Iterator[str]:
        """The syncer's lines about the site, where we may read them; else its Events and conditions."""
        return cluster_log.lines(self, site, wanted)

    def pin(self, site: Object, revision: str | None) -> str:
        """Patch the StaticSite."""
        self._patch(site, {"spec": {"revision": revision}})
        return f"{key(site)}: spec.revision is now {revision or 'not set'}"

    def _patch(self, site: Object, patch: Object) -> None:
        metadata = site["metadata"]
        with self.asking(f"patch StaticSite {key(site)}"):
            self.client.patch(
                STATIC_SITE, metadata["name"], patch, namespace=metadata["namespace"], patch_type=PatchType.MERGE
            )

    @contextlib.contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Turns whatever the API, the network or a credential does into a sentence with the next step."""
        try:
            yield
        except ApiError as error:
            raise self._refused(error, what) from None
        except httpx2.HTTPStatusError as error:
            if error.response.status_code == _NOT_FOUND:
                raise CannotAsk(_no_kind(self.where)) from None
            raise CannotAsk(f"{self.where} answers {error.response.status_code}: is it a Kubernetes API?") from None
        except httpx2.HTTPError as error:
            raise CannotAsk(
                f"{self.where} cannot be reached: {error or type(error).__name__}; see that it runs and that your "
                "kubeconfig names its address (kubectl cluster-info)"
            ) from None
        except json.JSONDecodeError:
            raise CannotAsk(
                f"{self.where} does not answer as a Kubernetes API does: is the server's address right?"
            ) from None
        except (ConfigError, OSError, LookupError, ValueError, AssertionError) as error:
            raise CannotAsk(f"the kubeconfig of {self.where} cannot be used: {error}") from None

    def _refused(self, error: ApiError, what: str) -> CannotAsk:
        code, message = error.status.code, (error.status.message or "").strip()
        if code == _UNAUTHORIZED:
            return CannotAsk(
                f"{self.where} does not accept your credentials: they have expired or are wrong; log in again, or mend "
                "the user of your kubeconfig"
            )
        if code == _FORBIDDEN:
            return Forbidden(
                f"you may not {what}: ask for the role `view` (to change something, `edit`) there. {message}"
            )
        if code == _NOT_FOUND and not (error.status.details and error.status.details.name):
            return CannotAsk(_no_kind(self.where))
        return CannotAsk(f"{self.where} does not {what}: {message}")


def _no_kind(where: str) -> str:
    return (
        f"{where} knows no StaticSites: kup6s-pages is not installed there (its CRDs are in crds/), or this is another "
        "cluster than you think (--context)"
    )


def plain(found: Any) -> Object:  # noqa: ANN401 - typed or generic
    """An object of lightkube's as the API has it."""
    return dict(found) if isinstance(found, dict) else found.to_dict()


def _whole(found: Any) -> Object:  # noqa: ANN401
    return {"apiVersion": API_VERSION, "kind": "StaticSite", **plain(found)}
