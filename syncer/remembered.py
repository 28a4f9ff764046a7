"""A memory whose size is bounded, because outsiders decide what is put into it."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """At most so many values by key; the one that was put longest ago is forgotten first. Callers lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value, if it is remembered. Reading does not keep it for longer."""
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        """Remember the value as the newest."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def forget(self, key: K) -> V | None:
        """The value, which is not remembered from now on."""
        return self._values.pop(key, None)
