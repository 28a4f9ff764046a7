"""How much of the volume a site uses, read from the records of its releases: no file is looked at.

A file is told from another by its path and its mtime, which is the stamp of the release that wrote it: hard links are
made at the same path only, and keep it.
"""

from pages.api import SiteKey
from syncer.disk.policy import Usage
from syncer.volume import packing, records
from syncer.volume.layout import Volume, stamp_of


class Usages:
    """What the sites use, known from then on."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._known: dict[SiteKey, Usage] = {}

    def site(self, site: SiteKey) -> Usage:
        """What all releases of the site use."""
        usage = self._known.get(site)
        if usage is None:
            usage = self._known[site] = self._read(site)
        return usage

    def sites(self, namespace: str) -> list[SiteKey]:
        """The namespace's sites that have releases."""
        return self._volume.homes(namespace)

    def published(self, site: SiteKey, more: Usage, *, exact: bool) -> None:
        """A release uses this much more; where that is not exact, all is read anew."""
        if site in self._known and exact:
            self._known[site] += more
        else:
            self.forget(site)

    def forget(self, site: SiteKey) -> None:
        """Something has changed: read it anew when it is asked for."""
        self._known.pop(site, None)

    def _read(self, site: SiteKey) -> Usage:
        files: dict[tuple[str, int], int] = {}
        folders = 0
        for name in self._volume.releases(site):
            folder = self._volume.home(site) / name
            release, entries = records.read(folder), records.read_entries(folder)
            if release and entries is not None:
                folders += release.folders
                for path, entry in entries.items():
                    written = entry.mtime if release.hard_links else stamp_of(name)
                    files[path, written] = entry.size
                    if entry.packed:
                        files[packing.beside(path), written] = entry.packed
        return Usage(sum(files.values()), len(files) + folders)
