"""What the schedule is made of: its keys' entries, the lanes they wait in, the runs and their results."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Self, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Capacity:
    """How many runs there are at a time: in all, at one host, and of one namespace."""

    workers: int = 4
    per_host: int = 3
    per_namespace: int = 3
    slow_seconds: float = 5.0

    @classmethod
    def of(cls, workers: int, per_host: int | None = None, per_namespace: int | None = None) -> Self:
        """By default, no host and no namespace gets the last worker."""
        most = max(1, workers - 1)
        return cls(workers, per_host or most, per_namespace or most)

    @property
    def suspects(self) -> int:
        """How many of the runs may be of keys that failed last, or that are new at a host that fails or hangs."""
        return max(1, self.workers // 2)

    @property
    def slow(self) -> int:
        """How many runs do not count as workers because they have taken longer than ``slow_seconds``."""
        return self.workers


@dataclass(frozen=True)
class Backoff:
    """How long a key waits after it has failed: twice as long each time, within these bounds."""

    first_seconds: float = 30.0
    max_seconds: float = 1800.0
    jitter: float = 0.2

    def seconds(self, failures: int, interval: float) -> float:
        """The wait after so many failures in a row; the first is never longer than the interval."""
        first = min(self.first_seconds, interval)
        return min(first * 2.0 ** min(failures - 1, 16), self.max_seconds)

    def spread(self, seconds: float, chance: float) -> float:
        """The wait, moved by the jitter at most; ``chance`` is from 0 to 1."""
        return seconds * (1 - self.jitter + 2 * self.jitter * chance)


@dataclass(frozen=True)
class EntrySpec:
    """How often a key is due, and where it belongs: keys with the same ``group`` are run together."""

    interval: float
    group: Hashable
    host: str
    namespace: str


@dataclass(frozen=True)
class Result:
    """How a run went for one key: whether its host answered, and if it failed, how long the next one waits at most."""

    well: bool
    at_most: float = float("inf")
    host_answers: bool = True


@dataclass(eq=False)
class Run(Generic[K]):
    """Keys of one group, which one worker runs together."""

    keys: tuple[K, ...]
    group: Hashable
    host: str
    namespace: str
    suspect: bool
    since: float


class Lane(NamedTuple):
    """Entries that are held up, or not, by the same things."""

    namespace: str
    host: str
    proven: bool
    failed: bool
    urgent: bool


@dataclass(frozen=True)
class Blocked:
    """Where no further run may start."""

    hosts: set[str]
    namespaces: set[str]
    suspects: bool
    bad_hosts: set[str]

    def blocks(self, lane: Lane) -> bool:
        """Whether the entries of the lane have to wait."""
        full = lane.host in self.hosts or lane.namespace in self.namespaces
        return full or (self.suspects and self.is_suspect(lane))

    def is_suspect(self, lane: Lane) -> bool:
        """A site that did well once is not blamed for its host: another site may be to blame."""
        return lane.failed or (not lane.proven and lane.host in self.bad_hosts)


@dataclass(eq=False)
class Entry(Generic[K]):
    """A key and when it is due. ``again``: it was asked for while it was run."""

    key: K
    spec: EntrySpec
    due: float
    failures: int = 0
    proven: bool = False
    running: bool = False
    urgent: bool = True  # new, or a user waits for it
    again: bool = False
    removed: bool = False
    lane: Lane | None = None

    def note(self, result: Result) -> None:
        """Count how a run of it ended."""
        self.running = False
        self.proven = self.proven or result.well
        self.failures = 0 if result.well else self.failures + 1


class Backlog(NamedTuple):
    """How many keys there are, are being run, and are due but not run; and how long the oldest of these has waited."""

    keys: int
    running: int
    due: int
    oldest_seconds: float
