"""Does a reader notice anything while a syncer is killed, its disk fills up and its git server misbehaves?

Run: python -m bench.soak [SECONDS]

Pushes go on all the time, to sites that readers read all the time. At random moments the syncer or one of its gits is
killed, the server is slow, silent, cut off or lies, the disk is full, a file or a mirror is damaged. Prints what was
done and seen; exits with 1 where a reader saw anything but whole releases, or the syncer did not come to rest.
"""

import contextlib
import gzip
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

import tabulate

from bench.soak.faults import Faults
from bench.soak.process import SyncerProcess
from bench.soak.pushes import Pushes, same
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
        print("The disk was never full: a small file system can be mounted by root on Linux only.")
    print("\n".join(f"WRONG: {each}" for each in wrong) or "All as it should be.")
    return 1 if wrong else 0


def go_on(seconds: float, pushes: Pushes, faults: Faults, syncer: SyncerProcess, wrong: list[str]) -> None:
    """Push, in this thread, and let faults happen in another."""
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
                wrong.append("the syncer ended by itself; its log says why")
                return
            time.sleep(0.02)
    finally:
        over.set()
        thread.join()


def _soon_alive(syncer: SyncerProcess) -> bool:
    """It may just be between being killed and started."""
    for _ in range(100):
        if syncer.alive():
            return True
        time.sleep(0.02)
    return False


def come_to_rest(root: Path, pushes: Pushes, syncer: SyncerProcess) -> float:
    """Without faults all has to be live soon, and everything damaged whole: the seconds that took."""
    start = time.monotonic()
    for name in pushes.names:
        syncer.tell(name)
    pushes.wait(CONVERGE_SECONDS)
    while damaged := [path for path in root.glob(f"volume/live/{NAMESPACE}/*/same/*") if not is_whole(path)]:
        if time.monotonic() - start > CONVERGE_SECONDS:
            raise TimeoutError(f"still damaged: {damaged}")
        time.sleep(0.05)
    return time.monotonic() - start


def is_whole(path: Path) -> bool:
    """Whether a file that never changes, or its packed copy, is as it was pushed."""
    with contextlib.suppress(FileNotFoundError):
        content = path.read_bytes()
        number = path.name.partition(".")[0]
        try:
            return (gzip.decompress(content) if path.suffix == ".gz" else content) == same(number).encode()
        except (OSError, EOFError, zlib.error):
            return False
    return True  # replaced while we looked


def leftovers(root: Path) -> list[str]:
    """What a syncer that has ended well must not leave."""
    found = [*(root / "volume").rglob(".tmp-*"), *(root / "mirrors").rglob("*.lock"), *root.glob("mirrors/*.new")]
    return [f"{path} is left" for path in found]


def figures(faults: Faults, pushes: Pushes, readers: Sequence[Reader], root: Path) -> list[tuple[str, object]]:
    """What was done and seen."""
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
    """Bytes, hard links counted once."""
    stats = [path.lstat() for path in folder.rglob("*")]
    return sum({stat.st_ino: stat.st_size for stat in stats}.values())


@contextmanager
def small_volume(folder: Path) -> Iterator[bool]:
    """A volume that can be filled, where one can be mounted: whether it could."""
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
