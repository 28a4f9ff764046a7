"""Commit statuses: a forge shows beside a commit that it is pending, live or failed (``spec.commitStatus``)."""

from typing import Protocol


class CommitStatusResults(Protocol):
    """Where the results of commit statuses are kept."""

    def result(self, uid: str) -> str | None:
        """The result of the last attempt for a site, in words."""
