"""One git child: its own session, limits and wall clock, and nothing of it left afterwards."""

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

from syncer.errors import GitFailed, TimedOut
from syncer.git.children import Child, Streams, by_fork, by_vfork
from syncer.limits import ProcessLimits

_MAX_STDERR = 1 << 16
_SECONDS_TO_DIE = 5

Start = Callable[[Sequence[str], dict[str, str], Streams, ProcessLimits], Child]


@dataclass(frozen=True)
class Job:
    """What to run. ``environment`` is the whole environment.

    It may take ``seconds``, which the operator sets with the ``flag``, and what the ``limits`` say.
    """

    arguments: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    seconds: float
    flag: str
    limits: ProcessLimits


@dataclass(frozen=True)
class Ended:
    """How a child ended; ``stderr`` is cut to 64 KiB."""

    code: int
    stderr: bytes


class GitProcesses:
    """Starts git; after ``close`` no child is left and none can be started."""

    def __init__(self) -> None:
        self._running: dict[int, Child] = {}
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Stop every child; those who wait for one see it fail."""
        with self._lock:
            self._closed = True
            running = list(self._running.values())
        for command in running:
            _signal_group(command, signal.SIGTERM)

    def run(self, job: Job, stdout: IO[bytes]) -> Ended:
        """Run to the end, with nothing to read. Raises TimedOut."""
        with (
            tempfile.TemporaryFile() as stderr,
            open(os.devnull, "rb") as nothing,  # noqa: PTH123 - a device, not a file of ours
            self._child(job, by_fork, Streams(nothing, stdout, stderr)) as wait,
        ):
            return wait()

    @contextmanager
    def converse(self, job: Job, check: Callable[[Ended], None]) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """The child's stdin and stdout, while it runs; ``check`` sees how it ended, once the body is through."""
        with (
            _pipe() as (child_input, stdin),
            _pipe() as (stdout, child_output),
            tempfile.TemporaryFile() as stderr,
            self._child(job, by_vfork, Streams(child_input, child_output, stderr)) as wait,
        ):
            child_input.close()
            child_output.close()
            yield stdin, stdout
            stdin.close()
            check(wait())

    @contextmanager
    def _child(self, job: Job, start: Start, streams: Streams) -> Iterator[Callable[[], Ended]]:
        child = self._start(job, start, streams)
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            _signal_group(child, signal.SIGTERM)

        clock = threading.Timer(job.seconds, stop)
        clock.daemon = True
        clock.start()

        def wait() -> Ended:
            code = child.wait()
            if overdue.is_set():
                limit = f"{job.seconds:g} seconds, the limit of {job.flag}"
                raise TimedOut(f"git did not finish within {limit}; it is tried again later")
            streams.stderr.seek(0)
            return Ended(code, streams.stderr.read(_MAX_STDERR))

        try:
            yield wait
        finally:
            clock.cancel()
            self._reap(child)

    def _start(self, job: Job, start: Start, streams: Streams) -> Child:
        with self._lock:
            if self._closed:
                raise GitFailed("the syncer is stopping")
            child = start(job.arguments, job.environment, streams, job.limits)
            self._running[child.pid] = child
        return child

    def _reap(self, child: Child) -> None:
        if not child.ends_within(0):
            _signal_group(child, signal.SIGTERM)
            child.ends_within(_SECONDS_TO_DIE)
        # Killing git alone would leave its git-remote-https running (threats, fact 7).
        _signal_group(child, signal.SIGKILL)
        child.wait()
        with self._lock:
            del self._running[child.pid]


@contextmanager
def _pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The two ends of a pipe: read, write."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb", buffering=1 << 18) as reader, os.fdopen(write_end, "wb", buffering=0) as writer:
        yield reader, writer


def _signal_group(child: Child, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
