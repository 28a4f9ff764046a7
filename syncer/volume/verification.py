"""Compares the volume with its records: the structure of each live release, and gradually the contents (F16)."""

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
from syncer.volume.records import FileRecord, FileRecords

log = structlog.get_logger(__name__)

_CHUNK = 1 << 18
_LEAST = 1 << 12  # bytes that each file counts at least, because opening it takes time


class Verification:
    """Finds damaged live releases, and remembers them."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._damaged: set[SiteKey] = set()
        self._unsound: set[tuple[SiteKey, str]] = set()  # damaged releases, live or not
        self._checked: set[SiteKey] = set()
        self._next = (SiteKey("", ""), "")  # where the next turn starts

    def is_damaged(self, site: SiteKey) -> bool:
        """Whether the live release is damaged. The first call checks its structure."""
        if site not in self._checked:
            self._checked.add(site)
            self._check_structure(site)
        return site in self._damaged

    def published(self, site: SiteKey) -> None:
        """Forget the previous live release: there is another one, or none."""
        self._checked.add(site)
        self._damaged.discard(site)

    def is_sound(self, site: SiteKey, name: str, *, content: bool) -> bool:
        """Whether a release could go live again; its ``content`` is read only on request."""
        folder = self._volume.home(site) / name
        entries = records.read_entries(folder)
        if entries is None or (site, name) in self._unsound or _difference(folder, entries):
            return False
        return not content or all(_has_content(folder / path, entry) for path, entry in entries.items())

    def sound_entries(self, site: SiteKey, folder: Path) -> FileRecords:
        """The undamaged files of a release, which the next one may take over."""
        entries = records.read_entries(folder) or {}
        if site not in self._damaged:
            return entries
        return {path: entry for path, entry in entries.items() if _is_sound(folder, path, entry)}

    def turn(self, most_bytes: int) -> list[SiteKey]:
        """Read part of the live releases, starting where the last turn ended; return the sites with new damage."""
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
        """Return the bytes that may still be read, and the path to continue at, if any is left."""
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
        if self._volume.live_release(site) == name:  # otherwise it was replaced meanwhile
            self._damaged.add(site)
            self._unsound.add((site, name))
            log.error("release_damaged", site=str(site), release=name, damage=damage)


def _difference(folder: Path, entries: FileRecords) -> str:
    """The first difference of the folder from its record, in words."""
    if not folder.is_dir():
        return "its folder is missing"
    missing = {path: (entry.size, entry) for path, entry in entries.items()}
    missing |= {packing.beside(path): (entry.packed, entry) for path, entry in entries.items() if entry.packed}
    for root, folders, names, descriptor in os.fwalk(folder):
        inside = os.path.relpath(root, folder)
        for name in folders:
            if stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                return f"{name!r} is a symlink, which nginx would follow"
        for name in names:
            path = name if inside == "." else f"{inside}/{name}"
            expected = missing.pop(path, None)
            if expected is None:
                return f"{path!r} does not belong to it"
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            size, entry = expected
            if not stat.S_ISREG(status.st_mode) or not is_as_written(status, size, entry.mtime):
                return f"{path!r} has a different type, size or time"
    lost = next((path for path, (_, entry) in missing.items() if not entry.gone), None)
    return f"{lost!r} is missing" if lost is not None else ""


def _is_sound(folder: Path, path: str, entry: FileRecord) -> bool:
    """Whether the file and its packed copy have the recorded content."""
    return _has_content(folder / path, entry) and (
        not entry.packed or _has_content(folder / packing.beside(path), entry, packed=True)
    )


def _has_content(path: Path, entry: FileRecord, *, packed: bool = False) -> bool:
    digest = BlobHash(entry.oid, entry.size)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        for chunk in packing.unpacked(descriptor, entry.size) if packed else _chunks(descriptor):
            digest.update(chunk)
    except FileNotFoundError:
        return bool(entry.gone)  # an earlier asset may be deleted already
    except (OSError, zlib.error):
        return False
    return digest.matches()


def _chunks(descriptor: int) -> Iterator[bytes]:
    with os.fdopen(descriptor, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
