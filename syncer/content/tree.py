"""Which files of a git tree are published: pure, from the listing that ``git ls-tree -r -z -l`` writes.

Never a checkout, so symlinks, submodules, filters and hooks of a repository have no effect (threats, fact 8).
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

_SYMLINK = b"120000"
_READ_SIZE = 1 << 18
_MAX_RECORD_BYTES = 1 << 20
_MAX_NAME_BYTES = 255
_QUOTED = 80
_SEGMENT = rb"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}"
_PLAIN_FOLDERS = 8
# What a tenant may do about what is not published.
_ADVICE = {
    "symlink": "only those that lead to something published are followed",
    "submodule": "commit the files themselves",
    "Git LFS pointer": "the content is not in git; commit the files without LFS",
}


class File(NamedTuple):
    """A regular file (or a link): its path below the published folder, its blob, its size in bytes."""

    path: str
    oid: str
    size: int


# For each of these blobs its id, its size, and the stream to read exactly that many bytes from.
ReadBlobs = Callable[[Sequence[str]], Iterator[tuple[str, int, IO[bytes]]]]


@dataclass
class Listing:
    """What is published, links that are still to be followed (``links.py``), and how many entries are left out.

    ``skipped`` counts by the word for them: ``symlink``, ``hidden file``, …
    """

    files: list[File] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    links: list[File] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class Budget:
    """Counts what is listed and raises LimitExceeded as soon as it is too much (C4)."""

    def __init__(self, limits: SiteLimits) -> None:
        self._limits = limits
        self._entries = 0
        self._bytes = 0

    def entry(self) -> None:
        """One more entry, whether it is published or not."""
        self._entries += 1
        if self._entries > self._limits.files:
            raise _beyond("the published folder has", f"{self._limits.files:,} files", "--max-files")

    def file(self, file: File) -> None:
        """One more file that is published."""
        self._bytes += file.size
        if file.size > self._limits.file_bytes:
            has = f"{quoted(file.path)} has {sizes.show(file.size)},"
            raise _beyond(has, sizes.show(self._limits.file_bytes), "--max-file-size")
        if self._bytes > self._limits.site_bytes:
            raise _beyond("the published folder has", sizes.show(self._limits.site_bytes), "--max-site-size")

    def path(self, path: str) -> None:
        """A path that is published."""
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
                    f"the file name {quoted(name)} has {length:,} bytes; no file system takes more than "
                    f"{_MAX_NAME_BYTES}, so give it a shorter one"
                )


def _beyond(what_has: str, limit: str, flag: str) -> LimitExceeded:
    return LimitExceeded(
        f"{what_has} more than {limit}, the limit of {flag}; publish less with spec.path, "
        "or ask the administrator to raise it"
    )


def read(output: IO[bytes], limits: SiteLimits) -> Listing:
    """The listing, given up as soon as a limit is passed. Raises LimitExceeded."""
    listing = Listing()
    budget = Budget(limits)
    plain = _plain(min(_PLAIN_FOLDERS, limits.path_depth - 1))
    for record in _records(output):
        budget.entry()
        if (match := plain.fullmatch(record)) and len(match[3]) <= limits.path_bytes:
            file = File(match[3].decode(), match[1].decode(), int(match[2]))
        else:
            mode, found = _entry(record)
            if not isinstance(found, File):
                listing.skipped[found] += 1
                continue
            file = found
            budget.path(file.path)
            if mode == _SYMLINK:
                listing.links.append(file)
                continue
        budget.file(file)
        listing.files.append(file)
    return listing


def describe(skipped: dict[str, int]) -> str:
    """``2 symlinks (…) and 1 submodule (…)``, with what to do, or nothing."""
    words = [
        f"{number} {kind}{'' if number == 1 else 's'}{f' ({_ADVICE[kind]})' if kind in _ADVICE else ''}"
        for kind, number in sorted(skipped.items())
    ]
    return " and ".join(words)


def quoted(path: str) -> str:
    """A repository's name for something, as it may stand in a message (C5)."""
    return repr(path if len(path) <= _QUOTED else f"{path[:_QUOTED]}…")


@functools.cache
def _plain(folders: int) -> re.Pattern[bytes]:
    """A file with a harmless name, as nearly every entry is: one match instead of a dozen checks."""
    return re.compile(
        rb"100(?:644|755) blob ([0-9a-f]+) +([0-9]+)\t((?:%b/){0,%d}%b)" % (_SEGMENT, max(folders, 0), _SEGMENT)
    )


def _records(output: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := output.read(_READ_SIZE):
        *records, rest = (rest + chunk).split(b"\0")
        yield from records
        if len(rest) > _MAX_RECORD_BYTES:
            raise LimitExceeded("the repository holds a file name of more than a million bytes; remove it")


def _entry(record: bytes) -> tuple[bytes, File | str]:
    """The entry's mode, and the file or link that it is, or the word for why it is neither."""
    meta, _, raw_path = record.partition(b"\t")
    mode, kind, oid, size = meta.split()
    if kind == b"commit":
        return mode, "submodule"
    return mode, _refusal(raw_path) or File(raw_path.decode(), oid.decode(), int(size))


def _refusal(raw_path: bytes) -> str:
    """Why a path is not published, or an empty string."""
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
    """Dotfiles stay private, whatever a tenant left in the repository (C7); ``.well-known`` is public by convention."""
    return any(each.startswith(".") and each != ".well-known" for each in segments)
