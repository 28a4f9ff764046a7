"""Writes a release completely, in a folder of its own, before visitors see any of it.

The folder is named after its stamp, a second later than any before it, which is also the mtime of its new files: a
changed file never keeps its ETag (made of mtime and size), an unchanged one is a hard link into the release before
and always does.
"""

from errno import EEXIST, ENOTEMPTY
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from pages.api import SiteKey
from syncer.clocks import Clock
from syncer.content.tree import Listing, ReadBlobs
from syncer.disk.policy import Usage
from syncer.errors import QuotaExceeded, StorageFailed, StorageFull
from syncer.volume import earlier, files, packing, records
from syncer.volume.earlier import Earlier
from syncer.volume.files import Plan, WrittenFiles
from syncer.volume.layout import Volume, delete, stamp_of, temporary_beside
from syncer.volume.records import Content, FileRecords, Origin, Release
from syncer.volume.space import Room
from syncer.volume.verification import Verification

log = structlog.get_logger(__name__)


class Draft(NamedTuple):
    """A release to write: the files of a commit's folder, whose git tree is ``tree``."""

    origin: Origin
    tree: str
    listing: Listing
    rules: dict[str, Any] | None = None


class Changes(NamedTuple):
    """How many files of a release are new and how many come from the one before; ``bytes`` of the new ones.

    ``removed`` are the files of the one before that it lacks.
    """

    written: int
    linked: int
    copied: int
    removed: int
    bytes: int


class Writer:
    """Writes to the volume what visitors do not see yet."""

    def __init__(self, volume: Volume, verification: Verification, earlier: Earlier, room: Room, clock: Clock) -> None:
        self._volume = volume
        self._verification = verification
        self._earlier = earlier
        self._room = room
        self._clock = clock
        self._warned = False

    def plan(self, site: SiteKey, listing: Listing, folder: Path | None, previous: FileRecords) -> Plan:
        """What to write, after room was made for it: the assets of earlier releases go if that is necessary.

        ``previous`` are the files in ``folder``, the release before, that may be taken over.
        """
        placed = [packing.place(file) for file in listing.files]
        kept = self._earlier.kept(previous, placed)
        planned = files.plan(placed, folder, previous, kept)
        try:
            self._room.make(site, need(planned))
        except (QuotaExceeded, StorageFull):
            if folder is None or not self._earlier.drop(site, folder):
                raise
            planned = files.plan(placed, folder, self._verification.sound_entries(site, folder), {})
            self._room.make(site, need(planned))
        return planned

    def write(self, site: SiteKey, draft: Draft, planned: Plan, blobs: ReadBlobs) -> tuple[Release, str, WrittenFiles]:
        """A complete release that visitors do not see yet, its name, and what was written."""
        temporary = self._volume.new_folder(site)
        try:
            stamp = self._next_stamp(site)
            written = files.write(temporary, stamp, planned, blobs)
            if written.copied:
                self._warn_once(site)
            content = Content(
                tree=draft.tree,
                size=draft.listing.size,
                files=len(draft.listing.files),
                skipped=dict(draft.listing.skipped),
                folders=len(planned.folders),
                hard_links=not written.copied,
                rules=draft.rules,
                earlier=earlier.oldest(written.entries),
            )
            release = Release(draft.origin, content, stamp)
            folder = temporary.with_name(f"{stamp}-{draft.tree[:12]}")
            records.write(folder, temporary_beside(folder), release, written.entries)
            _rename(temporary, folder)
        except BaseException:
            delete(temporary)
            raise
        return release, folder.name, written

    def _next_stamp(self, site: SiteKey) -> int:
        return max([int(self._clock.now()), *(stamp_of(name) + 1 for name in self._volume.releases(site))])

    def _warn_once(self, site: SiteKey) -> None:
        if not self._warned:
            self._warned = True
            log.warning(
                "hard_links_refused", site=str(site), consequence="unchanged files are copied, using extra space"
            )


def changes(before: FileRecords, written: WrittenFiles) -> Changes:
    """Compare the files: one that did not change keeps the stamp it was written with."""
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
    """What the release will use in addition to the one before (but for packed copies)."""
    new = planned.new
    return Usage(sum(file.size for file in new), len(new) + len(planned.folders))


def _rename(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError as error:
        if error.errno in {EEXIST, ENOTEMPTY}:
            raise StorageFailed("another syncer is writing to this volume; stop one of them") from error
        raise
