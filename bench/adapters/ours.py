"""Our syncer without a cluster; its store is a list. It imports what ``pages syncer`` imports, to compare memory."""

import gc
import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.adapters import Site


class Ours:
    """The peer."""

    name = "kup6s-pages"
    most_sites = 2_000

    @contextmanager
    def start(self, sites: Sequence[Site], origin: str, root: Path) -> Iterator["_Running"]:
        root.mkdir(parents=True)
        (root / "sites.json").write_text(json.dumps([asdict(site) for site in sites]))
        command = [sys.executable, "-m", "bench.adapters.ours", str(root), origin]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
            try:
                yield _Running(root, process)
            finally:
                process.communicate()  # the process stops at the end of its input


class _Running:
    def __init__(self, root: Path, process: "subprocess.Popen[str]") -> None:
        self._root = root
        self._process = process

    def live(self, site: Site) -> Path:
        return self._root / "volume/live/bench" / site.name

    def tell(self, repo: str) -> None:
        print(repo, file=self._process.stdin, flush=True)

    def processes(self) -> Iterable[int]:
        return [self._process.pid]


def main() -> None:
    """Sync the sites in ``sites.json``. Each line on stdin names a repository to sync now."""
    import structlog  # noqa: PLC0415 - not in the process that measures

    import syncer.cluster.cluster_syncer  # noqa: F401, PLC0415 - for comparable memory
    from bench.syncing import make_syncer  # noqa: PLC0415
    from syncer.sources import Source  # noqa: PLC0415

    root, origin = Path(sys.argv[1]), sys.argv[2]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    sites = [Site(**each) for each in json.loads((root / "sites.json").read_text())]
    made = make_syncer(sites, root, origin)
    gc.freeze()  # as in the worker of `pages syncer`
    thread = threading.Thread(target=made.syncer.run)
    thread.start()
    for line in sys.stdin:
        made.queue.hasten([Source(line.strip(), "main")])
    made.syncer.stop()
    made.workspace.git.close()
    thread.join()


if __name__ == "__main__":
    main()
