"""Faults of a syncer, its disk and its git server. Each lasts a few seconds at most."""

import contextlib
import os
import random
import time
from collections import Counter
from pathlib import Path

from bench.soak.process import SyncerProcess
from bench.soak.syncer import NAMESPACE
from tests.support.relay import Relay


class Faults:
    """Causes random faults, and counts them."""

    def __init__(
        self, root: Path, syncer: SyncerProcess, relay: Relay, chance: random.Random, *, small_disk: bool
    ) -> None:
        self.done: Counter[str] = Counter()
        self._root = root
        self._syncer = syncer
        self._relay = relay
        self._chance = chance
        kinds = [
            self._kill,
            self._kill,
            self._kill,
            self._kill_git,
            self._spoil_server,
            self._damage,
            self._damage_mirror,
        ]
        self._kinds = [*kinds, self._fill_disk] if small_disk else kinds

    def one(self) -> None:
        """Cause one fault, which is over when this returns."""
        self._chance.choice(self._kinds)()

    def _kill(self) -> None:
        self.done[f"syncer killed while {self._syncer.phase()}"] += 1
        self._syncer.kill()

    def _kill_git(self) -> None:
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            if self._syncer.kill_git():
                self.done["git killed"] += 1
                return

    def _spoil_server(self) -> None:
        how = self._chance.choice(("slow", "cut off", "lying", "silent"))
        self.done[f"server {how}"] += 1
        match how:
            case "slow":
                self._relay.bytes_per_second = 50_000
            case "cut off":
                self._relay.cut_after = self._chance.randrange(100, 20_000)
            case "lying":
                self._relay.flip_at = self._chance.randrange(300, 5_000)
            case "silent":
                self._relay.silent = True
        time.sleep(self._chance.uniform(0.5, 3))
        if self._chance.random() < 0.5:  # noqa: PLR2004 - a coin
            self._kill()
        self._relay.heal()

    def _fill_disk(self) -> None:
        self.done["disk full"] += 1
        ballast = self._root / "volume/lost+found"
        with contextlib.suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        time.sleep(self._chance.uniform(0.5, 3))
        ballast.unlink()

    def _damage(self) -> None:
        """Damage a file that no reader reads, because readers would report it."""
        files = list(self._root.glob(f"volume/live/{NAMESPACE}/*/same/*.html"))
        with contextlib.suppress(OSError, IndexError):
            file = self._chance.choice(files)
            before = file.stat()
            with file.open("r+b") as stream:
                stream.write(b"X")
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            self.done["file damaged"] += 1

    def _damage_mirror(self) -> None:
        packs = list(self._root.glob("mirrors/*/objects/pack/*.pack"))
        with contextlib.suppress(OSError, IndexError):
            pack = self._chance.choice(packs)
            pack.chmod(0o644)
            os.truncate(pack, pack.stat().st_size // 2)
            self.done["mirror damaged"] += 1
