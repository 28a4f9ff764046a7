"""One git child with a session, limits and a clock of its own; none of its processes outlives it."""

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

    It may take ``seconds``, which the operator sets with the option ``flag``, and what the ``limits`` allow.
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


class Conversation:
    """A child's stdin and stdout. ``ended`` says how it ended, once the conversation is over."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.ended: Ended | None = None


class _Running:
    """A child with its clock."""

    def __init__(self, child: Child, job: Job, stderr: IO[bytes]) -> None:
        self.child = child
        self._job = job
        self._stderr = stderr
        self._overdue = threading.Event()

    def stop(self) -> None:
        self._overdue.set()
        _signal_group(self.child, signal.SIGTERM)

    def wait(self) -> Ended:
        code = self.child.wait()
        if self._overdue.is_set():
            limit = f"{self._job.seconds:g} seconds, the limit of {self._job.flag}"
            raise TimedOut(f"git did not finish within {limit}; the syncer tries again later")
        self._stderr.seek(0)
        return Ended(code, self._stderr.read(_MAX_STDERR))


class GitProcesses:
    """Starts git. After ``close`` no child is left and none can be started."""

    def __init__(self) -> None:
        self._running: dict[int, Child] = {}
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Stop every child; threads that wait for one get its failure."""
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
            self._child(job, by_fork, Streams(nothing, stdout, stderr)) as running,
        ):
            return running.wait()

    @contextmanager
    def converse(self, job: Job) -> Iterator[Conversation]:
        """Start the child, and wait for its end once the caller is through. Raises TimedOut."""
        with (
            _pipe() as (child_input, stdin),
            _pipe() as (stdout, child_output),
            tempfile.TemporaryFile() as stderr,
            self._child(job, by_vfork, Streams(child_input, child_output, stderr)) as running,
        ):
            child_input.close()
            child_output.close()
            conversation = Conversation(stdin, stdout)
            yield conversation
            stdin.close()
            conversation.ended = running.wait()

    @contextmanager
    def _child(self, job: Job, start: Start, streams: Streams) -> Iterator[_Running]:
        running = _Running(self._start(job, start, streams), job, streams.stderr)
        clock = threading.Timer(job.seconds, running.stop)
        clock.daemon = True
        clock.start()
        try:
            yield running
        finally:
            clock.cancel()
            self._reap(running.child)

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
        # Killing git alone would leave its git-remote-https running, which goes on downloading.
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
