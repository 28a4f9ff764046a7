"""All objects of one kind as the Kubernetes API has them: listed, then watched, and listed again now and then (F17)."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import httpx2
import msgspec
import structlog
from lightkube import AsyncClient
from lightkube.generic_resource import GenericNamespacedResource

from pages.api import SiteKey
from syncer.retries import backoff_seconds

log = structlog.get_logger(__name__)

Object = dict[str, Any]


class Versioned(Protocol):
    """What is made of an object, with its resourceVersion."""

    @property
    def version(self) -> str:
        """Another one after each change."""


T = TypeVar("T", bound=Versioned)
# The key; the object before and now (None where there was or is none); whether an event said so, or only a new list.
Observer = Callable[[SiteKey, T | None, T | None, bool], None]

RELIST_SECONDS = 600.0
_FIRST_SECONDS = 0.2
_PAGE = 100  # a page is in memory as it came, which is many times as large as what is kept of it
_RESUMES = 5  # a watch that fails more often in a row is given up for a new list
_STABLE_SECONDS = 60.0  # a watch that held as long has not failed in a row


class Informer(Generic[T]):
    """Keeps what ``read`` makes of the objects up to date; ``run`` is a coroutine that ends only when it is cancelled.

    A list that fails changes nothing. A watch that breaks off is resumed where it was. One that cannot be (410) begins
    anew with a list, and so does one that has run for ``relist_seconds``: a connection can be dead without a sound.
    """

    def __init__(
        self,
        client: AsyncClient,
        resource: type[GenericNamespacedResource],
        namespace: str,
        read: Callable[[Object], T],
        observe: Observer[T],
        *,
        relist_seconds: float = RELIST_SECONDS,
    ) -> None:
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._read = read
        self._observe = observe
        self._relist_seconds = relist_seconds
        self._lock = threading.Lock()
        self._objects: dict[SiteKey, T] = {}
        self._version: str | None = None  # where the watch goes on; None: with a new list
        self._listed_at = 0.0  # seconds of the event loop's clock
        self.listed = False  # whether every object has been observed once
        self.was_empty = False  # whether the last list had nothing in it

    def objects(self) -> dict[SiteKey, T]:
        """The objects as they were last seen, from any thread."""
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
                refused = isinstance(error, httpx2.HTTPStatusError)  # 410, and whatever else the server means
                if refused or failures > _RESUMES:
                    self._version = None
                log.warning("watch_failed", kind=self._kind, error=str(error) or type(error).__name__)
                await asyncio.sleep(backoff_seconds(failures, _FIRST_SECONDS))

    @property
    def _kind(self) -> str:
        return self._resource.__name__

    async def _list(self) -> None:
        started = asyncio.get_running_loop().time()
        found: dict[SiteKey, T] = {}
        pages = self._client.list(self._resource, namespace=self._namespace, chunk_size=_PAGE)
        async for each in pages:
            found[_key(each)] = self._known(each) or self._read(each)
        with self._lock:
            before, self._objects = self._objects, found
        self._version, self._listed_at = pages.resourceVersion, started
        for key in before.keys() | found.keys():
            self._observe(key, before.get(key), found.get(key), False)
        self.listed, self.was_empty = True, not found

    def _known(self, each: Object) -> T | None:
        """What we have of an object, where it is that version: two of each would be kept by those who have the old."""
        known = self._objects.get(_key(each))
        return known if known is not None and known.version == each["metadata"]["resourceVersion"] else None

    async def _watch(self) -> None:
        events = self._client.watch(
            self._resource,
            namespace=self._namespace,
            resource_version=self._version,
            server_timeout=int(self._relist_seconds),
        )
        async for kind, each in events:
            key, now = _key(each), None if kind == "DELETED" else self._read(each)
            with self._lock:
                before = self._objects.pop(key, None)
                if now is not None:
                    self._objects[key] = now
            self._version = each["metadata"]["resourceVersion"]
            self._observe(key, before, now, True)


def _key(each: Object) -> SiteKey:
    metadata = each["metadata"]
    return SiteKey(metadata["namespace"], metadata["name"])
