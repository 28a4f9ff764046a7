"""What is in a tree of the mirror, without a process of its own.

The conversation with ``git cat-file`` is there anyway; a ``git ls-tree`` for each of 50 sites of a repository took
longer than everything else together (decision 10).
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from syncer.content.tree import SUBMODULE, Entry
from syncer.errors import GitFailed, LimitExceeded
from syncer.git.object_reader import Objects

_AT_ONCE = 200  # trees, whose answers are in memory together
_MAX_FOLDERS = 50_000  # folders need not hold files, so the limit of files does not bound them (C4)
_MAX_PATH_BYTES = 8192
_FOLDER = b"40000"
_MEMBERS = {size: re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)}


class _Folder(NamedTuple):
    tree: str
    path: bytes


class _Member(NamedTuple):
    """What a tree object says of one of its names."""

    mode: bytes
    path: bytes
    oid: str


def entries(objects: Objects, tree: str) -> Iterator[Entry]:
    """Everything in the tree but its folders; the members of one folder come together.

    Raises GitFailed where an object is missing or broken, LimitExceeded where the folders do not end.
    """
    folders, count = deque([_Folder(tree, b"")]), 0
    while folders:
        batch = [folders.popleft() for _ in range(min(len(folders), _AT_ONCE))]
        count += len(batch)
        if count > _MAX_FOLDERS:
            raise LimitExceeded(
                f"the published folder has more than {_MAX_FOLDERS:,} folders; publish less with spec.path"
            )
        if len(batch[-1].path) > _MAX_PATH_BYTES:
            raise LimitExceeded("the published folder nests folders without end; publish less with spec.path")
        trees = objects.trees([folder.tree for folder in batch])
        members = [each for folder, content in zip(batch, trees, strict=True) for each in _members(folder, content)]
        folders.extend(_Folder(each.oid, each.path + b"/") for each in members if each.mode == _FOLDER)
        yield from _with_sizes(objects, [each for each in members if each.mode != _FOLDER])


def _members(folder: _Folder, content: bytes) -> Iterator[_Member]:
    position = 0
    for match in _MEMBERS[len(folder.tree) // 2].finditer(content):
        if match.start() != position:
            break
        position = match.end()
        yield _Member(_canonical(match[1]), folder.path + match[2], match[3].hex())
    if position != len(content):
        raise GitFailed(f"tree {folder.tree} of the mirror is broken; it is fetched again")


def _canonical(mode: bytes) -> bytes:
    """The mode as git reads it: files are executable or not, even where an old git wrote more."""
    if not mode.startswith(b"100"):
        return mode.lstrip(b"0")
    return b"100755" if int(mode, 8) & 0o100 else b"100644"


def _with_sizes(objects: Objects, members: Sequence[_Member]) -> Iterator[Entry]:
    blobs = [each.oid for each in members if each.mode != SUBMODULE]
    sizes = dict(zip(blobs, objects.sizes(blobs), strict=True))
    return (Entry(mode, path, oid, sizes.get(oid, 0)) for mode, path, oid in members)
