"""Writes a release's files: unchanged ones are linked from the release before, the others written from git."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EMLINK, ENOENT, ENOTDIR, ENOTSUP, EPERM, EXDEV
from itertools import groupby
from pathlib import Path
from typing import IO, NamedTuple

from syncer.content.tree import File, ReadBlobs
from syncer.errors import GitFailed
from syncer.volume import packing
from syncer.volume.layout import make_folder
from syncer.volume.records import FileRecord, FileRecords

_CHUNK = 1 << 20
_NO_HARD_LINKS = {EPERM, EMLINK, EXDEV, ENOTSUP}
_SHA256_LENGTH = 64
_COARSE_SECONDS = 3  # some file systems keep times to two seconds


class Plan(NamedTuple):
    """The files of a release, the folders they need, and the files to take over from the release before.

    ``unchanged`` are files of the new release; ``earlier`` are assets that it lacks and still serves for a while.
    """

    files: Sequence[File]
    folders: set[str]
    previous: Path | None
    unchanged: FileRecords
    earlier: FileRecords

    @property
    def new(self) -> list[File]:
        """The files to write."""
        return [file for file in self.files if file.path not in self.unchanged]


class WrittenFiles(NamedTuple):
    """All files, the paths that were copied because the volume refuses hard links, and the files packed now."""

    entries: FileRecords
    copied: frozenset[str]
    packed: FileRecords


class Taken(NamedTuple):
    """The files taken over from the release before, and the paths that were copied."""

    entries: FileRecords
    copied: frozenset[str]


class Refused(NamedTuple):
    """Paths that could not be linked: the volume refuses links, or the file is missing."""

    no_link: set[str]
    not_sound: set[str]


def plan(files: Sequence[File], previous: Path | None, sound: FileRecords, earlier: FileRecords) -> Plan:
    """Compare the files with the ``sound`` ones of the ``previous`` release."""
    unchanged = {}
    for path, oid, size in files:
        entry = sound.get(path)
        if entry is not None and entry.oid == oid and entry.size == size:
            unchanged[path] = entry._replace(gone=0) if entry.gone else entry
    folders = folders_of([*(file.path for file in files), *earlier])
    return Plan(files, folders, previous, _fitting(unchanged, folders), _fitting(earlier, folders))


def write(folder: Path, stamp: int, planned: Plan, blobs: ReadBlobs) -> WrittenFiles:
    """Fill the folder as planned."""
    for path in sorted(planned.folders):  # parents first
        make_folder(f"{folder}/{path}")
    unchanged, previous = planned.unchanged | planned.earlier, planned.previous
    taken = _take_over(previous, folder, unchanged) if previous else Taken({}, frozenset())
    entries = taken.entries
    missing = [file for file in planned.files if file.path not in entries]
    contents = blobs([file.oid for file in missing])
    for file, (_, size, stream) in zip(missing, contents, strict=True):
        _write_file(folder / file.path, file.oid, size, stream, stamp)
    entries = entries | {path: FileRecord(oid, size, stamp) for path, oid, size in missing}
    packed = packing.pack(folder, entries, packing.worth_trying(entries, planned.folders))
    return WrittenFiles(entries | packed, taken.copied, packed)


def link(previous: Path, folder: Path, entries: FileRecords) -> Refused:
    """Link these files of ``previous``, with their packed copies, into folders that exist."""
    refused = Refused(set(), set())
    for parent, siblings in groupby(entries, key=lambda path: path.rpartition("/")[0]):
        members = list(siblings)
        packed = [packing.beside(path) for path in members if entries[path].packed]
        try:
            with _opened(previous / parent) as source, _opened(folder / parent) as target:
                _link_folder([*members, *packed], source, target, refused)
        except (FileNotFoundError, NotADirectoryError):
            refused.not_sound.update(members)
    return refused


def _fitting(entries: FileRecords, folders: set[str]) -> FileRecords:
    """The entries, without packed copies whose name is now that of a folder."""
    return {
        path: entry._replace(packed=None) if entry.packed and not packing.is_free(path, folders) else entry
        for path, entry in entries.items()
    }


def folders_of(paths: Iterable[str]) -> set[str]:
    """The folders of these files, with the topmost one, an empty string."""
    folders = {""}
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    return folders


class BlobHash:
    """Computes a blob's id, by the algorithm that the id was made with."""

    def __init__(self, oid: str, size: int) -> None:
        algorithm = hashlib.sha256 if len(oid) == _SHA256_LENGTH else hashlib.sha1
        self._oid = oid
        self._hash = algorithm(b"blob %d\0" % size, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        """Add content."""
        self._hash.update(data)

    def matches(self) -> bool:
        """Whether the content was the blob's."""
        return self._hash.hexdigest() == self._oid


def _take_over(previous: Path, folder: Path, entries: FileRecords) -> Taken:
    """Link the files, or copy them."""
    refused = link(previous, folder, entries)
    for path in sorted(refused.no_link & entries.keys()):
        if not _copy_file(previous / path, folder / path, entries[path]):
            refused.not_sound.add(path)
    return Taken(
        {path: _repacked(path, entry, refused) for path, entry in entries.items() if path not in refused.not_sound},
        frozenset(refused.no_link & entries.keys() - refused.not_sound),
    )


def _repacked(path: str, entry: FileRecord, refused: Refused) -> FileRecord:
    """The entry, to be packed again where its packed copy could not be linked."""
    if entry.packed and packing.beside(path) in refused.no_link | refused.not_sound:
        return entry._replace(packed=None)
    return entry


def _link_folder(members: Iterable[str], source: int, target: int, refused: Refused) -> None:
    for path in members:
        name = path.rpartition("/")[2]
        try:
            os.link(name, name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        except OSError as error:
            if error.errno in _NO_HARD_LINKS:
                refused.no_link.add(path)
            elif error.errno in {ENOENT, ENOTDIR}:
                refused.not_sound.add(path)
            else:
                raise


def is_as_written(stat: os.stat_result, size: int, mtime: int) -> bool:
    """Whether size and mtime are those that we wrote. The verification checks the content."""
    return stat.st_size == size and abs(stat.st_mtime - mtime) < _COARSE_SECONDS


def _copy_file(source: Path, target: Path, entry: FileRecord) -> bool:
    """Copy the file with its mtime, so that its ETag stays. False where the file is missing or damaged."""
    with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError, GitFailed):
        if is_as_written(source.lstat(), entry.size, entry.mtime):
            with source.open("rb") as stream:
                _write_file(target, entry.oid, entry.size, stream, entry.mtime)
            return True
    target.unlink(missing_ok=True)
    return False


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_file(path: Path, oid: str, size: int, stream: IO[bytes], stamp: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    digest, rest = BlobHash(oid, size), size
    try:
        while rest:
            chunk = stream.read(min(rest, _CHUNK))
            if not chunk:
                raise GitFailed("the mirror's content is cut short; it is fetched again")
            digest.update(chunk)
            _write_all(descriptor, chunk)
            rest -= len(chunk)
        if not digest.matches():
            raise GitFailed(f"the mirror's blob {oid} is damaged; it is fetched again")
        os.fchmod(descriptor, 0o644)
        os.utime(descriptor, (stamp, stamp))
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
