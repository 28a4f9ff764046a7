"""Pushes numbered commits, and measures when each is live."""

import contextlib
import random
import time
from pathlib import Path

from bench.soak.process import SyncerProcess
from bench.soak.syncer import NAMESPACE, SITES
from tests.support.git_server import GitServer


class Pushes:
    """Pushes numbered commits, and measures when each is live."""

    def __init__(self, root: Path, server: GitServer, syncer: SyncerProcess, chance: random.Random) -> None:
        self.live = root / "volume/live" / NAMESPACE
        self.names = [f"site{number}" for number in range(SITES)]
        self.newest = dict.fromkeys(self.names, 0)
        self.seconds: list[float] = []
        self._repositories = {name: server.repository(name) for name in self.names}
        self._syncer = syncer
        self._chance = chance
        self._waiting: list[tuple[str, int, float]] = []

    def push(self, name: str) -> None:
        """Push one more commit. The notification of the syncer may be lost or doubled."""
        self.newest[name] = number = self.newest[name] + 1
        same = {f"same/{each}.html": f"same {each} " * 200 for each in range(30)} if number == 1 else {}
        blob = {f"blob/{number % 3}": self._chance.randbytes(self._chance.randrange(1, 200_000))}
        self._repositories[name].commit({"a": f"{number} of a", "b/b": f"{number} of b", **same, **blob})
        self._waiting.append((name, number, time.monotonic()))
        for _ in range(self._chance.choice((0, 1, 1, 1, 2))):  # lost, sent once, or doubled
            self._syncer.tell(name)

    def shown(self, name: str) -> int:
        """The number of the live commit, or 0."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.live / name / "a").read_text().split()[0])
        return 0

    def look(self) -> None:
        """Record the pushes that have gone live."""
        now, shown = time.monotonic(), {name: self.shown(name) for name in self.names}
        self.seconds += [now - since for name, number, since in self._waiting if shown[name] >= number]
        self._waiting = [each for each in self._waiting if shown[each[0]] < each[1]]

    def wait(self, seconds: float) -> float:
        """Wait until all pushes are live, and return the seconds. Raises TimeoutError."""
        start = time.monotonic()
        while any(self.shown(name) != number for name, number in self.newest.items()):
            if time.monotonic() - start > seconds:
                raise TimeoutError(f"not live after {seconds:.0f} s: {self.newest} but {self.status()}")
            time.sleep(0.05)
        self.look()
        return time.monotonic() - start

    def status(self) -> dict[str, int]:
        """The number of the live commit of each site."""
        return {name: self.shown(name) for name in self.names}
