"""The Kubernetes API: StaticSites of all namespaces, VirtualHosts and Platforms of the system namespace, Secrets."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import httpx2
import structlog
from lightkube import ALL_NS, AsyncClient, Client
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Secret as SecretResource
from lightkube.types import PatchType
from pydantic import BaseModel, ValidationError

from pages import mistakes
from pages.api import Platform, StaticSite, StaticSiteStatus, VirtualHost
from pages.core import Secret
from syncer.errors import SecretForbidden, SecretUnreadable
from syncer.stores import Snapshot, StatusNotWritten
from syncer.stores.informer import RELIST_SECONDS, Informer, Object

log = structlog.get_logger(__name__)

STATIC_SITE = create_namespaced_resource("pages.kup6s.com", "v1beta1", "StaticSite", "staticsites")
VIRTUAL_HOST = create_namespaced_resource("pages.kup6s.com", "v1beta1", "VirtualHost", "virtualhosts")
PLATFORM = create_namespaced_resource("pages.kup6s.com", "v1beta1", "Platform", "platforms")

_FORBIDDEN, _NOT_FOUND, _CONFLICT = 403, 404, 409
_TRIES = 5
M = TypeVar("M", bound=BaseModel)


class ClusterStore:
    """Follows the API on a thread of its own, from ``start`` to ``stop``; everything else answers from memory.

    ``on_change`` is called from that thread when something has changed that the syncer has to look at.
    """

    def __init__(
        self,
        client: Client,
        make_async_client: Callable[[], AsyncClient],
        namespace: str,
        on_change: Callable[[], None],
        *,
        relist_seconds: float = RELIST_SECONDS,
    ) -> None:
        self._client = client
        self._make_async_client = make_async_client
        self._namespace = namespace
        self._on_change = on_change
        self._relist_seconds = relist_seconds
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._lock = threading.Lock()
        self._sites: dict[tuple[str, str], StaticSite] = {}
        self._unreadable: set[tuple[str, str]] = set()
        self._deleted: set[tuple[str, str]] = set()
        self._informers: tuple[Informer, ...] = ()

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
        return bool(self._informers) and all(informer.listed for informer in self._informers)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._follow())
        except Exception:
            log.exception("watch_crashed")
        finally:
            self._loop.close()

    async def _follow(self) -> None:
        client = self._make_async_client()
        kinds = (
            (STATIC_SITE, ALL_NS, self._site_changed),
            (VIRTUAL_HOST, self._namespace, self._changed),
            (PLATFORM, self._namespace, self._changed),
        )
        self._informers = tuple(
            Informer(client, kind, namespace, observe, relist_seconds=self._relist_seconds)
            for kind, namespace, observe in kinds
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

    def _changed(self, before: Object | None, now: Object | None, _by_event: bool) -> None:  # an Observer
        if _version(before) != _version(now):
            self._on_change()

    def _site_changed(self, before: Object | None, now: Object | None, by_event: bool) -> None:
        """Take note of a site; a change of nothing but its status is our own."""
        given = now or before or {}
        key = given["metadata"]["namespace"], given["metadata"]["name"]
        try:
            site = None if now is None or _is_going(now) else StaticSite.model_validate(now)
        except ValidationError as error:
            sentence = mistakes.explain(error)[0][1]
            log.error("site_unreadable", site="/".join(key), error=sentence)  # noqa: TRY400 - it says it all
            with self._lock:
                self._unreadable.add(key)
        else:
            with self._lock:
                self._unreadable.discard(key)
                if site:
                    self._sites[key] = site
                    self._deleted.discard(key)
                else:
                    self._sites.pop(key, None)
                    self._deleted |= {key} if by_event else set()
        if _matter(before) != _matter(now):
            self._on_change()

    def snapshot(self) -> Snapshot:
        """What the syncer works on. A list without any site is not believed; an event that says so of one is."""
        if not self.listed():
            return Snapshot(complete=False)
        sites, hosts, platforms = self._informers
        with self._lock:
            mine = list(self._sites.values())
            unreadable, deleted = frozenset(self._unreadable), frozenset(self._deleted)
        return Snapshot(
            sites=mine,
            unreadable=unreadable,
            deleted=deleted,
            complete=not sites.was_empty,
            platform=min(_read(Platform, platforms.objects()), key=_age, default=None),
            virtual_hosts=_read(VirtualHost, hosts.objects()),
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
        known = self._informers[0].get(metadata.namespace, metadata.name) if self._informers else None
        try:
            for _ in range(_TRIES):
                if known is None or known["metadata"]["uid"] != metadata.uid:
                    return
                patch = {"metadata": {"resourceVersion": _version(known)}, "status": _patch(status)}
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
                    known = self._client.get(STATIC_SITE, metadata.name, namespace=metadata.namespace)
                else:
                    return
        except ApiError as error:
            if error.status.code != _NOT_FOUND:
                raise StatusNotWritten(str(error)) from error
        except httpx2.HTTPError as error:
            raise StatusNotWritten(str(error) or type(error).__name__) from error
        else:
            raise StatusNotWritten(f"it was changed by others {_TRIES} times in a row")


def _read(model: type[M], objects: list[Object]) -> list[M]:
    found = []
    for each in objects:
        try:
            found.append(model.model_validate(each))
        except ValidationError as error:
            name, sentence = each["metadata"]["name"], mistakes.explain(error)[0][1]
            log.error("object_unreadable", kind=model.__name__, name=name, error=sentence)  # noqa: TRY400 - it says it all
    return found


def _patch(status: StaticSiteStatus) -> dict[str, Any]:
    """All our fields, so that one that is no longer set is taken away."""
    return status.model_dump(by_alias=True, mode="json") | {"conditions": status.dump()["conditions"]}


def _version(found: Object | None) -> str | None:
    return found["metadata"]["resourceVersion"] if found else None


def _is_going(found: Object) -> bool:
    return bool(found["metadata"].get("deletionTimestamp"))


def _matter(site: Object | None) -> object:
    """What of a site the syncer has to look at."""
    if site is None or _is_going(site):
        return None
    return site["metadata"]["uid"], site["metadata"].get("generation")


def _age(platform: Platform) -> tuple[str, str]:
    created = platform.metadata.creation_timestamp
    return created.isoformat() if created else "", platform.metadata.uid
