"""The two ways to start git, each in a session of its own.

``sh`` forks the syncer, which takes longer the more memory that has: 5 ms of CPU for a child that itself needs one
(docs/decisions/0010-asking-and-fetching.md). That is nothing where git speaks with a server, and most of the time where
it only checks a pack or reads objects, as it does for every push.
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
    """What a child reads from and writes to."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]


class Child(Protocol):
    """A started git; ``pid`` is its process group as well."""

    @property
    def pid(self) -> int:
        """The process."""

    def wait(self) -> int:
        """The exit code once it has ended, negative for a signal."""

    def ends_within(self, seconds: float) -> bool:
        """Whether it has ended by then."""


def by_fork(arguments: Sequence[str], environment: dict[str, str], streams: Streams, limits: ProcessLimits) -> Child:
    """A git that speaks with servers: it is limited before it is git.

    It ends with the thread that starts it, even where that is killed: its input is the server's, which may never end.
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
            _close_fds=False,  # Python's own are closed on exec anyway, without a look at each
            _preexec_fn=lambda: _prepare(limits),
        )
    )


def by_vfork(arguments: Sequence[str], environment: dict[str, str], streams: Streams, limits: ProcessLimits) -> Child:
    """A git that does what it is told on its stdin, and ends with it: it is limited before it is told anything."""
    process = subprocess.Popen(  # it is waited for by who reaps it
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
    # At SIGTERM git removes its locks; its helper has nobody to write to then, and is given up by http.lowSpeedTime.
    _LIBC.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))
    _limit(0, limits)


def _limit(pid: int, limits: ProcessLimits) -> None:
    _lower(pid, resource.RLIMIT_CORE, 0)
    _lower(pid, resource.RLIMIT_FSIZE, limits.file_bytes)
    # At the hard limit a process is killed; at the soft one it dies of a signal that says why.
    _lower(pid, resource.RLIMIT_CPU, limits.cpu_seconds, hard=limits.cpu_seconds + _SECONDS_TO_DIE)
    _lower(pid, resource.RLIMIT_NOFILE, limits.open_files)
    _lower(
        pid, resource.RLIMIT_AS, limits.memory_bytes
    )  # the last, for a fork is as large as the syncer until git runs


def _lower(pid: int, kind: int, soft: int, *, hard: int | None = None) -> None:
    """Set a limit, or leave a lower one that is there already."""
    already = resource.getrlimit(kind)[1]
    most = sys.maxsize if already == resource.RLIM_INFINITY else already
    resource.prlimit(pid, kind, (min(soft, most), min(soft if hard is None else hard, most)))
