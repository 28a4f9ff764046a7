"""Follows all objects of one kind in the Kubernetes API: list, watch, and list again from time to time (F17)."""

import asyncio
import threading
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import httpx2
import msgspec
import structlog
from lightkube import AsyncClient
from lightkube.generic_resource import GenericNamespacedResource

from pages.api import SiteKey
from syncer.retries import backoff_seconds

log = structlog.get_logger(__name__)

RawObject = dict[str, Any]  # an object as its JSON has it


class Versioned(Protocol):
    """A parsed object with its resourceVersion."""

    @property
    def version(self) -> str:
        """A different one after each change."""


T = TypeVar("T", bound=Versioned)


class Change(NamedTuple, Generic[T]):
    """An object before and after a change, None where it did not or does not exist."""

    key: SiteKey
    before: T | None
    after: T | None
    by_event: bool  # False where only a new list shows the change


class Handler(Protocol[T]):
    """What an informer is for."""

    def read(self, written: RawObject) -> T:
        """Parse an object; thousands are kept parsed, and not as they came."""

    def changed(self, change: Change[T]) -> None:
        """Handle a change, on the informer's thread."""


RELIST_SECONDS = 600.0
_FIRST_SECONDS = 0.2
_PAGE = 100  # a page in memory is many times as large as what is kept of it
_RESUMES = 5  # after more failures of the watch in a row, the objects are listed again
_STABLE_SECONDS = 60.0  # a failure after so long counts as the first


class Informer(Generic[T]):
    """Keeps the parsed objects up to date; ``run`` is a coroutine that ends only when it is cancelled.

    A failed list changes nothing. An interrupted watch is resumed; where that is not possible (410), and after
    ``relist_seconds``, the objects are listed again: a dead connection may not be noticed otherwise.
    """

    def __init__(
        self,
        client: AsyncClient,
        resource: type[GenericNamespacedResource],
        namespace: str,
        handler: Handler[T],
        *,
        relist_seconds: float = RELIST_SECONDS,
    ) -> None:
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._handler = handler
        self._relist_seconds = relist_seconds
        self._lock = threading.Lock()
        self._objects: dict[SiteKey, T] = {}
        self._version: str | None = None  # where the watch continues; None: after a new list
        self._listed_at = 0.0  # seconds of the event loop's clock
        self.listed = False  # whether the objects have been listed once
        self.was_empty = False  # whether the last list was empty

    def objects(self) -> dict[SiteKey, T]:
        """The objects as of the last event, from any thread."""
        with self._lock:
            return dict(self._objects)

    def get(self, key: SiteKey) -> T | None:
        """One of the objects."""
        with self._lock:
            return self._objects.get(key)

    async def run(self) -> None:
        """List and watch."""
        clock, failures = asyncio.get_running_loop().time, 0
        while True:
            began = clock()
            try:
                if self._version is None:
                    await self._list()
                async with asyncio.timeout_at(self._listed_at + self._relist_seconds):
                    await self._watch()
            except TimeoutError:
                self._version = None
            except (httpx2.HTTPError, msgspec.MsgspecError) as error:
                failures = failures + 1 if clock() - began < _STABLE_SECONDS else 1
                refused = isinstance(error, httpx2.HTTPStatusError)  # 410 and all other refusals
                if refused or failures > _RESUMES:
                    self._version = None
                log.warning("watch_failed", kind=self._kind, error=str(error) or type(error).__name__)
                await asyncio.sleep(backoff_seconds(failures, _FIRST_SECONDS))

    @property
    def _kind(self) -> str:
        return self._resource.__name__

    async def _list(self) -> None:
        started = asyncio.get_running_loop().time()
        listed: dict[SiteKey, T] = {}
        pages = self._client.list(self._resource, namespace=self._namespace, chunk_size=_PAGE)
        async for each in pages:
            listed[_key(each)] = self._unchanged(each) or self._handler.read(each)
        with self._lock:
            before, self._objects = self._objects, listed
        self._version, self._listed_at = pages.resourceVersion, started
        for key in before.keys() | listed.keys():
            self._handler.changed(Change(key, before.get(key), listed.get(key), by_event=False))
        self.listed, self.was_empty = True, not listed

    def _unchanged(self, each: RawObject) -> T | None:
        """The kept object if it has the same version: others hold it as well, and memory for a second is saved."""
        kept = self._objects.get(_key(each))
        return kept if kept is not None and kept.version == each["metadata"]["resourceVersion"] else None

    async def _watch(self) -> None:
        events = self._client.watch(
            self._resource,
            namespace=self._namespace,
            resource_version=self._version,
            server_timeout=int(self._relist_seconds),
        )
        async for kind, each in events:
            key, now = _key(each), None if kind == "DELETED" else self._handler.read(each)
            with self._lock:
                before = self._objects.pop(key, None)
                if now is not None:
                    self._objects[key] = now
            self._version = each["metadata"]["resourceVersion"]
            self._handler.changed(Change(key, before, now, by_event=True))


def _key(each: RawObject) -> SiteKey:
    metadata = each["metadata"]
    return SiteKey(metadata["namespace"], metadata["name"])
