"""The Kubernetes API: StaticSites of all namespaces, VirtualHosts and Platforms of the system namespace, Secrets."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
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
from syncer.stores.informer import RELIST_SECONDS, Informer, Object
from syncer.wakeup import Wakeup

log = structlog.get_logger(__name__)

STATIC_SITE = create_namespaced_resource("pages.kup6s.com", "v1beta1", "StaticSite", "staticsites")
VIRTUAL_HOST = create_namespaced_resource("pages.kup6s.com", "v1beta1", "VirtualHost", "virtualhosts")
PLATFORM = create_namespaced_resource("pages.kup6s.com", "v1beta1", "Platform", "platforms")

_FORBIDDEN, _NOT_FOUND, _CONFLICT = 403, 404, 409
_TRIES = 5
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Seen(Generic[M]):
    """An object of the API; ``model`` is None where it makes no sense to us."""

    uid: str
    version: str
    generation: int | None
    is_going: bool
    model: M | None


class _Informers(NamedTuple):
    sites: Informer[_Seen[StaticSite]]
    hosts: Informer[_Seen[VirtualHost]]
    platforms: Informer[_Seen[Platform]]


class ClusterStore:
    """Follows the API on a thread of its own, from ``start`` to ``stop``; everything else answers from memory.

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
        self._lock = threading.Lock()
        self._deleted: set[SiteKey] = set()
        self._informers: _Informers | None = None

    def start(self) -> None:
        """Begin to follow the API."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; ``start`` is not possible again."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def alive(self) -> bool:
        """Whether the API is being followed."""
        return self._thread.is_alive()

    def listed(self) -> bool:
        """Whether all objects have been seen; before that a snapshot means nothing."""
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
            Informer(client, STATIC_SITE, ALL_NS, _reader(StaticSite), self._site_changed, **every),
            Informer(client, VIRTUAL_HOST, self._namespace, _reader(VirtualHost), self._changed, **every),
            Informer(client, PLATFORM, self._namespace, _reader(Platform), self._changed, **every),
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

    def _changed(self, _key: SiteKey, before: _Seen[M] | None, now: _Seen[M] | None, _by_event: bool) -> None:
        if (before and before.version) != (now and now.version):
            self._wakeup.change()

    def _site_changed(
        self, key: SiteKey, before: _Seen[StaticSite] | None, now: _Seen[StaticSite] | None, by_event: bool
    ) -> None:
        """Take note of a deletion; a change of nothing but its status is our own."""
        with self._lock:
            if now is None or now.is_going:
                self._deleted |= {key} if by_event else set()
            else:
                self._deleted.discard(key)
        if _matter(before) != _matter(now):
            self._wakeup.change()

    def snapshot(self) -> Snapshot:
        """What the syncer works on. A list without any site is not believed; an event that says so of one is."""
        if self._informers is None or not self.listed():
            return Snapshot(complete=False)
        with self._lock:
            deleted = frozenset(self._deleted)
        there = {key: seen for key, seen in self._informers.sites.objects().items() if not seen.is_going}
        platforms = (seen.model for seen in self._informers.platforms.objects().values())
        hosts = (seen.model for seen in self._informers.hosts.objects().values())
        return Snapshot(
            sites=[seen.model for seen in there.values() if seen.model],
            unreadable=frozenset(key for key, seen in there.items() if not seen.model),
            deleted=deleted,
            complete=not self._informers.sites.was_empty,
            platform=min((each for each in platforms if each), key=_age, default=None),
            virtual_hosts=[each for each in hosts if each],
        )

    def secret(self, namespace: str, name: str) -> Secret | None:
        """A Secret of a tenant. Raises SecretForbidden, with what to apply, and SecretUnreadable."""
        try:
            found = self._client.get(SecretResource, name, namespace=namespace)
        except ApiError as error:
            if error.status.code == _NOT_FOUND:
                return None
            if error.status.code == _FORBIDDEN:
                raise SecretForbidden(namespace, name, self._namespace) from error
            raise SecretUnreadable(f"Secret {name!r} cannot be read just now: {error}; it is tried again") from error
        except httpx2.HTTPError as error:
            raise SecretUnreadable(
                f"Secret {name!r} cannot be read: the Kubernetes API is not there ({error})"
            ) from error
        return Secret.model_validate({**found.to_dict(), "apiVersion": "v1", "kind": "Secret"})

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        """Patch our fields of the status, if this very site is still there. Raises StatusNotWritten."""
        metadata = site.metadata
        known = self._informers.sites.get(site.site_key) if self._informers else None
        try:
            for _ in range(_TRIES):
                if known is None or known.uid != metadata.uid:
                    return
                patch = {"metadata": {"resourceVersion": known.version}, "status": _patch(status)}
                try:
                    self._client.patch(
                        STATIC_SITE.Status,
                        metadata.name,
                        patch,
                        namespace=metadata.namespace,
                        patch_type=PatchType.MERGE,
                    )
                except ApiError as error:
                    if error.status.code != _CONFLICT:
                        raise
                    found = self._client.get(STATIC_SITE, metadata.name, namespace=metadata.namespace)
                    known = _reader(StaticSite)(found)
                else:
                    return
        except ApiError as error:
            if error.status.code != _NOT_FOUND:
                raise not_written(error) from error
        except httpx2.HTTPError as error:
            raise not_written(error) from error
        else:
            raise StatusNotWritten(f"it was changed by others {_TRIES} times in a row")


def not_written(error: httpx2.HTTPError) -> StatusNotWritten:
    """What the API answered, or that it did not."""
    return StatusNotWritten(str(error) or type(error).__name__, requested_pause(error))


def _reader(model: type[M]) -> Callable[[Object], _Seen[M]]:
    """Thousands of objects are kept: as what we made of them, and not as they came as well."""

    def read(found: Object) -> _Seen[M]:
        metadata = found["metadata"]
        try:
            made = model.model_validate(found)
        except ValidationError as error:
            name = f"{metadata['namespace']}/{metadata['name']}"
            sentence = mistakes.explain(error)[0][1]
            log.error("object_unreadable", kind=model.__name__, name=name, error=sentence)  # noqa: TRY400 - it says it all
            made = None
        return _Seen(
            metadata["uid"],
            metadata["resourceVersion"],
            metadata.get("generation"),
            bool(metadata.get("deletionTimestamp")),
            made,
        )

    return read


def _patch(status: StaticSiteStatus) -> dict[str, Any]:
    """All our fields, so that one that is no longer set is taken away."""
    return status.model_dump(by_alias=True, mode="json") | {"conditions": status.dump()["conditions"]}


def _matter(site: _Seen[StaticSite] | None) -> object:
    """What of a site the syncer has to look at."""
    requested = site.model.requested_at if site and site.model else ""
    return None if site is None or site.is_going else (site.uid, site.generation, requested)


def _age(platform: Platform) -> tuple[str, str]:
    created = platform.metadata.creation_timestamp
    return created.isoformat() if created else "", platform.metadata.uid
