"""Room for a release: what is free on the disk, and what the site and its namespace may still use."""

from pages.api import SiteKey
from syncer.disk.policy import DiskPolicy, Quota, Usage, readable_size
from syncer.disk.room import Disk
from syncer.errors import QuotaExceeded, StorageFull
from syncer.volume.retention import Retention
from syncer.volume.usage import Usages


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
