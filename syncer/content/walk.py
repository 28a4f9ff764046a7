"""What is in a tree of the mirror, as ``git ls-tree -r -z -l`` would list it, without starting one.

The conversation with ``git cat-file`` is there anyway; a child of its own for each of 50 sites of a repository took
longer than all the rest (decision 10).
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple, cast

from syncer.errors import GitFailed, LimitExceeded
from syncer.git.object_reader import Objects

_AT_ONCE = 200  # trees, whose answers are in memory together
_MAX_FOLDERS = 50_000  # none of them need hold a file, so the limit of files does not bound them (C4)
_MAX_PATH_BYTES = 8192
_ENTRIES = {size: re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)}


class _Folder(NamedTuple):
    tree: str
    path: bytes


class _Entry(NamedTuple):
    mode: bytes
    path: bytes
    oid: str


def listing(objects: Objects, tree: str) -> IO[bytes]:
    r"""A stream of ``MODE TYPE OID SIZE\tPATH`` records, each ended by NUL; a folder's files come together.

    Reading raises GitFailed where an object is missing or broken, LimitExceeded where there are folders without end.
    """
    return cast("IO[bytes]", _Stream(_chunks(objects, tree)))


class _Stream:
    """As much of a file as is asked for: ``read``."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def read(self, _size: int = -1) -> bytes:
        return next(self._chunks, b"")


def _chunks(objects: Objects, tree: str) -> Iterator[bytes]:
    folders, seen = deque([_Folder(tree, b"")]), 0
    while folders:
        some = [folders.popleft() for _ in range(min(len(folders), _AT_ONCE))]
        seen += len(some)
        if seen > _MAX_FOLDERS:
            raise LimitExceeded(
                f"the published folder has more than {_MAX_FOLDERS:,} folders; publish less with spec.path"
            )
        if len(some[-1].path) > _MAX_PATH_BYTES:
            raise LimitExceeded("the published folder has folders in folders without end; publish less with spec.path")
        trees = objects.trees([folder.tree for folder in some])
        entries = [each for folder, content in zip(some, trees, strict=True) for each in _entries(folder, content)]
        folders.extend(_Folder(each.oid, each.path + b"/") for each in entries if each.mode == b"40000")
        if chunk := b"".join(_records(objects, [each for each in entries if each.mode != b"40000"])):
            yield chunk


def _entries(folder: _Folder, content: bytes) -> Iterator[_Entry]:
    position = 0
    for match in _ENTRIES[len(folder.tree) // 2].finditer(content):
        if match.start() != position:
            break
        position = match.end()
        yield _Entry(_canonical(match[1]), folder.path + match[2], match[3].hex())
    if position != len(content):
        raise GitFailed(f"tree {folder.tree} of the mirror is broken; it is fetched anew")


def _canonical(mode: bytes) -> bytes:
    """As git has it: files are executable or not, whatever else an old one wrote."""
    if not mode.startswith(b"100"):
        return mode.lstrip(b"0")
    return b"100755" if int(mode, 8) & 0o100 else b"100644"


def _records(objects: Objects, entries: Iterable[_Entry]) -> Iterator[bytes]:
    blobs = [each for each in entries if each.mode != b"160000"]
    sizes = dict(zip((each.oid for each in blobs), objects.sizes([each.oid for each in blobs]), strict=True))
    for mode, path, oid in entries:
        if mode == b"160000":
            yield b"160000 commit %b -\t%b\0" % (oid.encode(), path)
        else:
            yield b"%b blob %b %d\t%b\0" % (mode, oid.encode(), sizes[oid], path)
