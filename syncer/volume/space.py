"""Room for a release: what is free on the disk, and what the site and its namespace may still use."""

from typing import NamedTuple

from pages.api import SiteKey
from syncer.disk.policy import DiskPolicy, Quota, Usage, readable_size
from syncer.disk.room import Disk
from syncer.errors import QuotaExceeded, StorageFull
from syncer.volume.retention import Retention
from syncer.volume.usage import Usages


class _Account(NamedTuple):
    """A site or a namespace, with its quota and the options that set it."""

    name: str
    quota: Quota
    sites: list[SiteKey]
    option: str


class Room:
    """Makes room on the volume, by deleting old releases where necessary."""

    def __init__(self, disk: Disk, retention: Retention, usages: Usages, policy: DiskPolicy) -> None:
        self._disk = disk
        self._retention = retention
        self._usages = usages
        self._policy = policy

    def make(self, site: SiteKey, need: Usage) -> None:
        """Raise QuotaExceeded or StorageFull where the site cannot have this much more."""
        self._check_quota(_Account(f"the site {site}", self._policy.site, [site], "site"), need)
        if self._policy.namespace != Quota():
            sites = self._usages.sites(site.namespace)
            account = _Account(f"namespace {site.namespace}", self._policy.namespace, sites, "namespace")
            self._check_quota(account, need)
        self.relieve(need)
        if shortage := self._disk.shortage(need):
            raise StorageFull(f"the volume is full: {shortage}; free space or enlarge it (the last release stays live)")

    def relieve(self, need: Usage = Usage()) -> None:  # noqa: B008 - frozen
        """Delete old releases while the disk is short."""
        if self._disk.shortage(need):
            for _ in self._retention.delete_early():
                if not self._disk.shortage(need):
                    break

    def _check_quota(self, account: _Account, need: Usage) -> None:
        if account.quota == Quota() or self._fits(account, need):
            return
        if any(self._fits(account, need) for _ in self._retention.delete_early(account.sites)):
            return
        limits = [readable_size(account.quota.bytes)] if account.quota.bytes else []
        limits += [f"{account.quota.files:,} files"] if account.quota.files else []
        used = self._used(account)
        raise QuotaExceeded(
            f"{account.name} may use {' and '.join(limits)} of the volume, uses {readable_size(used.bytes)} and "
            f"{used.files:,} files, and needs {readable_size(need.bytes)} and {need.files:,} files more for this "
            f"release; publish less, or ask the administrator "
            f"(--{account.option}-quota, --{account.option}-quota-files)"
        )

    def _fits(self, account: _Account, need: Usage) -> bool:
        after, quota = self._used(account) + need, account.quota
        return after.bytes <= (quota.bytes or after.bytes) and after.files <= (quota.files or after.files)

    def _used(self, account: _Account) -> Usage:
        return sum((self._usages.site(site) for site in account.sites), Usage())
