"""Which files of a git tree are published. Pure.

A working copy is never checked out, so symlinks, submodules, filters and hooks of a repository have no effect: git
runs the filters and hooks that a checkout finds, and a symlink on disk may lead anywhere.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from pages import sizes
from syncer.errors import LimitExceeded
from syncer.limits import SiteLimits

SUBMODULE = b"160000"
_SYMLINK = b"120000"
_FILES = {b"100644", b"100755"}
_MAX_NAME_BYTES = 255
_QUOTED = 80
_SEGMENT = rb"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}"
_PLAIN_FOLDERS = 8
# What a tenant can do about skipped entries.
_ADVICE = {
    "symlink": "only links to published files are followed",
    "submodule": "commit the files themselves",
    "Git LFS pointer": "the content is not in git; commit the files without LFS",
}


class Entry(NamedTuple):
    """A file, symlink or submodule of a tree, with git's mode of it. The path is bytes: git takes any.

    The size is the blob's, 0 for a submodule.
    """

    mode: bytes
    path: bytes
    oid: str
    size: int


class File(NamedTuple):
    """A regular file (or a link): its path below the published folder, its blob and its size in bytes."""

    path: str
    oid: str
    size: int


# For each of these blobs its id, its size, and the stream to read exactly that many bytes from.
ReadBlobs = Callable[[Sequence[str]], Iterator[tuple[str, int, IO[bytes]]]]


@dataclass
class Listing:
    """The published files, links that ``symlinks.py`` has yet to follow, and the numbers of skipped entries.

    ``skipped`` counts them by kind: ``symlink``, ``hidden file``, …
    """

    files: list[File] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    links: list[File] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)


class Budget:
    """Counts listed entries and raises LimitExceeded at the first one beyond a limit (C4)."""

    def __init__(self, limits: SiteLimits) -> None:
        self._limits = limits
        self._entries = 0
        self._bytes = 0

    def entry(self) -> None:
        """Count an entry, published or not."""
        self._entries += 1
        if self._entries > self._limits.files:
            raise _beyond("the published folder has", f"{self._limits.files:,} files", "--max-files")

    def file(self, file: File) -> None:
        """Count a published file."""
        self._bytes += file.size
        if file.size > self._limits.file_bytes:
            has = f"{quoted(file.path)} has {sizes.show(file.size)},"
            raise _beyond(has, sizes.show(self._limits.file_bytes), "--max-file-size")
        if self._bytes > self._limits.site_bytes:
            raise _beyond("the published folder has", sizes.show(self._limits.site_bytes), "--max-site-size")

    def path(self, path: str) -> None:
        """Check a published path."""
        segments = path.split("/")
        if len(segments) > self._limits.path_depth:
            has = f"{quoted(path)} is {len(segments):,} names deep,"
            raise _beyond(has, f"{self._limits.path_depth:,}", "--max-path-depth")
        if (length := len(path.encode())) > self._limits.path_bytes:
            has = f"the path {quoted(path)} has {length:,} bytes,"
            raise _beyond(has, f"{self._limits.path_bytes:,}", "--max-path-length")
        for name in segments:
            if (length := len(name.encode())) > _MAX_NAME_BYTES:
                raise LimitExceeded(
                    f"the file name {quoted(name)} has {length:,} bytes; file systems take at most "
                    f"{_MAX_NAME_BYTES}; shorten it"
                )


def _beyond(what_has: str, limit: str, flag: str) -> LimitExceeded:
    return LimitExceeded(
        f"{what_has} more than {limit}, the limit of {flag}; publish less with spec.path, "
        "or ask the administrator to raise it"
    )


def read(entries: Iterable[Entry], limits: SiteLimits) -> Listing:
    """Read the listing. Raises LimitExceeded at the first entry beyond a limit."""
    listing = Listing()
    budget = Budget(limits)
    plain = _plain(min(_PLAIN_FOLDERS, limits.path_depth - 1))
    for mode, raw_path, oid, size in entries:
        budget.entry()
        if mode in _FILES and len(raw_path) <= limits.path_bytes and plain.fullmatch(raw_path):
            file = File(raw_path.decode(), oid, size)
        elif refusal := _refusal(mode, raw_path):
            listing.skipped[refusal] += 1
            continue
        else:
            file = File(raw_path.decode(), oid, size)
            budget.path(file.path)
            if mode == _SYMLINK:
                listing.links.append(file)
                continue
        budget.file(file)
        listing.files.append(file)
    return listing


def describe(skipped: dict[str, int]) -> str:
    """``2 symlinks (…) and 1 submodule (…)``, with advice; empty if nothing was skipped."""
    words = [
        f"{number} {kind}{'' if number == 1 else 's'}{f' ({_ADVICE[kind]})' if kind in _ADVICE else ''}"
        for kind, number in sorted(skipped.items())
    ]
    return " and ".join(words)


def quoted(path: str) -> str:
    """A repository's own name, shortened and escaped for a message (C5)."""
    return repr(path if len(path) <= _QUOTED else f"{path[:_QUOTED]}…")


@functools.cache
def _plain(folders: int) -> re.Pattern[bytes]:
    """A harmless path, as nearly every entry has: one match instead of a dozen checks."""
    return re.compile(rb"(?:%b/){0,%d}%b" % (_SEGMENT, max(folders, 0), _SEGMENT))


def _refusal(mode: bytes, raw_path: bytes) -> str:
    """Why an entry is not published; empty if it is."""
    if mode == SUBMODULE:
        return "submodule"
    try:
        path = raw_path.decode()
    except UnicodeDecodeError:
        return "undecodable file name"
    segments = path.split("/")
    if _hidden(segments):
        return "hidden file"
    if not path.isprintable() or "\\" in path or not all(segments):
        return "unprintable file name"
    return ""


def _hidden(segments: Iterable[str]) -> bool:
    """Dotfiles stay private, because secrets are often committed in them (C7); ``.well-known`` is public."""
    return any(each.startswith(".") and each != ".well-known" for each in segments)
