"""Where StaticSites, Secrets and statuses live. The syncer knows only this interface, not which world it is in."""

from dataclasses import dataclass, field
from typing import Protocol

from pages.api import Platform, SiteKey, StaticSite, StaticSiteStatus, VirtualHost
from pages.core import Secret


@dataclass(frozen=True)
class Snapshot:
    """All objects at one moment. Where it is not ``complete``, a missing site is no reason to remove anything.

    ``unreadable``: sites that exist and cannot be read; what is live stays so.
    ``deleted``: those that are gone beyond doubt, even where the rest is not complete.
    """

    sites: list[StaticSite] = field(default_factory=list)
    unreadable: frozenset[SiteKey] = frozenset()
    deleted: frozenset[SiteKey] = frozenset()
    complete: bool = True
    platform: Platform | None = None
    virtual_hosts: list[VirtualHost] = field(default_factory=list)


class Store(Protocol):
    """What the syncer reads and writes. Methods may be called from any thread."""

    def snapshot(self) -> Snapshot:
        """The objects as they are now."""

    def secret(self, namespace: str, name: str) -> Secret | None:
        """A Secret, read at each use, or None where there is none. Raises a SyncError where it may not be read."""

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        """Replace the status of this very site (by uid); one that is gone is passed over. Raises StatusNotWritten."""


class StatusNotWritten(Exception):
    """The status could not be written now; it is tried again, no sooner than after ``pause`` seconds."""

    def __init__(self, text: str, pause: float = 0.0) -> None:
        super().__init__(text)
        self.pause = pause
