"""Our syncer, compared with the alternatives, from a push to the live page.

Run: python -m bench.peers [QUESTION ...]
Set GIT_SYNC (a binary), KUP6S_PAGES (the syncer of kup6s/pages, a binary) and OTHER_SYNCER (a command line, see
adapters/per_site.py) to measure these as well.
"""

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import tabulate

from bench.adapters import Peer, Running, Site
from bench.adapters.kup6s import Kup6sPages
from bench.adapters.loop import Loop
from bench.adapters.ours import Ours
from bench.adapters.per_site import GIT_SYNC, PerSite
from bench.measuring import GivenUp, cpu_seconds, megabytes, wait_for
from bench.serving import Served, served
from tests.support.repositories import Repository, git

SMALL_SITES, SMALL_FILES = 200, 30
LARGE_FILES = 5_000
FOLDERS, FILES_PER_FOLDER = 50, 20
ROUNDS = 5
BURST = 100
TORN_PUSHES = 20
MANY_SITES = 2_000
_NEEDED_BYTES = 4 << 30
NOTES = """\
push -> live: from the notification of the syncer (ours: like a webhook; git-sync: SIGHUP; kup6s/pages: its webhook; the
loop: its next turn) until the live path shows the push, the median of 5. idle look: the same without a push. memory:
proportional set size with all children, the larger value of after the cold start and after idle looks. torn: a
continuous reader saw files of different commits although none was replaced meanwhile, or an error.
The server starts a `git http-backend` for each request, which is the same for all. Files are in memory (/dev/shm) if it
is large enough, otherwise in TMPDIR."""


@dataclass
class Bench:
    """The server with its repositories, and a folder for each run."""

    root: Path
    server: Served
    runs: int = 0

    def folder(self) -> Path:
        self.runs += 1
        return self.root / f"run{self.runs}"

    def site(self, repository: str, path: str = "") -> Site:
        name = f"{repository}-{path}" if path else repository
        return Site(name, f"{self.server.origin}/{repository}.git", path)

    def repository(self, name: str) -> Repository:
        return Repository(self.root / "repositories" / f"{name}.git")

    @contextmanager
    def running(self, peer: Peer, sites: Sequence[Site]) -> Iterator[tuple[Running, float]]:
        """The running peer, and the seconds until all sites were live."""
        start = time.perf_counter()
        with peer.start(sites, self.server.origin, self.folder()) as running:
            left = list(sites)

            def all_live() -> bool:
                left[:] = [site for site in left if not (running.live(site) / "index.html").exists()]
                return not left

            wait_for(all_live, pause=0.01)
            yield running, time.perf_counter() - start


Rows = Iterator[tuple[str, float]]


def small(bench: Bench, peer: Peer) -> Rows:
    """200 small repositories: cold start, idle looks, memory."""
    sites = [bench.site(f"r{number}") for number in range(SMALL_SITES)]
    with bench.running(peer, sites) as (running, seconds):
        yield "200 small repositories cold, s", seconds
        settle(bench.server)
        memory = megabytes(running.processes()) if not isinstance(peer, Loop) else float("nan")
        yield from idle(bench, running, sites)
        if not isinstance(peer, Loop):
            memory = max(memory, megabytes(running.processes()))
        yield "memory at 200 sites, MB", memory


def idle(bench: Bench, running: Running, sites: Sequence[Site]) -> Rows:
    tell_all(bench.server, running, sites)  # once, so that connections are there
    cpu, before = cpu_seconds(running.processes()), bench.server.traffic()
    tell_all(bench.server, running, sites)
    after = bench.server.traffic()
    yield "idle look per site, ms of CPU", (cpu_seconds(running.processes()) - cpu) * 1000 / len(sites)
    yield "idle look per site, requests", (after.requests - before.requests) / len(sites)
    bytes_ = after.received + after.sent - before.received - before.sent
    yield "idle look per site, bytes", bytes_ / len(sites)


def monorepo(bench: Bench, peer: Peer) -> Rows:
    """50 sites of one repository: cold start, and a push that changes all of them."""
    repository = bench.repository("mono")
    repository.commit(folders("one"))
    sites = [bench.site("mono", f"s{number}") for number in range(FOLDERS)]
    with bench.running(peer, sites) as (running, seconds):
        yield "50 sites of one monorepo cold, s", seconds
        settle(bench.server)
        repository.commit(folders("two"))
        start = time.perf_counter()
        running.tell(sites[0].repo)
        wait_for(lambda: all(shows(running.live(site), "two") for site in sites), pause=0.01)
        yield "push -> live, all 50 sites of a monorepo, s", time.perf_counter() - start


