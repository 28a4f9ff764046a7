"""The store of the cluster: StaticSites and Secrets of all namespaces, VirtualHosts and Platforms of our own."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, NamedTuple, TypeVar

import httpx2
import structlog
from lightkube import ALL_NS, AsyncClient, Client
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Secret as SecretResource
from lightkube.types import PatchType
from pydantic import BaseModel, ValidationError

from pages import mistakes
from pages.api import Platform, SiteKey, StaticSite, StaticSiteStatus, VirtualHost
from pages.core import Secret
from syncer.errors import SecretForbidden, SecretUnreadable
from syncer.retries import requested_pause
from syncer.stores import Snapshot, StatusNotWritten
from syncer.stores.informer import RELIST_SECONDS, Change, Informer, RawObject
from syncer.wakeup import Wakeup

log = structlog.get_logger(__name__)

STATIC_SITE = create_namespaced_resource("pages.kup6s.com", "v1beta1", "StaticSite", "staticsites")
VIRTUAL_HOST = create_namespaced_resource("pages.kup6s.com", "v1beta1", "VirtualHost", "virtualhosts")
PLATFORM = create_namespaced_resource("pages.kup6s.com", "v1beta1", "Platform", "platforms")

_TRIES = 5
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Observed(Generic[M]):
    """An object of the API; ``model`` is None where it cannot be parsed."""

    uid: str
    version: str
    generation: int | None
    is_going: bool
    model: M | None


class _Follower(Generic[M]):
    """Parses the objects of a kind, and reports every change."""

    def __init__(self, model: type[M], wakeup: Wakeup) -> None:
        self._model = model
        self._wakeup = wakeup

    def read(self, written: RawObject) -> _Observed[M]:
        """Parse an object; one that cannot be parsed is logged and kept without a model."""
        metadata = written["metadata"]
        try:
            parsed = self._model.model_validate(written)
        except ValidationError as error:
            name = f"{metadata['namespace']}/{metadata['name']}"
            sentence = mistakes.explain(error)[0][1]
            log.error("object_unreadable", kind=self._model.__name__, name=name, error=sentence)  # noqa: TRY400 - enough
            parsed = None
        return _Observed(
            metadata["uid"],
            metadata["resourceVersion"],
            metadata.get("generation"),
            bool(metadata.get("deletionTimestamp")),
            parsed,
        )

    def changed(self, change: Change[_Observed[M]]) -> None:
        """Report a new version."""
        before, after = change.before, change.after
        if (before and before.version) != (after and after.version):
            self._wakeup.change()


class _SiteFollower(_Follower[StaticSite]):
    """Follows StaticSites: remembers the deleted ones, and ignores changes of the status, which are our own."""

    def __init__(self, wakeup: Wakeup) -> None:
        super().__init__(StaticSite, wakeup)
        self._lock = threading.Lock()
        self._deleted: set[SiteKey] = set()

    def deleted(self) -> frozenset[SiteKey]:
        """The sites whose deletion an event has reported."""
        with self._lock:
            return frozenset(self._deleted)

    def changed(self, change: Change[_Observed[StaticSite]]) -> None:
        """Report a change that may need a sync."""
        with self._lock:
            if change.after is None or change.after.is_going:
                self._deleted |= {change.key} if change.by_event else set()
            else:
                self._deleted.discard(change.key)
        if _relevant(change.before) != _relevant(change.after):
            self._wakeup.change()


class _Informers(NamedTuple):
    sites: Informer[_Observed[StaticSite]]
    hosts: Informer[_Observed[VirtualHost]]
    platforms: Informer[_Observed[Platform]]


class ClusterStore:
    """Follows the API on a thread of its own, from ``start`` to ``stop``. Snapshots come from memory.

    The ``wakeup`` hears of every change that the syncer has to handle.
    """

    def __init__(
        self,
        client: Client,
        make_async_client: Callable[[], AsyncClient],
        namespace: str,
        wakeup: Wakeup,
        *,
        relist_seconds: float = RELIST_SECONDS,
    ) -> None:
        self._client = client
        self._make_async_client = make_async_client
        self._namespace = namespace
        self._wakeup = wakeup
        self._relist_seconds = relist_seconds
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._sites = _SiteFollower(wakeup)
        self._informers: _Informers | None = None

    def start(self) -> None:
        """Start to follow the API."""
        self._thread.start()

    def stop(self) -> None:
        """Stop for good."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def alive(self) -> bool:
        """Whether the API is being followed."""
        return self._thread.is_alive()

    def listed(self) -> bool:
        """Whether all objects have been listed; until then, snapshots are empty."""
        return self._informers is not None and all(informer.listed for informer in self._informers)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._follow())
        except Exception:
            log.exception("watch_crashed")
        finally:
            self._loop.close()

    async def _follow(self) -> None:
        client, every = self._make_async_client(), {"relist_seconds": self._relist_seconds}
        self._informers = _Informers(
            Informer(client, STATIC_SITE, ALL_NS, self._sites, **every),
            Informer(client, VIRTUAL_HOST, self._namespace, _Follower(VirtualHost, self._wakeup), **every),
            Informer(client, PLATFORM, self._namespace, _Follower(Platform, self._wakeup), **every),
        )
        tasks = [asyncio.ensure_future(informer.run()) for informer in self._informers]
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, *tasks):
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def snapshot(self) -> Snapshot:
        """All objects. An empty list of sites is not trusted; a watch event that reports a deletion is."""
        if self._informers is None or not self.listed():
            return Snapshot(complete=False)
        deleted = self._sites.deleted()
        existing = {key: each for key, each in self._informers.sites.objects().items() if not each.is_going}
        platforms = (each.model for each in self._informers.platforms.objects().values())
        hosts = (each.model for each in self._informers.hosts.objects().values())
        return Snapshot(
            sites=[each.model for each in existing.values() if each.model],
            unreadable=frozenset(key for key, each in existing.items() if not each.model),
            deleted=deleted,
            complete=not self._informers.sites.was_empty,
            platform=min((each for each in platforms if each), key=_age, default=None),
            virtual_hosts=[each for each in hosts if each],
        )

    def secret(self, namespace: str, name: str) -> Secret | None:
        """A Secret of a tenant. Raises SecretForbidden, with the manifest that allows it, and SecretUnreadable."""
        try:
            secret = self._client.get(SecretResource, name, namespace=namespace)
        except ApiError as error:
            if error.status.code == HTTPStatus.NOT_FOUND:
                return None
            if error.status.code == HTTPStatus.FORBIDDEN:
                raise SecretForbidden(namespace, name, self._namespace) from error
            raise SecretUnreadable(f"Secret {name!r} cannot be read: {error}; the syncer tries again") from error
        except httpx2.HTTPError as error:
            raise SecretUnreadable(
                f"Secret {name!r} cannot be read: the Kubernetes API does not answer ({error}); the syncer tries again"
            ) from error
        return Secret.model_validate({**secret.to_dict(), "apiVersion": "v1", "kind": "Secret"})

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        """Patch our fields of the status, if the site with this uid still exists. Raises StatusNotWritten."""
        current = self._informers.sites.get(site.site_key) if self._informers else None
        try:
            for _ in range(_TRIES):
                if current is None or current.uid != site.metadata.uid:
                    return
                if self._patch_status(site, current.version, status):
                    return
                written = self._client.get(STATIC_SITE, site.metadata.name, namespace=site.metadata.namespace)
                current = self._sites.read(written)
        except ApiError as error:
            if error.status.code != HTTPStatus.NOT_FOUND:
                raise not_written(error) from error
        except httpx2.HTTPError as error:
            raise not_written(error) from error
        else:
            raise StatusNotWritten(f"it was changed by others {_TRIES} times in a row")

    def _patch_status(self, site: StaticSite, version: str, status: StaticSiteStatus) -> bool:
        """Whether the object still had that version."""
        patch = {"metadata": {"resourceVersion": version}, "status": _patch(status)}
        name, namespace = site.metadata.name, site.metadata.namespace
        try:
            self._client.patch(STATIC_SITE.Status, name, patch, namespace=namespace, patch_type=PatchType.MERGE)
        except ApiError as error:
            if error.status.code != HTTPStatus.CONFLICT:
                raise
            return False
        return True


def not_written(error: httpx2.HTTPError) -> StatusNotWritten:
    """The error for a failed request, with the pause that the API asks for."""
    return StatusNotWritten(str(error) or type(error).__name__, requested_pause(error))


def _patch(status: StaticSiteStatus) -> dict[str, Any]:
    """All our fields, so that unset ones are removed."""
    return status.model_dump(by_alias=True, mode="json") | {"conditions": status.dump()["conditions"]}


def _relevant(site: _Observed[StaticSite] | None) -> object:
    """The parts of a site whose change may need a sync."""
    requested = site.model.requested_at if site and site.model else ""
    return None if site is None or site.is_going else (site.uid, site.generation, requested)


def _age(platform: Platform) -> tuple[str, str]:
    created = platform.metadata.creation_timestamp
    return created.isoformat() if created else "", platform.metadata.uid
