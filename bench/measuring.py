"""Measures the CPU time and memory of processes with their children, and waits without causing much load."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PATIENCE_SECONDS = 300.0


class GivenUp(Exception):
    """A condition did not become true within 5 minutes."""


def wait_for(holds: Callable[[], bool], pause: float = 0.001) -> float:
    """Wait until the condition holds, and return the seconds that it took. Raises GivenUp."""
    start = time.perf_counter()
    while not holds():
        if time.perf_counter() - start > PATIENCE_SECONDS:
            raise GivenUp
        time.sleep(pause)
    return time.perf_counter() - start


def cpu_seconds(pids: Iterable[int]) -> float:
    """The CPU time so far, including children that have ended."""
    ticks = sum(int(field) for pid in family(pids) for field in _stat(pid)[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def megabytes(pids: Iterable[int]) -> float:
    """The proportional set size, in which shared memory counts once."""
    return sum(_pss(pid) for pid in family(pids)) / 1024


def family(pids: Iterable[int]) -> set[int]:
    """The processes and all their descendants."""
    parents = {int(each.name): _stat(int(each.name))[1:2] for each in Path("/proc").glob("[0-9]*")}
    members = set(pids)
    while more := {pid for pid, parent in parents.items() if parent and int(parent[0]) in members} - members:
        members |= more
    return members


def _stat(pid: int) -> list[str]:
    """The fields after the name; zeros if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 20


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