def folders(text: str) -> dict[str, str]:
    pages = {
        f"s{number}/f{file}.html": f"{file} {text} " * 100
        for number in range(FOLDERS)
        for file in range(FILES_PER_FOLDER)
    }
    return pages | {f"s{number}/index.html": text for number in range(FOLDERS)}


def push_small(bench: Bench, peer: Peer) -> Rows:
    """A small repository: a push, a burst of pushes, and a continuous reader."""
    repository = bench.repository("small")
    repository.commit(revision("start"))
    site = bench.site("small")
    with bench.running(peer, [site]) as (running, _):
        settle(bench.server)
        times = [
            seconds_to_live(bench, repository, running, {"index.html": f"push {number}"}) for number in range(ROUNDS)
        ]
        yield "push -> live, small site, ms", median(times) * 1000
        yield "burst of 100 pushes, s", burst(repository, running, site)
        yield "torn or failed reads in 20 pushes", torn_reads(bench, repository, running, site)


def push_large(bench: Bench, peer: Peer) -> Rows:
    """A site of 5,000 files, of which one changes."""
    repository = bench.repository("large")
    files = {f"d{n % 100}/f{n}.html": f"<p>{n}</p>" + f"lorem {n} ipsum " * 500 for n in range(LARGE_FILES)}
    repository.commit(files | {"index.html": "start"})
    site = bench.site("large")
    with bench.running(peer, [site]) as (running, _):
        settle(bench.server)
        before = bench.server.traffic()
        times = [
            seconds_to_live(bench, repository, running, {"index.html": f"push {number}"}) for number in range(ROUNDS)
        ]
        settle(bench.server)
        yield "push -> live, 1 of 5,000 files, ms", median(times) * 1000
        yield "fetched for that, KB", (bench.server.traffic().sent - before.sent) / 1000 / ROUNDS


def many(bench: Bench, peer: Peer) -> Rows:
    """2,000 sites, ten from each small repository: memory."""
    if peer.most_sites >= MANY_SITES:
        sites = [
            Site(f"s{number}", f"{bench.server.origin}/r{number % SMALL_SITES}.git") for number in range(MANY_SITES)
        ]
        with bench.running(peer, sites) as (running, seconds):
            yield "2,000 sites of 200 repositories cold, s", seconds
            settle(bench.server)
            yield "memory at 2,000 sites, MB", megabytes(running.processes())


QUESTIONS: Mapping[str, Callable[[Bench, Peer], Rows]] = {
    "small": small,
    "monorepo": monorepo,
    "push": push_small,
    "large": push_large,
    "many": many,
}
GOALS = {
    "200 small repositories cold, s": 5,
    "idle look per site, ms of CPU": 2,
    "idle look per site, requests": 1,
    "idle look per site, bytes": 1_000,
    "memory at 200 sites, MB": 120,
    "50 sites of one monorepo cold, s": 2,
    "push -> live, all 50 sites of a monorepo, s": 2,
    "push -> live, small site, ms": 60,
    "burst of 100 pushes, s": 2,
    "torn or failed reads in 20 pushes": 0,
    "push -> live, 1 of 5,000 files, ms": 200,
    "fetched for that, KB": 10,
    "memory at 2,000 sites, MB": 250,
}


def main() -> None:
    """Print the table."""
    selected = sys.argv[1:] if sys.argv[0].endswith("peers.py") else []
    peers, left_out = find_peers()
    table: dict[str, dict[str, float]] = {}
    for name in selected or QUESTIONS:
        for peer in peers:
            try:
                for question, value in ask(QUESTIONS[name], peer):
                    print(f"{peer.name}: {question}: {value:.4g}", flush=True)
                    table.setdefault(question, {})[peer.name] = value
            except GivenUp:
                left_out.append(f"the rest of {name!r} for {peer.name}, which did not finish within 5 minutes")
    rows = [
        (question, *(values.get(peer.name) for peer in peers), GOALS.get(question), verdict(question, values))
        for question, values in table.items()
    ]
    headers = ("", *(peer.name for peer in peers), "goal", "")
    print(f"\n{tabulate.tabulate(rows, headers=headers, floatfmt='.3g', missingval='-')}")
    for sentence in left_out:
        print(f"skipped: {sentence}")
    print(NOTES)


