"""Any syncer with one process per site that syncs on SIGHUP, such as git-sync.

``OTHER_SYNCER`` is a command line with the placeholders {repo}, {branch}, {root} (a folder to work in) and {live}
(the path of the live checkout).
"""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.adapters import Site

GIT_SYNC = (
    "{} --repo={{repo}} --ref={{branch}} --root={{root}} --link={{live}} --depth=1 --period=1h "
    "--sync-on-signal=SIGHUP --max-failures=-1"
)


class PerSite:
    """The peer."""

    most_sites = 200

    def __init__(self, name: str, template: str) -> None:
        self.name = name
        self._template = template

    @contextmanager
    def start(self, sites: Sequence[Site], origin: str, root: Path) -> Iterator["_Running"]:  # noqa: ARG002 - a Peer's
        root.mkdir(parents=True)
        with ExitStack() as stack:
            yield _Running(root, {site: stack.enter_context(self._process(site, root)) for site in sites})

    @contextmanager
    def _process(self, site: Site, root: Path) -> Iterator["subprocess.Popen[bytes]"]:
        where = {"repo": site.repo, "branch": "main", "root": root / site.name, "live": root / site.name / "live"}
        command = [part.format(**where) for part in shlex.split(self._template)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
        with (
            Path(os.devnull).open("wb") as nothing,
            subprocess.Popen(command, env=environment, stdout=nothing, stderr=nothing) as process,
        ):
            try:
                yield process
            finally:
                process.terminate()


class _Running:
    def __init__(self, root: Path, running: "dict[Site, subprocess.Popen[bytes]]") -> None:
        self._root = root
        self._running = running

    def live(self, site: Site) -> Path:
        return self._root / site.name / "live" / site.path

    def tell(self, repo: str) -> None:
        for site, process in self._running.items():
            if site.repo == repo:
                process.send_signal(signal.SIGHUP)

    def processes(self) -> Iterable[int]:
        return [process.pid for process in self._running.values()]
