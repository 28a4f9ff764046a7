"""The cost of 2,000 sites with a real API server and, if METACONTROLLER names one, a real Metacontroller.

Run: python -m bench.cluster_scale (after `make tools`; takes about ten minutes)
"""

import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import tabulate
import yaml

from bench.serving import served
from tests.support import chart
from tests.support.cluster import Hooks, MetacontrollerProcess, SyncerProcess, condition
from tests.support.control_plane import ROOT, SYSTEM, ControlPlane, tools_are_there
from tests.support.objects import Object, static_site
from tests.support.processes import Program
from tests.support.repositories import Repository
from tests.support.serving import eventually

SITES, REPOSITORIES, NAMESPACES = 2_000, 200, 20
FILES = 10
NEW_SITES = 20
IDLE_SECONDS = 180
QUIET_SECONDS = 5
WAIT_SECONDS = 900
INTERVAL = "30s"  # each site is polled several times while nothing changes
GOAL = "goal: p50 under 1 s; no write but the hourly heartbeat; syncer and hooks under 200 MB each"


def main() -> None:
    """Print the table."""
    if not tools_are_there():
        print("skipped: the control plane is not built; run `make tools`")
        return
    executable = os.environ.get("METACONTROLLER") or shutil.which("metacontroller")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        make_repositories(folder / "repositories")
        origin = stack.enter_context(served(folder / "repositories")).origin
        cluster = stack.enter_context(cluster_with_platform())
        hooks = stack.enter_context(Hooks(folder))
        hooks.wait_until_ready()
        if executable:
            metacontroller = MetacontrollerProcess(folder, executable, prepared(cluster, hooks, folder))
            stack.enter_context(metacontroller).wait_until_ready()
        syncer = SyncerProcess(folder, "syncer", cluster.service_account("pages-syncer", folder), origin)
        stack.enter_context(syncer).wait_until_ready()
        memory = stack.enter_context(PeakMemory(syncer, hooks))
        rows = list(measure(cluster, syncer, origin, routed=bool(executable)))
        rows += [("memory of the syncer, peak, MB", memory.megabytes(syncer))]
        rows += [("memory of the hooks, peak, MB", memory.megabytes(hooks))] if executable else []
    print(tabulate.tabulate(rows, headers=(f"{SITES} sites of {REPOSITORIES} repositories", ""), floatfmt=".2f"))
    if not executable:
        print("skipped: routes, because there is no Metacontroller; set METACONTROLLER to its executable")
    print(GOAL)


def measure(cluster: ControlPlane, syncer: SyncerProcess, origin: str, *, routed: bool) -> Iterator[tuple[str, float]]:
    """Measure the rows of the table, one after another."""
    sites = [site_of(number, origin) for number in range(SITES)]
    print(f"creating {SITES} StaticSites …", flush=True)
    begin = time.monotonic()
    cluster.kubectl("create", "-f", "-", stdin=yaml.dump_all(sites, Dumper=yaml.CSafeDumper), seconds=WAIT_SECONDS)
    yield "created after, s", time.monotonic() - begin
    eventually(lambda: live(syncer) == SITES, WAIT_SECONDS)
    yield "all live after, s", time.monotonic() - begin
    if routed:
        eventually(lambda: len(cluster.list("ingressroutes")) == SITES, WAIT_SECONDS)
        yield "all routed after, s", time.monotonic() - begin
    accepted = ("True",) if routed else ("True", "Unknown", "False")
    eventually(lambda: all(ready(each) in accepted for each in cluster.list("staticsites")), WAIT_SECONDS)
    yield "all statuses true after, s", time.monotonic() - begin
    if routed:
        print(f"creating {NEW_SITES} more sites, one at a time …", flush=True)
        times = [seconds_to_route(cluster, origin, SITES + number) for number in range(NEW_SITES)]
        yield "new StaticSite -> IngressRoute, p50, s", statistics.median(times)
        yield "new StaticSite -> IngressRoute, worst, s", max(times)
    print(f"idling for {IDLE_SECONDS} s …", flush=True)
    time.sleep(5)
    before, cpu = versions(cluster), cpu_seconds(syncer)
    time.sleep(IDLE_SECONDS)
    yield "syncer when nothing changes, ms of CPU per second", (cpu_seconds(syncer) - cpu) * 1000 / IDLE_SECONDS
    writes = sum(1 for uid, version in versions(cluster).items() if before[uid] != version)
    yield f"statuses written in {IDLE_SECONDS} s when nothing changes", writes


def make_repositories(root: Path) -> None:
    """Create the repositories. Each holds ten sites, each in a folder of its own."""
    print(f"making {REPOSITORIES} repositories …", flush=True)
    for number in range(REPOSITORIES):
        folders = {f"s{site}" for site in range(number, SITES + NEW_SITES, REPOSITORIES)}
        files = {f"{folder}/f{file}.html": f"{folder} {file}" for folder in folders for file in range(FILES)}
        Repository(root / f"r{number}.git").commit(files | {f"{folder}/index.html": folder for folder in folders})


@contextmanager
def cluster_with_platform() -> Iterator[ControlPlane]:
    """A control plane with our CRDs, RBAC and Platform, and the tenants' namespaces."""
    with ControlPlane() as cluster:
        chart.prepare(cluster)
        cluster.start_controllers()
        for number in range(NAMESPACES):
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


def site_of(number: int, origin: str) -> Object:
    """The StaticSite with that number."""
    repo = f"{origin}/r{number % REPOSITORIES}.git"
    return static_site(f"s{number}", f"team{number % NAMESPACES}", repo=repo, path=f"/s{number}", syncInterval=INTERVAL)


def live(syncer: SyncerProcess) -> int:
    """The number of sites that the syncer has published."""
    return sum(1 for _ in syncer.volume.glob("live/*/*"))


def ready(site: dict[str, object] | None) -> str:
    """The status of the site's condition Ready."""
    return str(condition(site, "Ready").get("status"))


def seconds_to_route(cluster: ControlPlane, origin: str, number: int) -> float:
    """The seconds from creating a StaticSite until its IngressRoute exists, in an idle cluster."""
    name = f"team{number % NAMESPACES}--s{number}"
    begin = time.monotonic()
    cluster.create("staticsites", site_of(number, origin))
    eventually(lambda: cluster.get("ingressroutes", name))
    seconds = time.monotonic() - begin
    eventually(lambda: ready(cluster.get("staticsites", f"s{number}", f"team{number % NAMESPACES}")) == "True")
    time.sleep(QUIET_SECONDS)
    return seconds


def versions(cluster: ControlPlane) -> dict[str, str]:
    """The resourceVersion of each StaticSite, by its uid."""
    metadata = [each["metadata"] for each in cluster.list("staticsites")]
    return {each["uid"]: each["resourceVersion"] for each in metadata}


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
    main()
