"""Releases and clocks as tests need them."""

from typing import Any

from syncer.volume.records import Content, Origin, Release

REPO = "https://forge.example.com/team/docs"


class Clock:
    """Seconds that pass when a test says so: the time of day, which may also jump, and the monotonic time."""

    def __init__(self) -> None:
        self.day = 1_700_000_000.0
        self.ticked = 5.0

    def now(self) -> float:
        return self.day

    def ticks(self) -> float:
        return self.ticked

    def wait(self, seconds: float) -> None:
        self.day += seconds
        self.ticked += seconds


def an_origin(commit: str = "c" * 40, **fields: Any) -> Origin:
    """Where the release of a site with the uid ``u1`` came from."""
    return Origin(**{"uid": "u1", "repo": REPO, "branch": "main", "commit": commit, "path": "", **fields})


def a_release(origin: Origin | None = None, *, stamp: int = 0, **content: Any) -> Release:
    """A release with this content."""
    return Release(origin or an_origin(), Content(**{"tree": "t" * 40, **content}), stamp)