def find_peers() -> tuple[list[Peer], list[str]]:
    """Ours, the loop and the peers that the environment names, and a sentence for each that it does not."""
    peers: list[Peer] = [Ours(), Loop()]
    optional: dict[str, Callable[[str], Peer]] = {
        "GIT_SYNC": lambda binary: PerSite("git-sync", GIT_SYNC.format(binary)),
        "KUP6S_PAGES": Kup6sPages,
        "OTHER_SYNCER": partial(PerSite, "other"),
    }
    peers += [make(os.environ[name]) for name, make in optional.items() if os.environ.get(name)]
    return peers, [f"{name} is not set" for name in optional if not os.environ.get(name)]


def verdict(question: str, values: Mapping[str, float]) -> str:
    if question not in GOALS:
        return ""
    return "reached" if values[Ours.name] <= GOALS[question] * 1.0005 else "MISSED"


def ask(question: Callable[[Bench, Peer], Rows], peer: Peer) -> Rows:
    """Run one question with repositories and a server of its own, the same for each peer."""
    with tempfile.TemporaryDirectory(dir=place(), ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        if question in (small, many):
            for number in range(SMALL_SITES):
                Repository(root / f"repositories/r{number}.git").commit(revision(f"site {number}"))
        (root / "repositories").mkdir(exist_ok=True)
        with served(root / "repositories") as server:
            yield from question(Bench(root, server), peer)


def place() -> Path | None:
    """A folder in memory if it is large enough: a disk is slow right after files were deleted."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder is private
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _NEEDED_BYTES else None


def revision(text: str) -> dict[str, str]:
    """All files of a small site, with the text in each."""
    pages = {f"d{file % 5}/f{file}.html": f"{text} {file}" + " lorem ipsum" * 80 for file in range(SMALL_FILES)}
    return pages | {"a.txt": text, "index.html": text, "z.txt": text}


def shows(folder: Path, text: str) -> bool:
    try:
        return (folder / "index.html").read_text() == text
    except OSError:
        return False


def seconds_to_live(bench: Bench, repository: Repository, running: Running, files: Mapping[str, str]) -> float:
    """The seconds from a push of these files until their index.html is live."""
    site = bench.site(repository.folder.stem)
    text = files["index.html"]
    repository.commit(files)
    start = time.perf_counter()
    running.tell(site.repo)
    wait_for(lambda: shows(running.live(site), text), pause=0.0005)
    seconds = time.perf_counter() - start
    settle(bench.server)
    return seconds


def burst(repository: Repository, running: Running, site: Site) -> float:
    """The seconds for 100 prepared commits to become the branch tip one after another, each with a notification."""
    repository.commit({"index.html": "burst 0"}, branch="prepared")
    git("-C", str(repository.folder), "update-ref", "refs/heads/prepared", "main")
    commits = [repository.commit({"index.html": f"burst {number}"}, branch="prepared") for number in range(BURST)]
    start = time.perf_counter()
    for commit in commits:
        (repository.folder / "refs/heads/main").write_text(f"{commit}\n")
        running.tell(site.repo)
    wait_for(lambda: shows(running.live(site), f"burst {BURST - 1}"))
    return time.perf_counter() - start


def torn_reads(bench: Bench, repository: Repository, running: Running, site: Site) -> int:
    """How often a read of one file, the other, and the first again shows different commits."""
    stop, torn = threading.Event(), 0
    folder = running.live(site)

    def read() -> None:
        nonlocal torn
        while not stop.is_set():
            try:
                first, last, again = [(folder / name).read_text() for name in ("a.txt", "z.txt", "a.txt")]
            except OSError:
                torn += 1
            else:
                torn += first == again and last != first

    repository.commit(revision("whole"))
    running.tell(site.repo)
    wait_for(lambda: shows(folder, "whole"))
    reader = threading.Thread(target=read)
    reader.start()
    for number in range(TORN_PUSHES):
        seconds_to_live(bench, repository, running, revision(f"torn {number}"))
    stop.set()
    reader.join()
    return torn


def tell_all(server: Served, running: Running, sites: Sequence[Site]) -> None:
    """An idle look at each site, one repository after another, like a schedule."""
    for site in sites:
        running.tell(site.repo)
        time.sleep(0.002)
    settle(server)


def settle(server: Served) -> None:
    """Wait until the server gets no more requests."""
    before, quiet_since = server.traffic(), time.monotonic()
    while time.monotonic() - quiet_since < 0.4:  # noqa: PLR2004 - a moment
        time.sleep(0.02)
        if (now := server.traffic()) != before:
            before, quiet_since = now, time.monotonic()


if __name__ == "__main__":
    main()
