"""One git child: its own session, limits and wall clock, and nothing of it left afterwards."""

import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import IO

import sh

from syncer.errors import GitFailed, TimedOut
from syncer.limits import ProcessLimits

_MAX_STDERR = 1 << 16
_SECONDS_TO_DIE = 5
_ANY_EXIT_CODE = tuple(range(-64, 256))  # we read the code ourselves


@dataclass(frozen=True)
class Job:
    """What to run. ``environment`` is the whole environment; without ``stdin`` there is nothing to read.

    It may take ``seconds``, which the operator sets with the ``flag``.
    """

    arguments: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    seconds: float
    flag: str
    stdin: IO[bytes] | None = None


@dataclass(frozen=True)
class Ended:
    """How a child ended; ``stderr`` is cut to 64 KiB."""

    code: int
    stderr: bytes


class GitProcesses:
    """Starts git; after ``close`` no child is left and none can be started."""

    def __init__(self, limits: ProcessLimits) -> None:
        self._limits = limits
        self._git = sh.Command("git")
        self._running: dict[int, sh.RunningCommand] = {}
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
        """Run to the end. Raises TimedOut."""
        with tempfile.TemporaryFile() as stderr, self._child(job, stdout, stderr) as wait:
            return wait()

    @contextmanager
    def converse(self, job: Job, check: Callable[[Ended], None]) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """The child's stdin and stdout, while it runs; ``check`` sees how it ended, once the body is through."""
        with (
            _pipe() as (child_input, stdin),
            _pipe() as (stdout, child_output),
            tempfile.TemporaryFile() as stderr,
            self._child(replace(job, stdin=child_input), child_output, stderr) as wait,
        ):
            child_input.close()
            child_output.close()
            yield stdin, stdout
            stdin.close()
            check(wait())

    @contextmanager
    def _child(self, job: Job, stdout: IO[bytes], stderr: IO[bytes]) -> Iterator[Callable[[], Ended]]:
        command = self._start(job, stdout, stderr)
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            _signal_group(command, signal.SIGTERM)

        clock = threading.Timer(job.seconds, stop)
        clock.daemon = True
        clock.start()

        def wait() -> Ended:
            command.wait()
            if overdue.is_set():
                limit = f"{job.seconds:g} seconds, the limit of {job.flag}"
                raise TimedOut(f"git did not finish within {limit}; it is tried again later")
            stderr.seek(0)
            return Ended(command.exit_code, stderr.read(_MAX_STDERR))

        try:
            yield wait
        finally:
            clock.cancel()
            self._reap(command)

    def _start(self, job: Job, stdout: IO[bytes], stderr: IO[bytes]) -> sh.RunningCommand:
        with self._lock, open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device, not a file of ours
            if self._closed:
                raise GitFailed("the syncer is stopping")
            command = self._git(
                *job.arguments,
                _env=job.environment,
                _in=job.stdin or nothing,
                _out=stdout,
                _err=stderr,
                _bg=True,
                _ok_code=_ANY_EXIT_CODE,
                _new_session=True,
                _close_fds=False,  # Python's own are closed on exec anyway, without a look at each
                _preexec_fn=self._limit,
            )
            self._running[command.pid] = command
        return command

    def _limit(self) -> None:
        limits = self._limits
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
        # At the hard limit a process is killed; at the soft one it dies of a signal that says why.
        _lower(resource.RLIMIT_CPU, limits.cpu_seconds, hard=limits.cpu_seconds + _SECONDS_TO_DIE)
        _lower(resource.RLIMIT_NOFILE, limits.open_files)
        _lower(resource.RLIMIT_AS, limits.memory_bytes)  # the last, for we are a copy of the syncer until git runs

    def _reap(self, command: sh.RunningCommand) -> None:
        if command.is_alive():
            _signal_group(command, signal.SIGTERM)
            with suppress(sh.TimeoutException):
                command.wait(timeout=_SECONDS_TO_DIE)
        # Killing git alone would leave its git-remote-https running (threats, fact 7).
        _signal_group(command, signal.SIGKILL)
        command.wait()
        with self._lock:
            del self._running[command.pid]


@contextmanager
def _pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The two ends of a pipe: read, write."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb", buffering=1 << 18) as reader, os.fdopen(write_end, "wb", buffering=0) as writer:
        yield reader, writer


def _lower(kind: int, soft: int, *, hard: int | None = None) -> None:
    """Set a limit, or leave a lower one that is there already."""
    already = resource.getrlimit(kind)[1]
    most = sys.maxsize if already == resource.RLIM_INFINITY else already
    resource.setrlimit(kind, (min(soft, most), min(soft if hard is None else hard, most)))


def _signal_group(command: sh.RunningCommand, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(command.pid, number)
