"""The simplest script: ``git clone`` of each repository, then ``git pull`` in one after another."""

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.adapters import Site
from tests.support.repositories import ENVIRONMENT


class Loop:
    """The peer."""

    name = "clone/pull loop"
    most_sites = 200

    @contextmanager
    def start(self, sites: Sequence[Site], origin: str, root: Path) -> Iterator["_Running"]:  # noqa: ARG002 - a Peer's
        root.mkdir(parents=True)
        for site in sites:
            _git("clone", "--quiet", "--depth=1", site.repo, str(root / site.name))
        yield _Running(root, sites)


class _Running:
    def __init__(self, root: Path, sites: Sequence[Site]) -> None:
        self._root = root
        self._sites = sites

    def live(self, site: Site) -> Path:
        return self._root / site.name / site.path

    def tell(self, repo: str) -> None:
        for site in self._sites:
            if site.repo == repo:
                _git("-C", str(self._root / site.name), "pull", "--quiet", "--ff-only")

    def processes(self) -> Iterable[int]:
        return [os.getpid()]


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], env=ENVIRONMENT, check=True)
