"""Room for a release: what is free on the disk, and what the site and its namespace may still use."""

import os
from dataclasses import dataclass
from pathlib import Path

from syncer.disk.policy import DiskPolicy, Quota, readable_size
from syncer.errors import QuotaExceeded, StorageFull
from syncer.volume.records import SiteKey
from syncer.volume.retention import Retention
from syncer.volume.usage import Usage, Usages


@dataclass(frozen=True)
class Disk:
    """The file system that a folder is on, and the share of it that is kept free."""

    folder: Path
    keep_free: float

    def shortage(self, need: Usage = Usage()) -> str:  # noqa: B008 - frozen
        """What is short where this is needed, in words; nothing where there is room."""
        found = os.statvfs(self.folder)
        size, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
        # Each file takes whole blocks.
        needed = need.bytes + need.files * found.f_frsize
        if free - needed < size * self.keep_free:
            return (
                f"{readable_size(free)} of {readable_size(size)} are free{self._reserve()}, "
                f"and {readable_size(needed)} are needed"
            )
        # No number at all: there are as many as one likes.
        if found.f_files and found.f_favail - need.files < found.f_files * self.keep_free:
            return (
                f"room for {found.f_favail:,} of {found.f_files:,} files is free{self._reserve()}, "
                f"and {need.files:,} are needed"
            )
        return ""

    def _reserve(self) -> str:
        return f" (of which {self.keep_free:.0%} stays so)" if self.keep_free else ""


class Room:
    """Sees that there is room on the volume, if need be by deleting old releases."""

    def __init__(self, disk: Disk, retention: Retention, usages: Usages, policy: DiskPolicy) -> None:
        self._disk = disk
        self._retention = retention
        self._usages = usages
        self._policy = policy

    def make(self, site: SiteKey, need: Usage) -> None:
        """Raise QuotaExceeded or StorageFull where there is no room for this much more of the site."""
        self._check_quota(self._policy.site, need, [site], f"the site {site}", "site")
        of_namespace = self._usages.sites(site.namespace) if self._policy.namespace != Quota() else []
        whose = f"namespace {site.namespace}"
        self._check_quota(self._policy.namespace, need, of_namespace, whose, "namespace")
        self.relieve(need)
        if shortage := self._disk.shortage(need):
            raise StorageFull(f"the volume is full: {shortage}; free space or make it larger (the last release stays)")

    def relieve(self, need: Usage = Usage()) -> None:  # noqa: B008 - frozen
        """Delete old releases while the disk is short."""
        if self._disk.shortage(need):
            self._retention.press(lambda: not self._disk.shortage(need))

    def _check_quota(self, quota: Quota, need: Usage, sites: list[SiteKey], whose: str, word: str) -> None:
        def used() -> Usage:
            return sum((self._usages.site(site) for site in sites), Usage())

        def fits() -> bool:
            after = used() + need
            return after.bytes <= (quota.bytes or after.bytes) and after.files <= (quota.files or after.files)

        if quota == Quota() or fits():
            return
        self._retention.press(fits, sites)
        if not fits():
            limits = [readable_size(quota.bytes)] if quota.bytes else []
            limits += [f"{quota.files:,} files"] if quota.files else []
            now = used()
            raise QuotaExceeded(
                f"{whose} may use {' and '.join(limits)} of the volume, uses {readable_size(now.bytes)} and "
                f"{now.files:,} files, and needs {readable_size(need.bytes)} and {need.files:,} files more for this "
                f"release; publish less, or ask the administrator (--{word}-quota, --{word}-quota-files)"
            )
