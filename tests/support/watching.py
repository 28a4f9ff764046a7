"""The objects of an API server, by a watch: repeated lists of thousands of objects would use a core of it."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx2
from lightkube import ALL_NS, Client, KubeConfig

from tests.support.control_plane import RESOURCES, Cluster

Key = tuple[str, str]


class Watch:
    """Counts the objects of some kinds, and those that are ready. Use it as a context manager."""

    def __init__(self, cluster: Cluster, *kinds: str) -> None:
        self._client = Client(config=KubeConfig.from_file(cluster.kubeconfig))
        self._versions: dict[str, dict[Key, str]] = {kind: {} for kind in kinds}
        self._ready: dict[str, set[Key]] = {kind: set() for kind in kinds}
        self._changed = threading.Condition()
        self._stopping = False
        self._threads = [threading.Thread(target=self._follow, args=(kind,), daemon=True) for kind in kinds]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._client.close()

    def count(self, kind: str) -> int:
        """The number of objects of the kind."""
        return len(self._versions[kind])

    def ready(self, kind: str) -> int:
        """The number of objects of the kind that are ready."""
        return len(self._ready[kind])

    def has(self, kind: str, name: str, namespace: str) -> bool:
        """Whether the object exists."""
        return (namespace, name) in self._versions[kind]

    def is_ready(self, kind: str, name: str, namespace: str) -> bool:
        """Whether the object exists and is ready."""
        return (namespace, name) in self._ready[kind]

    def versions(self, kind: str) -> dict[Key, str]:
        """The resourceVersion of each object."""
        with self._changed:
            return dict(self._versions[kind])

    def until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Wait until the condition holds. It is checked after each change, so it has to be cheap."""
        deadline = time.monotonic() + seconds
        with self._changed:
            assert self._changed.wait_for(holds, deadline - time.monotonic()), "the condition was not met in time"

    def _follow(self, kind: str) -> None:
        try:
            # From version 0, the watch begins with all existing objects.
            for event, each in self._client.watch(RESOURCES[kind], namespace=ALL_NS, resource_version="0"):
                self._note(kind, event, each)
        except (httpx2.HTTPError, RuntimeError):
            if not self._stopping:
                raise

    def _note(self, kind: str, event: str, each: Any) -> None:
        metadata = each["metadata"]
        key = (metadata["namespace"], metadata["name"])
        conditions = (each.get("status") or {}).get("conditions", [])
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        with self._changed:
            if event == "DELETED":
                self._versions[kind].pop(key, None)
            else:
                self._versions[kind][key] = metadata["resourceVersion"]
            (self._ready[kind].add if ready and event != "DELETED" else self._ready[kind].discard)(key)
            self._changed.notify_all()
