"""Which files of a git tree are published: pure, from the listing that ``git ls-tree -r -z -l`` writes.

Never a checkout, so symlinks, submodules, filters and hooks of a repository have no effect (threats, fact 8).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from syncer.errors import LimitExceeded

_SYMLINK = b"120000"
_READ_SIZE = 1 << 18
_MAX_SEGMENT_BYTES = 255
_MAX_PATH_BYTES = 1024
_MAX_DEPTH = 64
# Nearly every entry is a file with a harmless name: one match instead of a dozen checks makes 5,000 files quick.
_SEGMENT = rb"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}"
_PLAIN = re.compile(rb"100(?:644|755) blob ([0-9a-f]+) +([0-9]+)\t((?:%b/){0,8}%b)" % (_SEGMENT, _SEGMENT))


@dataclass(frozen=True)
class SiteLimits:
    """How large a published site may be: number of files, bytes of one file and of all of them."""

    files: int = 20_000
    file_bytes: int = 100 << 20
    site_bytes: int = 500 << 20


class File(NamedTuple):
    """A regular file: its path below the published folder, its blob, its size in bytes."""

    path: str
    oid: str
    size: int


@dataclass
class Listing:
    """What is published, and how many entries are not, by the word for them (``symlink``, ``hidden file``, …)."""

    files: list[File] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read(output: IO[bytes], limits: SiteLimits) -> Listing:
    """The listing, given up as soon as a limit is passed. Raises LimitExceeded."""
    listing = Listing()
    total = 0
    for count, record in enumerate(_records(output), start=1):
        if count > limits.files:
            raise LimitExceeded(f"the published folder has more than {limits.files:,} files; publish less in spec.path")
        reason, file = _entry(record)
        if file is None:
            listing.skipped[reason] += 1
            continue
        total += file.size
        if file.size > limits.file_bytes:
            raise LimitExceeded(f"{file.path!r} is larger than {limits.file_bytes >> 20} MiB")
        if total > limits.site_bytes:
            raise LimitExceeded(f"the published folder is larger than {limits.site_bytes >> 20} MiB")
        listing.files.append(file)
    return listing


def describe(skipped: dict[str, int]) -> str:
    """``2 symlinks and 1 submodule``, or nothing."""
    words = [f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in sorted(skipped.items())]
    return " and ".join(words)


def _records(output: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := output.read(_READ_SIZE):
        *records, rest = (rest + chunk).split(b"\0")
        yield from records


def _entry(record: bytes) -> tuple[str, File | None]:
    if plain := _PLAIN.fullmatch(record):
        oid, size, path = plain.groups()
        return "", File(path.decode(), oid.decode(), int(size))
    meta, _, raw_path = record.partition(b"\t")
    mode, kind, oid, size = meta.split()
    if kind == b"commit":
        return "submodule", None
    if mode == _SYMLINK:
        return "symlink", None
    reason = _refusal(raw_path)
    if reason:
        return reason, None
    return "", File(raw_path.decode(), oid.decode(), int(size))


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
    too_long = any(len(each.encode()) > _MAX_SEGMENT_BYTES for each in segments)
    if too_long or len(raw_path) > _MAX_PATH_BYTES or len(segments) > _MAX_DEPTH:
        return "overlong path"
    return ""


def _hidden(segments: Iterable[str]) -> bool:
    """Dotfiles stay private, whatever a tenant left in the repository (C7); ``.well-known`` is public by convention."""
    return any(each.startswith(".") and each != ".well-known" for each in segments)
