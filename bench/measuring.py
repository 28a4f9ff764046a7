"""What processes cost: CPU and memory, with their children; and waiting without disturbing much."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PATIENCE_SECONDS = 300.0


class GivenUp(Exception):
    """It did not come true in 5 minutes."""


def wait_for(holds: Callable[[], bool], pause: float = 0.001) -> float:
    """Seconds until it holds. Raises GivenUp."""
    start = time.perf_counter()
    while not holds():
        if time.perf_counter() - start > PATIENCE_SECONDS:
            raise GivenUp
        time.sleep(pause)
    return time.perf_counter() - start


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU so far, with that of children that have ended."""
    ticks = sum(int(field) for pid in family(pids) for field in _stat(pid)[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def megabytes(pids: Iterable[int]) -> float:
    """Proportional set size: what several of them share is counted once."""
    return sum(_pss(pid) for pid in family(pids)) / 1024


def family(pids: Iterable[int]) -> set[int]:
    """The processes and all that descend from them."""
    parents = {int(each.name): _stat(int(each.name))[1:2] for each in Path("/proc").glob("[0-9]*")}
    found = set(pids)
    while more := {pid for pid, parent in parents.items() if parent and int(parent[0]) in found} - found:
        found |= more
    return found


def _stat(pid: int) -> list[str]:
    """The fields after the name; zeros for one that has ended."""
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
