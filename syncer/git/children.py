"""The two ways to start git, each in a session of its own.

``sh`` forks the syncer, which takes longer the more memory that has: 5 ms of CPU for a child that itself needs one
(docs/decisions/0010-asking-and-fetching.md). That is negligible where git talks to a server, but most of the
time where it only checks a pack or reads objects, as it does for every push.
"""

import ctypes
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, NamedTuple, Protocol

import sh

from syncer.limits import ProcessLimits

_ANY_EXIT_CODE = tuple(range(-64, 256))  # we read the code ourselves
_SECONDS_TO_DIE = 5
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class Streams(NamedTuple):
    """A child's stdin, stdout and stderr."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]


class Child(Protocol):
    """A started git; ``pid`` is its process group as well."""

    @property
    def pid(self) -> int:
        """The process."""

    def wait(self) -> int:
        """Wait for the end; return the exit code, negative for a signal."""

    def ends_within(self, seconds: float) -> bool:
        """Wait for so long; return whether it has ended."""


def by_fork(arguments: Sequence[str], environment: dict[str, str], streams: Streams, limits: ProcessLimits) -> Child:
    """Start a git that talks to servers; the limits hold before git runs.

    It ends with the thread that starts it, even if that is killed: the server's output may never end.
    """
    return _Forked(
        sh.Command("git")(
            *arguments,
            _env=environment,
            _in=streams.stdin,
            _out=streams.stdout,
            _err=streams.stderr,
            _bg=True,
            _ok_code=_ANY_EXIT_CODE,
            _new_session=True,
            _close_fds=False,  # Python closes its own on exec; closing all others one by one takes time
            _preexec_fn=lambda: _prepare(limits),
        )
    )


def by_vfork(arguments: Sequence[str], environment: dict[str, str], streams: Streams, limits: ProcessLimits) -> Child:
    """Start a git that takes commands on stdin and ends with it; the limits hold before the first command."""
    process = subprocess.Popen(  # GitProcesses waits for it
        ["git", *arguments],
        env=environment,
        stdin=streams.stdin,
        stdout=streams.stdout,
        stderr=streams.stderr,
        start_new_session=True,
        close_fds=False,
    )
    with suppress(ProcessLookupError):  # it has ended already
        _limit(process.pid, limits)
    return _Vforked(process)


class _Forked:
    def __init__(self, command: sh.RunningCommand) -> None:
        self._command = command

    @property
    def pid(self) -> int:
        pid: int = self._command.pid
        return pid

    def wait(self) -> int:
        code: int = self._command.wait().exit_code
        return code

    def ends_within(self, seconds: float) -> bool:
        try:
            self._command.wait(timeout=seconds)
        except sh.TimeoutException:
            return False
        return True


class _Vforked:
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self) -> int:
        return self._process.wait()

    def ends_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def _prepare(limits: ProcessLimits) -> None:
    # At SIGTERM git removes its locks. Its helper then has no reader, and ends by http.lowSpeedTime.
    _LIBC.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))
    _limit(0, limits)


def _limit(pid: int, limits: ProcessLimits) -> None:
    _lower(pid, resource.RLIMIT_CORE, 0)
    _lower(pid, resource.RLIMIT_FSIZE, limits.file_bytes)
    # The hard limit kills a process; the soft one sends a signal that tells the reason.
    _lower(pid, resource.RLIMIT_CPU, limits.cpu_seconds, hard=limits.cpu_seconds + _SECONDS_TO_DIE)
    _lower(pid, resource.RLIMIT_NOFILE, limits.open_files)
    _lower(
        pid, resource.RLIMIT_AS, limits.memory_bytes
    )  # last, because a fork is as large as the syncer until git runs


def _lower(pid: int, kind: int, soft: int, *, hard: int | None = None) -> None:
    """Set a limit, or keep a lower one."""
    hard_limit = resource.getrlimit(kind)[1]
    most = sys.maxsize if hard_limit == resource.RLIM_INFINITY else hard_limit
    resource.prlimit(pid, kind, (min(soft, most), min(soft if hard is None else hard, most)))
