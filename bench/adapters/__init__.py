"""One small adapter for each syncer that is measured: how it is started, how it is told, where its sites are live."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Site:
    """A folder of the branch main of a repository."""

    name: str
    repo: str
    path: str = ""


class Running(Protocol):
    """A syncer at work."""

    def live(self, site: Site) -> Path:
        """Where the site's files are, for whoever serves them."""

    def tell(self, repo: str) -> None:
        """Say that something was pushed there. It may come back before the sites are live, or after that."""

    def processes(self) -> Iterable[int]:
        """The processes that belong to it, without their children."""


class Peer(Protocol):
    """A kind of syncer. ``most_sites``: with more of them it would not fit into this machine."""

    name: str
    most_sites: int

    def start(self, sites: Sequence[Site], origin: str, root: Path) -> AbstractContextManager[Running]:
        """Sync the sites, from an empty folder."""
