"""A release is written, whole and unseen: what there is room for, in a folder of its own.

It is named after its stamp, a second later than any before it, which is also the mtime of its new files: a
changed file never keeps its ETag (made of mtime and size), an unchanged one is a hard link into the release before
and always does.
"""

from collections.abc import Callable
from dataclasses import replace
from errno import EEXIST, ENOTEMPTY
from pathlib import Path
from typing import NamedTuple

import structlog

from pages.api import SiteKey
from syncer.content.tree import Listing, ReadBlobs
from syncer.disk.policy import Usage
from syncer.errors import QuotaExceeded, StorageFailed, StorageFull
from syncer.volume import earlier, files, packing, records
from syncer.volume.earlier import Earlier
from syncer.volume.files import Plan, Written
from syncer.volume.layout import Volume, delete, stamp_of, temporary_beside
from syncer.volume.records import Entries, Release
from syncer.volume.space import Room
from syncer.volume.verification import Verification

log = structlog.get_logger(__name__)


class Changes(NamedTuple):
    """What a release has of its own and what it took over from the one before, in files; ``bytes`` of what is new.

    ``removed`` are the files of the one before that it has no more.
    """

    written: int
    linked: int
    copied: int
    removed: int
    bytes: int


class Writer:
    """Writes to the volume what visitors do not see yet."""

    def __init__(
        self, volume: Volume, verification: Verification, earlier: Earlier, room: Room, clock: Callable[[], float]
    ) -> None:
        self._volume = volume
        self._verification = verification
        self._earlier = earlier
        self._room = room
        self._clock = clock
        self._copies = False

    def plan(self, site: SiteKey, listing: Listing, folder: Path | None, known: Entries) -> Plan:
        """What to write, for which there is room: earlier assets go where there is none otherwise."""
        placed = [packing.place(file) for file in listing.files]
        kept = self._earlier.kept(known, placed)
        planned = files.plan(placed, folder, known, kept)
        try:
            self._room.make(site, need(planned))
        except (QuotaExceeded, StorageFull):
            if folder is None or not self._earlier.drop(site, folder):
                raise
            planned = files.plan(placed, folder, self._verification.sound_entries(site, folder), {})
            self._room.make(site, need(planned))
        return planned

    def write(
        self, site: SiteKey, draft: Release, listing: Listing, planned: Plan, blobs: ReadBlobs
    ) -> tuple[Release, str, Written]:
        """A whole release that nobody sees yet, its name, and what was written."""
        temporary = self._volume.new_folder(site)
        try:
            stamp = self._next_stamp(site)
            written = files.write(temporary, stamp, planned, blobs)
            self._say_once(site, copies=bool(written.copied))
            release = replace(
                draft,
                stamp=stamp,
                size=listing.size,
                files=len(listing.files),
                skipped=dict(listing.skipped),
                folders=len(planned.folders),
                hard_links=not written.copied,
                earlier=earlier.oldest(written.entries),
            )
            folder = temporary.with_name(f"{stamp}-{release.tree[:12]}")
            records.write(folder, temporary_beside(folder), release, written.entries)
            _rename(temporary, folder)
        except BaseException:
            delete(temporary)
            raise
        return release, folder.name, written

    def _next_stamp(self, site: SiteKey) -> int:
        return max([int(self._clock()), *(stamp_of(name) + 1 for name in self._volume.releases(site))])

    def _say_once(self, site: SiteKey, *, copies: bool) -> None:
        if copies and not self._copies:
            self._copies = True
            log.warning(
                "hard_links_refused", site=str(site), consequence="unchanged files are copied and take room again"
            )


def changes(before: Entries, written: Written) -> Changes:
    """Files that are as they were keep the stamp that they were written with."""
    entries = {path: entry for path, entry in written.entries.items() if not entry.gone}
    copied = len(written.copied & entries.keys())
    new = [entry for path, entry in entries.items() if before.get(path) != entry]
    return Changes(
        written=len(new),
        linked=len(entries) - len(new) - copied,
        copied=copied,
        removed=sum(path not in entries for path in before),
        bytes=sum(entry.size for entry in new),
    )


def need(planned: Plan) -> Usage:
    """What the release will use beyond what the one before does (but for packed copies)."""
    new = planned.new
    return Usage(sum(file.size for file in new), len(new) + len(planned.folders))


def _rename(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError as error:
        if error.errno in {EEXIST, ENOTEMPTY}:
            raise StorageFailed("another syncer has published here; look for a second one on this volume") from error
        raise
