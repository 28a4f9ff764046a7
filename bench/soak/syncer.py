"""The syncer of the soak test: python -m bench.soak.syncer ROOT ORIGIN. It reads names of pushed sites from stdin."""

import os
import signal
import sys
import threading
from pathlib import Path

from pages.api import StaticSite, StaticSiteStatus
from pages.core import Secret
from syncer.assembly import World, assemble, make_git, make_workspace
from syncer.disk.policy import DiskPolicy
from syncer.egress.hosts import AllowedHosts
from syncer.limits import Limits, Timeouts
from syncer.settings import Settings
from syncer.stores import Snapshot

NAMESPACE = "soak"
SITES = 6
POLICY = DiskPolicy(grace_seconds=2, keep_releases=3, keep_free=0.02)


class Store:
    """A store in which a push raises the generation of a site, which makes it due at once. It discards statuses."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._generations = {f"site{number}": 1 for number in range(SITES)}

    def touch(self, name: str) -> None:
        """Raise the generation of a pushed site."""
        self._generations[name] += 1

    def snapshot(self) -> Snapshot:
        return Snapshot(sites=[self._site(name, generation) for name, generation in self._generations.items()])

    def secret(self, namespace: str, name: str) -> Secret | None:  # noqa: ARG002 - a Store's
        return None

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        pass

    def _site(self, name: str, generation: int) -> StaticSite:
        metadata = {"namespace": NAMESPACE, "name": name, "uid": name, "generation": generation}
        spec = {"repo": f"{self._origin}/{name}.git", "syncInterval": "10s"}
        return StaticSite.model_validate({"metadata": metadata, "spec": spec})


def main(root: Path, origin: str) -> None:
    """Sync until SIGTERM."""
    settings = Settings(
        root / "volume",
        root / "mirrors",
        AllowedHosts.parse(origin),
        limits=Limits(timeouts=Timeouts(ask=3, transfer=6)),
        disk=POLICY,
        housekeeping_seconds=1,
    )
    store = Store(origin)
    git = make_git(settings)
    syncer = assemble(settings, World(store, make_workspace(settings, git))).syncer

    def listen() -> None:
        for line in sys.stdin:
            store.touch(line.strip())
            syncer.store_changed()

    def stop(_number: int, _frame: object) -> None:
        git.close()
        syncer.stop()

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=listen, daemon=True).start()
    syncer.run()
    os._exit(0)  # the listening thread still waits for a line


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
