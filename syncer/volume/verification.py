"""Whether what is on the volume is what we wrote: each live release's structure, and by and by its content (F16)."""

import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

import structlog

from pages.api import SiteKey
from syncer.volume import packing, records
from syncer.volume.files import BlobHash, is_as_written
from syncer.volume.layout import Volume
from syncer.volume.records import Entries, Entry

log = structlog.get_logger(__name__)

_CHUNK = 1 << 18
_LEAST = 1 << 12  # bytes that a file counts as, for opening one costs something too


class Verification:
    """Knows which live releases are damaged, and looks for more."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._damaged: set[SiteKey] = set()
        self._unsound: set[tuple[SiteKey, str]] = set()  # releases that were found to be so, live or not
        self._looked_at: set[SiteKey] = set()
        self._next = (SiteKey("", ""), "")  # where the next turn begins

    def is_damaged(self, site: SiteKey) -> bool:
        """Whether the live release is damaged; its structure is looked at when it is first asked for."""
        if site not in self._looked_at:
            self._looked_at.add(site)
            self._check_structure(site)
        return site in self._damaged

    def published(self, site: SiteKey) -> None:
        """There is another release, or none: what was known of the one before is void."""
        self._looked_at.add(site)
        self._damaged.discard(site)

    def is_sound(self, site: SiteKey, name: str, *, content: bool) -> bool:
        """Whether a release that is not live could be so; its ``content`` is read where that is asked for."""
        folder = self._volume.home(site) / name
        entries = records.read_entries(folder)
        if entries is None or (site, name) in self._unsound or _difference(folder, entries):
            return False
        return not content or all(_has_content(folder / path, entry) for path, entry in entries.items())

    def sound_entries(self, site: SiteKey, folder: Path) -> Entries:
        """The files that the next release may take over."""
        entries = records.read_entries(folder) or {}
        if site not in self._damaged:
            return entries
        return {path: entry for path, entry in entries.items() if _is_sound(folder, path, entry)}

    def turn(self, most_bytes: int) -> list[SiteKey]:
        """Read some of what is live, going on where the last turn ended; return the sites found to be damaged."""
        before = set(self._damaged)
        first, path = self._next
        sites = sorted(self._volume.sites())
        later = [site for site in sites if site >= first]
        left = most_bytes
        for site in [*later, *sites[: len(sites) - len(later)]]:
            left, path = self._check_content(site, path if site == first else "", left)
            if path:
                self._next = (site, path)
                break
        else:
            self._next = (first, "")
        return sorted(self._damaged - before)

    def _check_structure(self, site: SiteKey) -> None:
        name = self._volume.live_release(site)
        if name is None:
            return
        folder = self._volume.home(site) / name
        entries = records.read_entries(folder)
        if entries is None:
            self._note(site, name, "its record is missing or broken")
        elif damage := _difference(folder, entries):
            self._note(site, name, damage)

    def _check_content(self, site: SiteKey, start: str, left: int) -> tuple[int, str]:
        """Return the bytes that may still be read, and where to go on, if not all were."""
        name = self._volume.live_release(site)
        if name is None or site in self._damaged:
            return left, ""
        self._check_structure(site)
        folder = self._volume.home(site) / name
        for path, entry in sorted((records.read_entries(folder) or {}).items()):
            if path < start:
                continue
            if left <= 0:
                return left, path
            left -= max(entry.size, _LEAST)
            if not _is_sound(folder, path, entry):
                self._note(site, name, f"the content of {path!r} has changed")
                break
        return left, ""

    def _note(self, site: SiteKey, name: str, damage: str) -> None:
        if self._volume.live_release(site) == name:  # else it was replaced while we looked
            self._damaged.add(site)
            self._unsound.add((site, name))
            log.error("release_damaged", site=str(site), release=name, damage=damage)


def _difference(folder: Path, entries: Entries) -> str:
    """How the folder differs from the record, in words."""
    if not folder.is_dir():
        return "its folder is missing"
    missing = {path: (entry.size, entry) for path, entry in entries.items()}
    missing |= {packing.beside(path): (entry.packed, entry) for path, entry in entries.items() if entry.packed}
    for root, folders, names, descriptor in os.fwalk(folder):
        inside = os.path.relpath(root, folder)
        for name in folders:
            if stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                return f"{name!r} is a link, which nginx would follow"
        for name in names:
            path = name if inside == "." else f"{inside}/{name}"
            expected = missing.pop(path, None)
            if expected is None:
                return f"{path!r} does not belong to it"
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            size, entry = expected
            if not stat.S_ISREG(found.st_mode) or not is_as_written(found, size, entry.mtime):
                return f"{path!r} has another kind, size or time"
    lost = next((path for path, (_, entry) in missing.items() if not entry.gone), None)
    return f"{lost!r} is missing" if lost is not None else ""


def _is_sound(folder: Path, path: str, entry: Entry) -> bool:
    """Whether the file has its content, and its packed copy the same."""
    return _has_content(folder / path, entry) and (
        not entry.packed or _has_content(folder / packing.beside(path), entry, packed=True)
    )


def _has_content(path: Path, entry: Entry, *, packed: bool = False) -> bool:
    digest = BlobHash(entry.oid, entry.size)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        for chunk in packing.unpacked(descriptor, entry.size) if packed else _chunks(descriptor):
            digest.update(chunk)
    except FileNotFoundError:
        return bool(entry.gone)  # its time was over
    except (OSError, zlib.error):
        return False
    return digest.matches()


def _chunks(descriptor: int) -> Iterator[bytes]:
    with os.fdopen(descriptor, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
