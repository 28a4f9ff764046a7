"""Keeps some assets of earlier releases in the new one, so that pages open in a browser do not break.

A page that was loaded before a push later requests chunks, fonts and images by the names it has. Names that contain a
hash of the content, as build tools make them, cannot mean anything else. Such assets are files of the release like all
others, until their time is over.
"""

import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pages.api import SiteKey
from syncer.clocks import Clock
from syncer.content.tree import File
from syncer.volume import packing, records
from syncer.volume.files import folders_of, link
from syncer.volume.layout import Volume, make_folder, temporary_beside
from syncer.volume.records import FileRecords
from syncer.volume.usage import Usages

_LEAST_FILES = 1_000
_LEAST_BYTES = 16 << 20
# Before a dot: 6 or more hexadecimal digits that are not a number, or 8 letters, digits, "_" or "-" that are neither
# words nor words with a number. A wrong match keeps a deleted file for a day, a missed one breaks an open page. (nginx,
# which lets browsers keep such files for a year, is stricter.)
_HASH = re.compile(
    r"(?:^|[._-])(?!\d+\.)[0-9a-f]{8,128}(?=\.)"
    r"|(?:^|[._-])(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{6,7}(?=\.)"
    r"|(?:^|[.-])(?=[^.]*[A-Z0-9])(?!\d+\.|[A-Z]?[a-z]+[_-]?\d*\.|[A-Z_-]+\d*\.)[A-Za-z0-9_-]{8}(?=\.)"
)
_PAGE = (".html", ".htm", ".xhtml")


def tells_content(path: str) -> bool:
    """Whether the name may contain a hash of the content: ``app.3f9a2b1c.js``, ``index-BxYzAbCd.css``; never a page."""
    name = path.rpartition("/")[2]
    return bool(_HASH.search(name)) and not name.endswith(_PAGE)


def kept(previous: FileRecords, files: set[str], size: int, *, now: int, seconds: float) -> FileRecords:
    """The files of the release before that stay beside the new ``files``, which have ``size`` bytes together.

    Earlier assets may use as much as the site itself; beyond that, those that left first are deleted first.
    """
    taken = {*files, *folders_of(files)}
    gone = {}
    for path, entry in previous.items():
        left = min(entry.gone or now, now)  # the clock may have been set back
        if now - left < seconds and path not in taken and tells_content(path) and folders_of([path]).isdisjoint(files):
            gone[path] = entry._replace(gone=left)
    bytes_left, files_left = max(size, _LEAST_BYTES), max(len(files), _LEAST_FILES)
    staying = {}
    for path, entry in sorted(gone.items(), key=lambda item: (-item[1].gone, item[0])):
        bytes_left -= entry.size + (entry.packed or 0)
        files_left -= 1
        if bytes_left < 0 or files_left < 0:
            break
        staying[path] = entry
    return staying


def oldest(entries: FileRecords) -> int:
    """When the first of the earlier assets left; 0 where there are none."""
    return min((entry.gone for entry in entries.values() if entry.gone), default=0)


def expired(entries: FileRecords, *, now: int, seconds: float) -> FileRecords:
    """The earlier assets whose time is over."""
    return {path: entry for path, entry in entries.items() if entry.gone and now - entry.gone >= seconds}


class Earlier:
    """Keeps earlier assets in live releases, and deletes them when their time is over.

    It uses the time of day, so that a restart does not prolong it; a clock that jumps costs an open page an asset.
    """

    def __init__(self, volume: Volume, usages: Usages, seconds: float, clock: Clock) -> None:
        self._volume = volume
        self._usages = usages
        self._seconds = seconds
        self._clock = clock
        self._oldest: dict[SiteKey, tuple[str, int]] = {}  # the release that it was read of
        self.records_lock = threading.Lock()  # held to change the record of a live release

    def kept(self, previous: FileRecords, files: Sequence[File]) -> FileRecords:
        """The assets that a new release keeps of the one before."""
        size = sum(file.size for file in files)
        return kept(previous, {file.path for file in files}, size, now=int(self._clock.now()), seconds=self._seconds)

    def carry_over(self, site: SiteKey, left: Path, sound: FileRecords, folder: Path) -> bool:
        """Link assets of the release ``left`` into the one in ``folder``, which goes live again.

        Links only, because a rollback must not need space. Returns whether anything was written.
        """
        with self.records_lock:
            release, own = records.read(folder), records.read_entries(folder)
            if release is None or own is None:
                return False
            files = {path for path, entry in own.items() if not entry.gone}
            staying = kept(sound, files, release.content.size, now=int(self._clock.now()), seconds=self._seconds)
            if not staying:
                return False
            taken = own.keys() | folders_of(own)
            again = {path: own[path]._replace(gone=entry.gone) for path, entry in staying.items() if path in own}
            more = {path: entry for path, entry in staying.items() if path not in taken}
            folders = folders_of(more) - taken
            entries = own | again | more
            content = replace(release.content, earlier=oldest(entries), folders=release.content.folders + len(folders))
            release = replace(release, content=content)
            self._volume.fence.check()
            # The record comes first: it may name assets that are missing, while unnamed files count as damage.
            records.write(folder, temporary_beside(folder), release, entries)
            for path in sorted(folders):
                make_folder(folder / path)
            link(left, folder, more)
        self._oldest.pop(site, None)
        self._usages.forget(site)
        return True

    def collect(self) -> None:
        """Delete assets whose time is over. Most sites have none, which costs one look at their link."""
        now = int(self._clock.now())
        for site in self._volume.sites():
            name = self._volume.live_release(site)
            if name is None:
                continue
            recorded, first = self._oldest.get(site, ("", 0))
            folder = self._volume.home(site) / name
            if recorded != name:
                release = records.read(folder)
                first = release.content.earlier if release else 0
                self._oldest[site] = name, first
            if first and now - first >= self._seconds:
                self._delete(site, folder, seconds=self._seconds)

    def drop(self, site: SiteKey, folder: Path) -> bool:
        """Delete all earlier assets of a live release, to make room. Returns whether it had any."""
        return self._delete(site, folder, seconds=0)

    def _delete(self, site: SiteKey, folder: Path, *, seconds: float) -> bool:
        with self.records_lock:
            release, entries = records.read(folder), records.read_entries(folder)
            if release is None or entries is None:
                return False
            over = expired(entries, now=int(self._clock.now()), seconds=seconds)
            self._volume.fence.check()
            # A reader meanwhile sees fewer files than the record names, which is allowed for these.
            for path in [*over, *(packing.beside(path) for path, entry in over.items() if entry.packed)]:
                with suppress(FileNotFoundError):
                    (folder / path).unlink()
            left = {path: entry for path, entry in entries.items() if path not in over}
            release = replace(release, content=replace(release.content, earlier=oldest(left)))
            records.write(folder, temporary_beside(folder), release, left)
        self._oldest.pop(site, None)
        self._usages.forget(site)
        return bool(over)
