"""One page of metrics for a command of several worker processes.

Each worker counts into files of its own, in a folder that they share, and any of them shows the sum of all. The files
are named after a worker's seat and not its process: whoever takes the place of one that died counts on where it
stopped, so that nothing is forgotten and there are never more files than seats.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.processes.listener import Listener

if TYPE_CHECKING:  # the process above the workers only waits, and should be small
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker


_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, readable by us alone


class SharedMetrics:
    """Made before the workers are."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._seats: dict[int, int] = {}  # by the worker's age, a number that gunicorn gives once

    @contextmanager
    def folder(self) -> Iterator[None]:
        """Have the folder while the workers run."""
        parent = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        folder = tempfile.mkdtemp(prefix="pages-metrics-", dir=parent)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # which prometheus-client looks for
        owner = os.getpid()
        try:
            yield
        finally:
            if os.getpid() == owner:  # and no worker on its way out
                shutil.rmtree(folder, ignore_errors=True)

    def seat(self, arbiter: "Arbiter", worker: "Worker") -> None:
        """Above the workers: give a new one the first seat that no living one has."""
        alive = {each.age for each in arbiter.WORKERS.values()}
        self._seats = {age: seat for age, seat in self._seats.items() if age in alive}
        self._seats[worker.age] = next(seat for seat in range(len(alive) + 1) if seat not in self._seats.values())

    def take(self, worker: "Worker") -> None:
        """In the worker, before anything is counted: count into the files of its seat."""
        from prometheus_client import values  # noqa: PLC0415

        seat = self._seats[worker.age]
        values.ValueClass = values.MultiProcessValue(lambda: seat)  # type: ignore[no-untyped-call] # theirs

    def show(self) -> None:
        """In the worker: answer, as the others do on the same port."""
        from prometheus_client import CollectorRegistry  # noqa: PLC0415
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        from pages import metrics  # noqa: PLC0415

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # theirs
        self._listener.start(metrics.create_app(metrics.of_all_processes(registry)))
