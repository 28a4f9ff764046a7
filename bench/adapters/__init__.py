"""An adapter for each syncer: how to start it, how to notify it of a push, and where its live sites are."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Site:
    """A folder on the branch main of a repository."""

    name: str
    repo: str
    path: str = ""


class Running(Protocol):
    """A running syncer."""

    def live(self, site: Site) -> Path:
        """The folder with the site's live files."""

    def tell(self, repo: str) -> None:
        """Notify the syncer of a push. The call may return before or after the sites are live."""

    def processes(self) -> Iterable[int]:
        """The processes of the syncer, without their children."""


class Peer(Protocol):
    """A kind of syncer. ``most_sites`` is the largest number that fits into the memory of a usual machine."""

    name: str
    most_sites: int

    def start(self, sites: Sequence[Site], origin: str, root: Path) -> AbstractContextManager[Running]:
        """Start a syncer for the sites in an empty folder."""
