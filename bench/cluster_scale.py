"""The cost of thousands of sites with a real API server and, if METACONTROLLER names one, a real Metacontroller.

Run: python -m bench.cluster_scale [SITES [REPOSITORIES]] (after `make tools`; 2,000 sites take about ten minutes)
"""

import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import tabulate
import yaml

from bench.ending import exit_code
from bench.serving import served
from tests.support import chart
from tests.support.cluster import Hooks, MetacontrollerProcess, SyncerProcess
from tests.support.control_plane import ROOT, SYSTEM, ControlPlane, tools_are_there
from tests.support.objects import Object, static_site
from tests.support.processes import Program
from tests.support.repositories import Repository
from tests.support.watching import Watch

GOAL = """\
goal at 2,000 and at 10,000 sites: new StaticSite -> IngressRoute 0.5 s and 3 s (p50), 1.5 s and 6 s (worst); all routed
and ready after 90 s and 540 s; no write but the hourly heartbeat; syncer and hooks under 120 MB and 350 MB each"""
FILES = 10


@dataclass(frozen=True)
class Sizes:
    """The sizes of a run. Each site is polled every ``interval_seconds``, several times during ``idle_seconds``."""

    sites: int = 2_000
    repositories: int = 200
    namespaces: int = 20
    new_sites: int = 20
    idle_seconds: float = 180
    quiet_seconds: float = 5
    interval_seconds: int = 30
    wait_seconds: float = 3_600


def main(sizes: Sizes | None = None) -> list[str]:
    """Print the table, and return what is wrong."""
    if not tools_are_there():
        print("skipped: the control plane is not built; run `make tools`")
        return []
    executable = os.environ.get("METACONTROLLER") or shutil.which("metacontroller")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        scale = stack.enter_context(Scale.running(sizes or Sizes(), folder, executable))
        rows = list(scale.measure())
        wrong = scale.wrong
    print(tabulate.tabulate(rows, headers=(f"{scale.sizes.sites} sites", ""), floatfmt=".2f"))
    if not executable:
        print("skipped: routes, because there is no Metacontroller; set METACONTROLLER to its executable")
    print(GOAL)
    return wrong


@dataclass
class Scale:
    """All programs, running on a cluster of our own."""

    sizes: Sizes
    cluster: ControlPlane
    watch: Watch
    origin: str
    syncer: SyncerProcess
    hooks: Hooks
    metacontroller: MetacontrollerProcess | None
    memory: "PeakMemory"
    wrong: list[str]

    @classmethod
    @contextmanager
    def running(cls, sizes: Sizes, folder: Path, executable: str | None) -> "Iterator[Scale]":
        """Start everything, without sites."""
        with ExitStack() as stack:
            make_repositories(sizes, folder / "repositories")
            origin = stack.enter_context(served(folder / "repositories")).origin
            cluster = stack.enter_context(cluster_with_platform(sizes))
            watch = stack.enter_context(Watch(cluster, "staticsites", "ingressroutes"))
            hooks = stack.enter_context(Hooks(folder))
            hooks.wait_until_ready()
            metacontroller = None
            if executable:
                metacontroller = MetacontrollerProcess(folder, executable, prepared(cluster, hooks, folder))
                stack.enter_context(metacontroller).wait_until_ready()
            syncer = SyncerProcess(folder, "syncer", cluster.service_account("pages-syncer", folder), origin)
            stack.enter_context(syncer).wait_until_ready()
            programs = [syncer, hooks, *([metacontroller] if metacontroller else [])]
            memory = stack.enter_context(PeakMemory(*programs))
            yield cls(sizes, cluster, watch, origin, syncer, hooks, metacontroller, memory, [])

    def measure(self) -> Iterator[tuple[str, float]]:
        """Measure the rows of the table, one after another."""
        yield from self._arrival()
        if self.metacontroller:
            print(f"creating {self.sizes.new_sites} more sites, one at a time …", flush=True)
            times = [self._seconds_to_route(self.sizes.sites + number) for number in range(self.sizes.new_sites)]
            yield "new StaticSite -> IngressRoute, p50, s", statistics.median(times)
            yield "new StaticSite -> IngressRoute, worst, s", max(times)
        yield from self._idle()
        yield "memory of the syncer, peak, MB", self.memory.megabytes(self.syncer)
        if self.metacontroller:
            yield "memory of the hooks, peak, MB", self.memory.megabytes(self.hooks)
            yield "memory of Metacontroller, peak, MB", self.memory.megabytes(self.metacontroller)

    def _arrival(self) -> Iterator[tuple[str, float]]:
        sites, seconds = self.sizes.sites, self.sizes.wait_seconds
        written = [site_of(self.sizes, number, self.origin) for number in range(sites)]
        print(f"creating {sites} StaticSites …", flush=True)
        begin = time.monotonic()
        text = yaml.dump_all(written, Dumper=yaml.CSafeDumper)
        self.cluster.kubectl("create", "-f", "-", stdin=text, seconds=seconds)
        yield "created after, s", time.monotonic() - begin
        if self.metacontroller:
            self.watch.until(lambda: self.watch.count("ingressroutes") == sites, seconds)
            yield "all routed after, s", time.monotonic() - begin
            self.watch.until(lambda: self.watch.ready("staticsites") == sites, seconds)
            yield "all ready after, s", time.monotonic() - begin
            yield from self._requests()
        else:
            self.watch.until(lambda: len(self._live()) == sites, seconds)
            yield "all live after, s", time.monotonic() - begin
        if missing := sites - len(self._live()):
            self.wrong.append(f"{missing} sites are not on the volume")

    def _requests(self) -> Iterator[tuple[str, float]]:
        """The requests to stage one while the sites arrived."""
        answers = [line for line in self.hooks.lines("hook_answered") if line["hook"] == "/platform/sync"]
        yield "requests to stage one", len(answers)
        yield "largest request to stage one, MiB", max(line["bytes"] for line in answers) / (1 << 20)
        yield "time of all answers of stage one, s", sum(line["milliseconds"] for line in answers) / 1000
        yield "CPU of the hooks, s", cpu_seconds(self.hooks)
        if self.metacontroller:
            yield "CPU of Metacontroller, s", cpu_seconds(self.metacontroller)

    def _idle(self) -> Iterator[tuple[str, float]]:
        seconds = self.sizes.idle_seconds
        print(f"idling for {seconds:.0f} s …", flush=True)
        time.sleep(self.sizes.quiet_seconds)
        before, cpu = self.watch.versions("staticsites"), cpu_seconds(self.syncer)
        time.sleep(seconds)
        yield "syncer when nothing changes, ms of CPU per second", (cpu_seconds(self.syncer) - cpu) * 1000 / seconds
        after = self.watch.versions("staticsites")
        writes = sum(after[key] != version for key, version in before.items())
        yield f"statuses written in {seconds:.0f} s when nothing changes", writes
        if writes:
            self.wrong.append(f"{writes} statuses were written while nothing changed")

    def _live(self) -> list[Path]:
        return list(self.syncer.volume.glob("live/*/*"))

    def _seconds_to_route(self, number: int) -> float:
        """The seconds from creating a StaticSite until its IngressRoute exists, in an idle cluster."""
        namespace, name = f"team{number % self.sizes.namespaces}", f"s{number}"
        begin = time.monotonic()
        self.cluster.create("staticsites", site_of(self.sizes, number, self.origin))
        routed = f"{namespace}--{name}"
        self.watch.until(lambda: self.watch.has("ingressroutes", routed, SYSTEM), self.sizes.wait_seconds)
        seconds = time.monotonic() - begin
        self.watch.until(lambda: self.watch.is_ready("staticsites", name, namespace), self.sizes.wait_seconds)
        time.sleep(self.sizes.quiet_seconds)
        return seconds


