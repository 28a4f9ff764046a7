"""A release's files: linked from the release before where they did not change, else written from git."""

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
from syncer.volume.records import Entries, Entry

_CHUNK = 1 << 20
_NO_HARD_LINKS = {EPERM, EMLINK, EXDEV, ENOTSUP}
_SHA256_LENGTH = 64
_COARSE_SECONDS = 3  # some file systems keep times by two seconds


class Plan(NamedTuple):
    """What a release is made of: its files, the folders they need, and what may be taken over from the one before.

    ``unchanged`` are files of its own, ``earlier`` are assets that it has no more and still answers for a while.
    """

    files: Sequence[File]
    folders: set[str]
    previous: Path | None
    unchanged: Entries
    earlier: Entries

    @property
    def new(self) -> list[File]:
        """What has to be written."""
        return [file for file in self.files if file.path not in self.unchanged]


class Written(NamedTuple):
    """What was written, which paths were copied because the volume refuses hard links, and what was packed."""

    entries: Entries
    copied: frozenset[str]
    packed: Entries


class Taken(NamedTuple):
    """What was taken over from the release before, and which paths of it were copied."""

    entries: Entries
    copied: frozenset[str]


class Refused(NamedTuple):
    """Paths that could not be linked: because there are no links, or because the file is not what it should be."""

    no_link: set[str]
    not_sound: set[str]


def plan(files: Sequence[File], previous: Path | None, known: Entries, earlier: Entries) -> Plan:
    """Compare the files with those of ``previous`` that may be taken over."""
    unchanged = {}
    for path, oid, size in files:
        entry = known.get(path)
        if entry is not None and entry.oid == oid and entry.size == size:
            unchanged[path] = entry._replace(gone=0) if entry.gone else entry
    folders = folders_of([*(file.path for file in files), *earlier])
    return Plan(files, folders, previous, _fitting(unchanged, folders), _fitting(earlier, folders))


def write(folder: Path, stamp: int, planned: Plan, blobs: ReadBlobs) -> Written:
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
    entries = entries | {path: Entry(oid, size, stamp) for path, oid, size in missing}
    packed = packing.pack(folder, entries, packing.worth_trying(entries, planned.folders))
    return Written(entries | packed, taken.copied, packed)


def link(previous: Path, folder: Path, entries: Entries) -> Refused:
    """Link these files of ``previous``, with their packed copies; their folders are there."""
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


def _fitting(entries: Entries, folders: set[str]) -> Entries:
    """The entries, without the packed copies whose place a folder has now."""
    return {
        path: entry._replace(packed=None) if entry.packed and not packing.is_free(path, folders) else entry
        for path, entry in entries.items()
    }


def folders_of(paths: Iterable[str]) -> set[str]:
    """The folders that these files need, the topmost (an empty string) among them."""
    wanted = {""}
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent not in wanted:
            wanted.add(parent)
            parent = parent.rpartition("/")[0]
    return wanted


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


def _take_over(previous: Path, folder: Path, entries: Entries) -> Taken:
    """Link what did not change, or copy it."""
    refused = link(previous, folder, entries)
    for path in sorted(refused.no_link & entries.keys()):
        if not _copy_file(previous / path, folder / path, entries[path]):
            refused.not_sound.add(path)
    return Taken(
        {path: _repacked(path, entry, refused) for path, entry in entries.items() if path not in refused.not_sound},
        frozenset(refused.no_link & entries.keys() - refused.not_sound),
    )


def _repacked(path: str, entry: Entry, refused: Refused) -> Entry:
    """The entry, which is to be packed anew where its packed copy could not be linked."""
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
    """Whether size and mtime are what they were when we wrote the file (its content is looked at elsewhere)."""
    return stat.st_size == size and abs(stat.st_mtime - mtime) < _COARSE_SECONDS


def _copy_file(source: Path, target: Path, entry: Entry) -> bool:
    """Copy the file with its mtime, so that its ETag stays; False where it is not what it should be."""
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
                raise GitFailed("the mirror's content is cut short; it is fetched anew")
            digest.update(chunk)
            _write_all(descriptor, chunk)
            rest -= len(chunk)
        if not digest.matches():
            raise GitFailed(f"the mirror's blob {oid} is damaged; it is fetched anew")
        os.fchmod(descriptor, 0o644)
        os.utime(descriptor, (stamp, stamp))
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
