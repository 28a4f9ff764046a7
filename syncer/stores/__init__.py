"""Stores of StaticSites, Secrets and statuses. The syncer uses this interface only, in a cluster and without one."""

from dataclasses import dataclass, field
from typing import Protocol

from pages.api import Platform, SiteKey, StaticSite, StaticSiteStatus, VirtualHost
from pages.core import Secret


@dataclass(frozen=True)
class Snapshot:
    """All objects at one moment. Where it is not ``complete``, a missing site may exist, and stays live.

    ``unreadable`` sites exist and stay live, but cannot be parsed. ``deleted`` ones are certainly gone, even where the
    snapshot is not complete.
    """

    sites: list[StaticSite] = field(default_factory=list)
    unreadable: frozenset[SiteKey] = frozenset()
    deleted: frozenset[SiteKey] = frozenset()
    complete: bool = True
    platform: Platform | None = None
    virtual_hosts: list[VirtualHost] = field(default_factory=list)


class Store(Protocol):
    """The objects that the syncer reads and writes. Methods may be called from any thread."""

    def snapshot(self) -> Snapshot:
        """The objects at this moment."""

    def secret(self, namespace: str, name: str) -> Secret | None:
        """A Secret, read for each use, or None if it does not exist. Raises a SyncError if it cannot be read."""

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        """Replace the status of the site with this uid, if it still exists. Raises StatusNotWritten."""


class StatusNotWritten(Exception):
    """The status could not be written; the caller retries after ``pause`` seconds at the earliest."""

    def __init__(self, text: str, pause: float = 0.0) -> None:
        super().__init__(text)
        self.pause = pause