def make_repositories(sizes: Sizes, root: Path) -> None:
    """Create the repositories. Each holds the folders of its sites."""
    print(f"making {sizes.repositories} repositories …", flush=True)
    for number in range(sizes.repositories):
        folders = {f"s{site}" for site in range(number, sizes.sites + sizes.new_sites, sizes.repositories)}
        files = {f"{folder}/f{file}.html": f"{folder} {file}" for folder in folders for file in range(FILES)}
        Repository(root / f"r{number}.git").commit(files | {f"{folder}/index.html": folder for folder in folders})


@contextmanager
def cluster_with_platform(sizes: Sizes) -> Iterator[ControlPlane]:
    """A control plane with our CRDs, RBAC and Platform, and the tenants' namespaces."""
    with ControlPlane() as cluster:
        chart.prepare(cluster)
        cluster.start_controllers()
        for number in range(sizes.namespaces):
            cluster.namespace(f"team{number}")
        cluster.apply(
            {
                "apiVersion": "pages.kup6s.com/v1beta1",
                "kind": "Platform",
                "metadata": {"name": "platform", "namespace": SYSTEM},
                "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
            }
        )
        yield cluster


def prepared(cluster: ControlPlane, hooks: Hooks, folder: Path) -> Path:
    """Apply our controllers, and return a kubeconfig for Metacontroller."""
    for manifest in sorted((ROOT / "metacontroller").glob("*.yaml")):
        cluster.apply(yaml.safe_load(manifest.read_text().replace("http://127.0.0.1:8080", hooks.url)))
    return cluster.service_account("pages-operator", folder)


def site_of(sizes: Sizes, number: int, origin: str) -> Object:
    """The StaticSite with that number."""
    repo, namespace = f"{origin}/r{number % sizes.repositories}.git", f"team{number % sizes.namespaces}"
    interval = f"{sizes.interval_seconds}s"
    return static_site(f"s{number}", namespace, repo=repo, path=f"/s{number}", syncInterval=interval)


def processes(program: Program) -> Iterator[Path]:
    """The folders in /proc of gunicorn's master and its workers, without short-lived processes such as git."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(_stat(folder)[1])
        except OSError:  # it has ended
            continue
        if program.process.pid in (int(folder.name), parent):
            yield folder


class PeakMemory:
    """The peak memory of each program with all its processes. Shared memory counts once, as for a pod."""

    def __init__(self, *programs: Program) -> None:
        self._peaks = dict.fromkeys(programs, 0.0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._thread.join()

    def megabytes(self, program: Program) -> float:
        """The peak so far."""
        return self._peaks[program]

    def _sample(self) -> None:
        while not self._stopping.wait(0.5):
            for program, peak in self._peaks.items():
                self._peaks[program] = max(peak, sum(proportional_megabytes(each) for each in processes(program)))


def proportional_megabytes(process: Path) -> float:
    """The memory of a process, each page divided by the number of processes that share it."""
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cpu_seconds(program: Program) -> float:
    """The CPU time of the program's processes so far, including children that have ended."""
    ticks = sum(int(field) for each in processes(program) for field in _stat(each)[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: Path) -> list[str]:
    return (process / "stat").read_text().rpartition(")")[2].split()


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    sys.exit(exit_code(main(Sizes(*given))))
