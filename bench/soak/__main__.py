"""Checks that readers notice nothing while a syncer is killed, its disk fills up and its git server misbehaves.

Run: python -m bench.soak [SECONDS]

Sites are pushed to and read continuously. At random moments, the syncer or one of its git processes is killed; the
server is slow, silent, cut off or corrupts data; the disk is full; or a file or a mirror is damaged. Prints the numbers
of faults and reads. Exits with 1 if a reader saw anything but whole releases, or if the syncer did not recover.
"""

import contextlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

import tabulate

from bench.soak.faults import Faults
from bench.soak.process import SyncerProcess
from bench.soak.pushes import Pushes
from bench.soak.syncer import NAMESPACE
from bench.soak.visitor import Visitor, served
from tests.support.git_server import GitServer
from tests.support.readers import Reader
from tests.support.relay import Relay

VOLUME_MIB = 48
SECONDS = 600
CONVERGE_SECONDS = 90.0


def main(seconds: float = SECONDS) -> int:
    """Print the figures; return the exit code."""
    chance = random.Random()  # noqa: S311 - moments, not secrets
    wrong: list[str] = []
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pages-soak-", ignore_cleanup_errors=True)))
        small_disk = stack.enter_context(small_volume(root / "volume"))
        (root / "repositories").mkdir()
        server = stack.enter_context(GitServer(root / "repositories"))
        relay = stack.enter_context(Relay(server.port))
        syncer = SyncerProcess(root, relay.origin)
        pushes = Pushes(root, server, syncer, chance)
        for name in pushes.names:
            pushes.push(name)
        try:
            pushes.wait(CONVERGE_SECONDS)
            readers = [stack.enter_context(Reader(pushes.live / name, pause=0.01)) for name in pushes.names]
            visitor = stack.enter_context(Visitor(stack.enter_context(served(root)), pushes.names))
            faults = Faults(root, syncer, relay, chance, small_disk=small_disk)
            go_on(seconds, pushes, faults, syncer, wrong)
            rest = come_to_rest(root, pushes, syncer)
            for reader in readers:
                wrong += reader.errors[:3] + reader.torn[:3]
            wrong += visitor.errors[:3]
        except TimeoutError as error:
            print(f"FAILED: {error}\n{(root / 'syncer.log').read_text()[-3000:]}")
            return 1
        finally:
            code = syncer.stop()
        if code:
            wrong.append(f"the syncer ended with {code}")
        wrong += leftovers(root)
        rows = [*figures(faults, pushes, readers, root), ("to rest at the end, s", f"{rest:.2f}")]
        rows += [("answers by nginx", visitor.answers), ("wrong answers by nginx", len(visitor.errors))]
        print(tabulate.tabulate(rows, headers=(f"in {seconds:.0f} s", "")))
    if not small_disk:
        print("skipped: a full disk, because only root on Linux can mount a small file system")
    print("\n".join(f"WRONG: {each}" for each in wrong) or "No problems found.")
    return 1 if wrong else 0


def go_on(seconds: float, pushes: Pushes, faults: Faults, syncer: SyncerProcess, wrong: list[str]) -> None:
    """Push in this thread, and cause faults in another."""
    over = threading.Event()

    def happen() -> None:
        chance = random.Random()  # noqa: S311 - moments, not secrets
        while not over.wait(chance.uniform(0, 1)):
            faults.one()

    thread = threading.Thread(target=happen, name="faults")
    thread.start()
    chance, end = random.Random(), time.monotonic() + seconds  # noqa: S311 - see above
    following = 0.0
    try:
        while time.monotonic() < end:
            if time.monotonic() >= following:
                pushes.push(chance.choice(pushes.names))
                following = time.monotonic() + chance.uniform(0, 1)
            pushes.look()
            if not syncer.alive() and thread.is_alive() and not _soon_alive(syncer):
                wrong.append("the syncer ended unexpectedly; see its log")
                return
            time.sleep(0.02)
    finally:
        over.set()
        thread.join()


def _soon_alive(syncer: SyncerProcess) -> bool:
    """Whether the syncer runs within 2 seconds: it may be between a kill and a restart."""
    for _ in range(100):
        if syncer.alive():
            return True
        time.sleep(0.02)
    return False


def come_to_rest(root: Path, pushes: Pushes, syncer: SyncerProcess) -> float:
    """The seconds until, without faults, all pushes are live and all damage is repaired."""
    start = time.monotonic()
    for name in pushes.names:
        syncer.tell(name)
    pushes.wait(CONVERGE_SECONDS)
    while damaged := [path for path in root.glob(f"volume/live/{NAMESPACE}/*/same/*") if not _is_whole(path)]:
        if time.monotonic() - start > CONVERGE_SECONDS:
            raise TimeoutError(f"still damaged: {damaged}")
        time.sleep(0.05)
    return time.monotonic() - start


def _is_whole(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(errors="replace").startswith(f"same {path.stem} ")
    return True  # replaced during the read


def leftovers(root: Path) -> list[str]:
    """Temporary files that a syncer must remove before a clean exit."""
    paths = [*(root / "volume").rglob(".tmp-*"), *(root / "mirrors").rglob("*.lock"), *root.glob("mirrors/*.new")]
    return [f"{path} was not removed" for path in paths]


def figures(faults: Faults, pushes: Pushes, readers: Sequence[Reader], root: Path) -> list[tuple[str, object]]:
    """The rows of the table: faults, pushes and reads."""
    kills = sum(number for what, number in faults.done.items() if "killed" in what)
    rows: list[tuple[str, object]] = [(what, number) for what, number in sorted(faults.done.items())]
    rows += [
        ("kills", kills),
        ("pushes", sum(pushes.newest.values())),
        ("reads of whole releases", sum(reader.reads for reader in readers)),
        ("reader errors", sum(len(reader.errors) for reader in readers)),
        ("torn or old", sum(len(reader.torn) for reader in readers)),
        ("push to live, median s", f"{median(pushes.seconds):.2f}"),
        ("push to live, 95 % s", f"{quantiles(pushes.seconds, n=20)[-1]:.2f}"),
        ("push to live, most s", f"{max(pushes.seconds):.2f}"),
        ("volume at the end, MiB", f"{size(root / 'volume') / (1 << 20):.1f}"),
        ("mirrors at the end, MiB", f"{size(root / 'mirrors') / (1 << 20):.1f}"),
    ]
    return rows


def size(folder: Path) -> int:
    """The size in bytes. Hard links count once."""
    stats = [path.lstat() for path in folder.rglob("*")]
    return sum({stat.st_ino: stat.st_size for stat in stats}.values())


@contextmanager
def small_volume(folder: Path) -> Iterator[bool]:
    """Mount a small volume, which can be filled, if possible. Yields whether it was mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={VOLUME_MIB}m", "tmpfs", str(folder)]
    small = bool(shutil.which("mount")) and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield small
    finally:
        if small:
            subprocess.run(["umount", "-l", str(folder)], check=True)


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:2])))
