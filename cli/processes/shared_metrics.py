"""One page of metrics for a command with several worker processes.

Each worker counts in its own files, in a shared folder, and any worker can report the sum. The files are named after a
worker's seat, not its process: the successor of a worker that died takes its seat and continues its counts, so that
nothing is lost and there are never more files than seats.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.processes.listener import Listener

if TYPE_CHECKING:  # the parent of the workers only waits, and should be small
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker


_MEMORY = Path("/dev/shm")  # noqa: S108 - for a folder in it that only we can read


class SharedMetrics:
    """The shared folder, its seats and the port. Created before the workers."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._seats: dict[int, int] = {}  # by the worker's age, a number that gunicorn never reuses

    @contextmanager
    def folder(self) -> Iterator[None]:
        """Keep the folder while the workers run."""
        parent = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        folder = tempfile.mkdtemp(prefix="pages-metrics-", dir=parent)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # prometheus-client reads it
        owner = os.getpid()
        try:
            yield
        finally:
            if os.getpid() == owner:  # not a worker that exits
                shutil.rmtree(folder, ignore_errors=True)

    def seat(self, arbiter: "Arbiter", worker: "Worker") -> None:
        """In the parent: give a new worker the first free seat."""
        alive = {each.age for each in arbiter.WORKERS.values()}
        self._seats = {age: seat for age, seat in self._seats.items() if age in alive}
        self._seats[worker.age] = next(seat for seat in range(len(alive) + 1) if seat not in self._seats.values())

    def take(self, worker: "Worker") -> None:
        """In the worker, before the first count: use the files of its seat."""
        from prometheus_client import values  # noqa: PLC0415

        seat = self._seats[worker.age]
        values.ValueClass = values.MultiProcessValue(lambda: seat)  # type: ignore[no-untyped-call] # theirs

    def show(self) -> None:
        """In the worker: serve the sum, on the port that all workers share."""
        from prometheus_client import CollectorRegistry  # noqa: PLC0415
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        from pages import metrics  # noqa: PLC0415

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # theirs
        self._listener.start(metrics.create_app(metrics.of_all_processes(registry)))
