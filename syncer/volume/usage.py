"""How much of the volume a site uses, computed from the records of its releases without looking at files.

A path and an mtime, which is the stamp of the release that wrote it, identify a file: hard links are made at the same
path only, and keep the mtime.
"""

from pages.api import SiteKey
from syncer.disk.policy import Usage
from syncer.volume import packing, records
from syncer.volume.layout import Volume, stamp_of


class Usages:
    """The usage of all sites, read once and then kept up to date."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._usages: dict[SiteKey, Usage] = {}

    def site(self, site: SiteKey) -> Usage:
        """The usage of all releases of the site."""
        usage = self._usages.get(site)
        if usage is None:
            usage = self._usages[site] = self._read(site)
        return usage

    def sites(self, namespace: str) -> list[SiteKey]:
        """The namespace's sites that have releases."""
        return self._volume.homes(namespace)

    def published(self, site: SiteKey, more: Usage, *, exact: bool) -> None:
        """Add a release; where ``more`` is not exact, the usage is read again."""
        if site in self._usages and exact:
            self._usages[site] += more
        else:
            self.forget(site)

    def forget(self, site: SiteKey) -> None:
        """Read the usage again when it is needed."""
        self._usages.pop(site, None)

    def _read(self, site: SiteKey) -> Usage:
        files: dict[tuple[str, int], int] = {}
        folders = 0
        for name in self._volume.releases(site):
            folder = self._volume.home(site) / name
            release, entries = records.read(folder), records.read_entries(folder)
            if release and entries is not None:
                folders += release.content.folders
                for path, entry in entries.items():
                    written = entry.mtime if release.content.hard_links else stamp_of(name)
                    files[path, written] = entry.size
                    if entry.packed:
                        files[packing.beside(path), written] = entry.packed
        return Usage(sum(files.values()), len(files) + folders)
