"""How long does a site of 5,000 files take to be live again after one of them changed, against a full checkout?

Run: python -m bench.republish
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

import tabulate

from bench.syncing import Source, source_sync
from pages.api import StaticSite
from syncer.hosts import AllowedHosts
from syncer.sources import source_of
from syncer.sync import SourceSync
from tests.support.repositories import ENVIRONMENT, Repository

FILES = 5_000
ROUNDS = 7
GOAL = "goal: at least 3 times faster than the checkout"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        repository = Repository(root / "site.git")
        files = {
            f"d{number % 100}/f{number}.html": f"<p>{number}</p>" + f"lorem {number} ipsum " * 500
            for number in range(FILES)
        }
        repository.commit(files)
        site = Source("site", f"file://{repository.folder}").site()
        sync, git, releases, _ = source_sync(root, AllowedHosts.parse("", local=True))
        releases.prepare()
        sync.run(source_of(site), [site], lambda _site, _outcome: True)
        rows = [one_round(repository, site, sync, root / f"checkout{number}") for number in range(1, ROUNDS + 1)]
        git.close()
    print(tabulate.tabulate(rows, headers=("fetch + checkout ms", "push to live ms", "times faster"), floatfmt=".1f"))
    print(f"median {median(row[2] for row in rows):.1f}; {GOAL}")


def one_round(repository: Repository, site: StaticSite, sync: SourceSync, target: Path) -> tuple[float, float, float]:
    """Push a change and make it live both ways: milliseconds of each, and how many times ours is faster."""
    repository.commit({"d0/f0.html": f"changed for {target.name}"})
    checkout = time_of_checkout(repository.folder, target)
    start = time.perf_counter()
    sync.run(source_of(site), [site], lambda _site, _outcome: True)
    ours = (time.perf_counter() - start) * 1000
    if (target.parent / "volume/live/bench/site/d0/f0.html").read_text() != f"changed for {target.name}":
        raise SystemExit("the change is not live")
    return checkout, ours, checkout / ours


def time_of_checkout(repository: Path, target: Path) -> float:
    """Milliseconds of a fetch into a mirror and a full checkout into an empty folder."""
    mirror = target.parent / "mirror.git"
    if not mirror.exists():
        subprocess.run(["git", "init", "--quiet", "--bare", str(mirror)], env=ENVIRONMENT, check=True)
        fetch(mirror, repository)
    target.mkdir()
    environment = {"GIT_DIR": str(mirror), "GIT_WORK_TREE": str(target), "GIT_INDEX_FILE": f"{target}.index"}
    start = time.perf_counter()
    fetch(mirror, repository)
    command = ["git", "checkout", "--quiet", "--force", "head", "--", "."]
    subprocess.run(command, env=ENVIRONMENT | environment, check=True, cwd=target)
    seconds = time.perf_counter() - start
    os.sync()  # what it wrote shall not be written back during our turn
    return seconds * 1000


def fetch(mirror: Path, repository: Path) -> None:
    """Bring the branch into the mirror."""
    command = [
        "git",
        "-C",
        str(mirror),
        "fetch",
        "--quiet",
        "--depth=1",
        f"file://{repository}",
        "+main:refs/heads/head",
    ]
    subprocess.run(command, env=ENVIRONMENT, check=True)


if __name__ == "__main__":
    main()
