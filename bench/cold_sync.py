"""How long until 200 small repositories are published, against cloning them one after another?

Run: python -m bench.cold_sync
"""

import multiprocessing
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import tabulate

from bench.syncing import Source, syncer_of
from tests.support.git_server import GitServer
from tests.support.repositories import ENVIRONMENT, Repository

REPOSITORIES = 200
FILES = 30
ROUNDS = 3
GOAL = "goal: at most half the time of the clones"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        print(f"making {REPOSITORIES} repositories of {FILES} files …", flush=True)
        for number in range(REPOSITORIES):
            content = f"<p>{number}</p>" + "lorem ipsum " * 80
            Repository(root / f"repositories/r{number}.git").commit(
                {f"d{file % 5}/f{file}.html": f"{content}{file}" for file in range(FILES)}
            )
        rows = []
        with served(root / "repositories") as origin:
            for number in range(1, ROUNDS + 1):
                clones = time_of_clones(origin, root / f"clones{number}")
                ours = time_of_syncer(origin, root / f"sites{number}")
                rows.append((number, clones, ours, ours / clones))
        print(tabulate.tabulate(rows, headers=("round", "git clone s", "syncer s", "ratio"), floatfmt=".2f"))
        print(GOAL)


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The repositories over smart HTTP, from a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(root, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _serve(root: Path, pipe: Connection) -> None:
    with GitServer(root) as server:
        pipe.send(server.origin)
        pipe.recv()


def time_of_clones(origin: str, target: Path) -> float:
    """Seconds of `git clone --depth=1` of each, one after another."""
    target.mkdir()
    start = time.perf_counter()
    for number in range(REPOSITORIES):
        command = ["git", "clone", "--quiet", "--depth=1", f"{origin}/r{number}.git", str(target / str(number))]
        subprocess.run(command, env=ENVIRONMENT, check=True)
    return time.perf_counter() - start


def time_of_syncer(origin: str, target: Path) -> float:
    """Seconds until the syncer, started on an empty volume, has all of them live."""
    all_live = threading.Event()
    left = REPOSITORIES

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            all_live.set()

    sources = [Source(f"r{number}", f"{origin}/r{number}.git") for number in range(REPOSITORIES)]
    start = time.perf_counter()
    with syncer_of(sources, target, hosts=origin, done=count):
        all_live.wait()
        seconds = time.perf_counter() - start
    live = len(list(target.glob("volume/live/*/*")))
    if live != REPOSITORIES:
        raise SystemExit(f"only {live} sites are live")
    return seconds


if __name__ == "__main__":
    main()
