"""Git children: each way to start one is limited, bounded and reaped alike."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from syncer.errors import GitFailed, TimedOut
from syncer.git.children import Child, Streams, by_fork, by_vfork
from syncer.git.process import Ended, GitProcesses, Job
from syncer.limits import ProcessLimits
from tests.support.serving import eventually, running_commands

WAYS = pytest.mark.parametrize("start", [by_fork, by_vfork])
LIMITS = ProcessLimits(cpu_seconds=7)
SYNCER = """
import os, sys
from syncer.git.children import Streams, by_fork
from syncer.limits import ProcessLimits
with open(sys.argv[1], "rb") as stdin, open(os.devnull, "wb") as nowhere:
    streams = Streams(stdin, nowhere, nowhere)
    by_fork([sys.argv[2], "hash-object", "--stdin"], {"PATH": os.environ["PATH"]}, streams, ProcessLimits()).wait()
"""


def job(*arguments: str, seconds: float = 20) -> Job:
    return Job(arguments, {"PATH": os.environ["PATH"]}, seconds, "--git-transfer-time", LIMITS)


class Waiting:
    """A git that waits for questions until its stdin ends."""

    def __init__(self, start: Callable[..., Child], tmp_path: Path) -> None:
        read_end, self.write_end = os.pipe()
        with os.fdopen(read_end, "rb") as stdin, tempfile.TemporaryFile() as nowhere:
            arguments = (f"--git-dir={tmp_path}", "hash-object", "--stdin")
            self.child = start(arguments, job().environment, Streams(stdin, nowhere, nowhere), LIMITS)

    def end(self) -> int:
        os.close(self.write_end)
        return self.child.wait()


@WAYS
def test_a_child_has_a_session_and_limits_of_its_own(start: Callable[..., Child], tmp_path: Path) -> None:
    git = Waiting(start, tmp_path)
    try:
        assert os.getsid(git.child.pid) == git.child.pid
        limits = Path(f"/proc/{git.child.pid}/limits").read_text()
        assert "Max cpu time              7                    12 " in limits
        assert "Max core file size        0                    0 " in limits
        assert not git.child.ends_within(0)
    finally:
        assert git.end() == 0
    assert git.child.ends_within(0)


def test_f1_no_git_outlives_a_killed_syncer(tmp_path: Path) -> None:
    """Its input is held open, as by a server that goes on sending."""
    fifo = tmp_path / "stdin"
    os.mkfifo(fifo)
    held_open = os.open(fifo, os.O_RDWR)  # waits for no reader
    syncer = subprocess.Popen([sys.executable, "-c", SYNCER, fifo, f"--git-dir={tmp_path}"])
    try:
        eventually(lambda: running_commands(f"git --git-dir={tmp_path}"))
        syncer.kill()
        eventually(lambda: not running_commands(f"git --git-dir={tmp_path}"))
    finally:
        os.close(held_open)
        syncer.kill()
        syncer.wait()


@WAYS
def test_a_killed_child_says_by_what(start: Callable[..., Child], tmp_path: Path) -> None:
    git = Waiting(start, tmp_path)
    os.killpg(git.child.pid, signal.SIGKILL)
    assert git.end() == -signal.SIGKILL


def test_what_git_says_of_a_mistake_is_kept() -> None:
    with tempfile.TemporaryFile() as stdout:
        ended = GitProcesses().run(job("no-such-command"), stdout)
    assert ended.code == 1
    assert b"no-such-command" in ended.stderr


def test_a_conversation_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    processes = GitProcesses()
    slow = job("hash-object", "--stdin", seconds=0.3)
    with (
        pytest.raises(TimedOut, match=r"within 0\.3 seconds, the limit of --git-transfer-time"),
        processes.converse(slow) as git,
    ):
        assert git.stdout.read() == b""


def test_closing_ends_what_runs_and_nothing_starts_afterwards() -> None:
    processes = GitProcesses()
    ended: list[Ended | None] = []
    begun = threading.Event()

    def talk() -> None:
        with processes.converse(job("hash-object", "--stdin")) as git:
            begun.set()
            git.stdout.read()
        ended.append(git.ended)

    thread = threading.Thread(target=talk)
    thread.start()
    assert begun.wait(20)
    processes.close()
    thread.join(20)
    assert [each and each.code for each in ended] == [-signal.SIGTERM]
    with pytest.raises(GitFailed, match="stopping"):
        processes.run(job("version"), io.BytesIO())
