"""A syncer's inside in processes that may be killed at any step: `python -m tests.support.engine` forks them.

The parent is prepared once and has no threads, so that a fork costs milliseconds. It reads one line of JSON per round
and answers with one: how many steps the child took, and how it ended.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pages.api import StaticSite
from pages.core import Secret
from syncer import assembly
from syncer.disk.policy import DiskPolicy
from syncer.egress.hosts import AllowedHosts
from syncer.errors import SyncError
from syncer.limits import Limits, Timeouts
from syncer.settings import Settings
from syncer.sources import group
from tests.support.objects import parsed_site

# What Python says of before it does it: everything of ours that changes the disk, or starts a program.
_STEPS = {
    "os.chmod",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.utime",
    "os.fork",
}


@dataclass(frozen=True)
class Round:
    """One start of the syncer: sync once, collect, verify. It is killed before its step number ``kill_at``."""

    root: str
    repo: str
    kill_at: int = 0
    remove: bool = False
    grace_seconds: float = 0

    def killed_at(self, step: int) -> "Round":
        return replace(self, kill_at=step)

    def site(self) -> StaticSite:
        return parsed_site(metadata={"uid": "1"}, repo=self.repo)


@dataclass(frozen=True)
class Ended:
    """How it went: ``killed``, or the error, or neither."""

    steps: int
    killed: bool
    error: str


class Engine:
    """Starts syncers, one at a time. Use it as a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.engine"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

    @property
    def pid(self) -> int:
        return self._process.pid

    def begin(self, one: Round) -> None:
        """Start; ``end`` waits for it."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asdict(one)) + "\n")
        self._process.stdin.flush()

    def end(self) -> Ended:
        assert self._process.stdout
        return Ended(**json.loads(self._process.stdout.readline()))

    def run(self, one: Round) -> Ended:
        self.begin(one)
        return self.end()


def descendants(pid: int) -> dict[int, list[str]]:
    """All processes below one, with their command lines."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(stat.parent.name))
    found, below = [], [pid]
    while below:
        below = [child for each in below for child in parents.get(each, [])]
        found += below
    lines = {}
    for each in found:
        with contextlib.suppress(OSError):
            lines[each] = Path(f"/proc/{each}/cmdline").read_text(errors="replace").split("\0")
    return lines


def kill_descendants(pid: int) -> None:
    """SIGKILL to all below the process, as a container ends."""
    for each in descendants(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


class _NoSecrets:
    def secret(self, namespace: str, name: str) -> Secret | None:
        return None


def sync_once(one: Round) -> str:
    """Start, sync, keep house: what a syncer does in its first seconds."""
    settings = Settings(
        Path(one.root) / "volume",
        Path(one.root) / "mirrors",
        AllowedHosts((), local=True) if one.repo.startswith("file:") else AllowedHosts.parse(_origin(one.repo)),
        limits=Limits(timeouts=Timeouts(ask=10, transfer=30)),
        disk=DiskPolicy(grace_seconds=one.grace_seconds, keep_releases=0),
    )
    git = assembly.make_git(settings)
    workspace = assembly.make_workspace(settings, git)
    source_sync = assembly.make_source_sync(settings, workspace, _NoSecrets())
    releases, mirrors = workspace.releases, workspace.mirrors
    errors: list[str] = []
    releases.prepare()
    site = one.site()
    if one.remove:
        releases.take_offline(site.site_key)
    else:
        for source, sites in group([site]).items():
            for _, outcome in source_sync.run_all({source: sites}):
                if isinstance(outcome, SyncError):
                    errors.append(f"{outcome.reason}: {outcome}")
        mirrors.keep_only(group([site]))
    releases.collect()
    releases.verify()
    git.close()
    return "; ".join(errors)


def _origin(repo: str) -> str:
    return "/".join(repo.split("/")[:3])


def _child(one: Round, counter: int) -> None:
    steps = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if event in _STEPS or (event == "open" and _writes(arguments)):
            steps += 1
            os.pwrite(counter, steps.to_bytes(4, "little"), 0)
            if steps == one.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    error = sync_once(one)
    os.pwrite(counter, error.encode()[:4096], 4)


def _writes(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR)) and str(arguments[0]) != os.devnull


def _serve() -> None:
    for line in sys.stdin:
        counter = os.memfd_create("counter")
        os.ftruncate(counter, 4)
        child = os.fork()
        if child == 0:
            try:
                _child(Round(**json.loads(line)), counter)
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        os.lseek(counter, 0, os.SEEK_SET)
        read = os.read(counter, 5000)
        os.close(counter)
        killed = os.WIFSIGNALED(status)
        error = read[4:].decode(errors="replace") or ("" if killed or status == 0 else f"status {status}")
        print(json.dumps(asdict(Ended(int.from_bytes(read[:4], "little"), killed, error))), flush=True)


if __name__ == "__main__":
    _serve()
