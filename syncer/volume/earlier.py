"""Which assets of earlier releases a new one still answers, so that pages that are open in a browser do not break.

A page that was loaded before a push asks later for what it knows by name: chunks, fonts, images. Where such a name
tells its content, as build tools give it, nothing else can be meant. They are files of the release like all others,
until their time is over.
"""

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pages.api import SiteKey
from syncer.content.tree import File
from syncer.volume import packing, records
from syncer.volume.files import folders_of, link
from syncer.volume.layout import Volume, make_folder, temporary_beside
from syncer.volume.records import Entries
from syncer.volume.usage import Usages

_LEAST_FILES = 1_000
_LEAST_BYTES = 16 << 20
# Before a dot stand 6 or more hexadecimal digits that are no number, or 8 letters, digits, "_" or "-" that are neither
# words nor words with a number. A wrong guess keeps a deleted file for a day, a missed one breaks an open page. (nginx,
# which lets browsers keep such a file for a year, asks for more.)
_HASH = re.compile(
    r"(?:^|[._-])(?!\d+\.)[0-9a-f]{8,128}(?=\.)"
    r"|(?:^|[._-])(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{6,7}(?=\.)"
    r"|(?:^|[.-])(?=[^.]*[A-Z0-9])(?!\d+\.|[A-Z]?[a-z]+[_-]?\d*\.|[A-Z_-]+\d*\.)[A-Za-z0-9_-]{8}(?=\.)"
)
_PAGE = (".html", ".htm", ".xhtml")


def tells_content(path: str) -> bool:
    """Whether the name may hold a hash of the content: ``app.3f9a2b1c.js``, ``index-BxYzAbCd.css``; never a page."""
    name = path.rpartition("/")[2]
    return bool(_HASH.search(name)) and not name.endswith(_PAGE)


def kept(known: Entries, files: set[str], size: int, *, now: int, seconds: float) -> Entries:
    """What stays of ``known``, the release before, beside the new one's ``files``, which have ``size`` bytes in all.

    What left first goes first where it is too much: a site's earlier assets take no more than the site.
    """
    taken = {*files, *folders_of(files)}
    gone = {}
    for path, entry in known.items():
        left = min(entry.gone or now, now)  # a clock may have been put back
        if now - left < seconds and path not in taken and tells_content(path) and folders_of([path]).isdisjoint(files):
            gone[path] = entry._replace(gone=left)
    bytes_left, files_left = max(size, _LEAST_BYTES), max(len(files), _LEAST_FILES)
    found = {}
    for path, entry in sorted(gone.items(), key=lambda item: (-item[1].gone, item[0])):
        bytes_left -= entry.size + (entry.packed or 0)
        files_left -= 1
        if bytes_left < 0 or files_left < 0:
            break
        found[path] = entry
    return found


def oldest(entries: Entries) -> int:
    """When the first of the earlier assets left; 0 where there are none."""
    return min((entry.gone for entry in entries.values() if entry.gone), default=0)


def expired(entries: Entries, *, now: int, seconds: float) -> Entries:
    """The earlier assets whose time is over."""
    return {path: entry for path, entry in entries.items() if entry.gone and now - entry.gone >= seconds}


class Earlier:
    """Keeps earlier assets in what is live, and deletes them when their time is over.

    By the time of day, for a restart shall not prolong it: a clock that jumps costs an open page an asset at worst.
    """

    def __init__(self, volume: Volume, usages: Usages, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._volume = volume
        self._usages = usages
        self._seconds = seconds
        self._clock = clock
        self._oldest: dict[SiteKey, tuple[str, int]] = {}  # of which release it is known
        self.records_lock = threading.Lock()  # for who changes the record of a live release

    def kept(self, known: Entries, files: Sequence[File]) -> Entries:
        """What a new release keeps of the one before."""
        size = sum(file.size for file in files)
        return kept(known, {file.path for file in files}, size, now=int(self._clock()), seconds=self._seconds)

    def carry_over(self, site: SiteKey, left: Path, known: Entries, folder: Path) -> bool:
        """Have the release in ``folder``, which goes live again, keep what it lacks of the one that is ``left``.

        Only by links: going back needs no room. Whether anything was written.
        """
        with self.records_lock:
            release, own = records.read(folder), records.read_entries(folder)
            if release is None or own is None:
                return False
            files = {path for path, entry in own.items() if not entry.gone}
            found = kept(known, files, release.size, now=int(self._clock()), seconds=self._seconds)
            if not found:
                return False
            taken = own.keys() | folders_of(own)
            again = {path: own[path]._replace(gone=entry.gone) for path, entry in found.items() if path in own}
            more = {path: entry for path, entry in found.items() if path not in taken}
            folders = folders_of(more) - taken
            entries = own | again | more
            release = replace(release, earlier=oldest(entries), folders=release.folders + len(folders))
            self._volume.fence()
            # The record comes first: that there is less than it says is allowed of these, more would be damage.
            records.write(folder, temporary_beside(folder), release, entries)
            for path in sorted(folders):
                make_folder(folder / path)
            link(left, folder, more)
        self._oldest.pop(site, None)
        self._usages.forget(site)
        return True

    def collect(self) -> None:
        """Delete those whose time is over. Most sites have none, which costs a look at their link."""
        now = int(self._clock())
        for site in self._volume.sites():
            name = self._volume.live_release(site)
            if name is None:
                continue
            known, first = self._oldest.get(site, ("", 0))
            folder = self._volume.home(site) / name
            if known != name:
                release = records.read(folder)
                first = release.earlier if release else 0
                self._oldest[site] = name, first
            if first and now - first >= self._seconds:
                self._delete(site, folder, seconds=self._seconds)

    def drop(self, site: SiteKey, folder: Path) -> bool:
        """Delete all of a live release, for want of room; whether there were any."""
        return self._delete(site, folder, seconds=0)

    def _delete(self, site: SiteKey, folder: Path, *, seconds: float) -> bool:
        with self.records_lock:
            release, entries = records.read(folder), records.read_entries(folder)
            if release is None or entries is None:
                return False
            over = expired(entries, now=int(self._clock()), seconds=seconds)
            self._volume.fence()
            # Whoever looks in between finds less than the record says, which is allowed of these.
            for path in [*over, *(packing.beside(path) for path, entry in over.items() if entry.packed)]:
                with suppress(FileNotFoundError):
                    (folder / path).unlink()
            left = {path: entry for path, entry in entries.items() if path not in over}
            records.write(folder, temporary_beside(folder), replace(release, earlier=oldest(left)), left)
        self._oldest.pop(site, None)
        self._usages.forget(site)
        return bool(over)
