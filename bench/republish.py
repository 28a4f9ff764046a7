"""The time to republish a site of 5,000 files after one of them changed, compared with a full clone or checkout.

Run: python -m bench.republish
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

import tabulate

from bench.adapters import Site
from bench.syncing import source_sync, static_site
from pages.api import StaticSite
from syncer.egress.hosts import AllowedHosts
from syncer.publishing.source import SourceSync
from syncer.sources import group
from tests.support.repositories import ENVIRONMENT, Repository

FILES = 5_000
ROUNDS = 7
GOAL = "goal: at least 3 times faster than a full checkout"


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
        site = static_site(Site("site", f"file://{repository.folder}"))
        sync, workspace = source_sync(root, AllowedHosts.parse("", local=True))
        sync.prepare()
        list(sync.run_all(group([site])))
        rows = [one_round(repository, site, sync, root / f"checkout{number}") for number in range(1, ROUNDS + 1)]
        workspace.git.close()
    headers = ("clone ms", "fetch + checkout ms", "push to live ms", "times clone", "times checkout")
    print(tabulate.tabulate(rows, headers=headers, floatfmt=".1f"))
    print(f"median {median(row[3] for row in rows):.1f} and {median(row[4] for row in rows):.1f}; {GOAL}")


def one_round(
    repository: Repository, site: StaticSite, sync: SourceSync, target: Path
) -> tuple[float, float, float, float, float]:
    """Push a change and publish it in three ways: the milliseconds of each, and the speed-up of ours."""
    repository.commit({"d0/f0.html": f"changed for {target.name}"})
    clone = time_of_clone(repository.folder, target.with_suffix(".clone"))
    checkout = time_of_checkout(repository.folder, target)
    start = time.perf_counter()
    list(sync.run_all(group([site])))
    ours = (time.perf_counter() - start) * 1000
    if (target.parent / "volume/live/bench/site/d0/f0.html").read_text() != f"changed for {target.name}":
        raise SystemExit("the change is not live")
    return clone, checkout, ours, clone / ours, checkout / ours


def time_of_clone(repository: Path, target: Path) -> float:
    """The milliseconds of a shallow clone, for a syncer that starts from nothing each time."""
    start = time.perf_counter()
    command = ["git", "clone", "--quiet", "--depth=1", f"file://{repository}", str(target)]
    subprocess.run(command, env=ENVIRONMENT, check=True)
    seconds = time.perf_counter() - start
    os.sync()  # so that its data is not written back during the next measurement
    return seconds * 1000


def time_of_checkout(repository: Path, target: Path) -> float:
    """The milliseconds of a fetch into a mirror and a full checkout into an empty folder."""
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
    os.sync()  # see above
    return seconds * 1000


def fetch(mirror: Path, repository: Path) -> None:
    """Fetch the branch into the mirror."""
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
