"""What a release was made from: a file beside its folder.

Two lines: the release, which is read at every sync, and its files, which the next release and the verification read.
A record that cannot be read counts as missing: the release is then made again from git.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec


@dataclass(frozen=True)
class Origin:
    """Which folder of which commit a release was made from, and for which site.

    The ``branch`` is empty where the site asked for a revision. ``authored`` (epoch seconds) and ``subject`` are what
    the commit says about itself.
    """

    uid: str
    repo: str
    branch: str
    commit: str
    path: str
    authored: int | None = None
    subject: str = ""

    def matches(self, other: "Origin") -> bool:
        """Whether a site that should have the one may have the other: the same commit may go by several names."""
        return (self.uid, self.repo, self.commit, self.path) == (other.uid, other.repo, other.commit, other.path)


@dataclass(frozen=True)
class Content:
    """What is published of a folder, its git ``tree``, and what that uses of the volume.

    ``rules`` are what ``_redirects`` and ``_headers`` in it say; None where a release is older than the rules.
    ``folders`` and ``hard_links`` (whether unchanged files were linked) count towards quotas. ``earlier`` is when the
    first asset that the release keeps of earlier ones left the tree; 0 where it keeps none.
    """

    tree: str
    size: int = 0
    files: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    folders: int = 0
    hard_links: bool = True
    rules: dict[str, Any] | None = None
    earlier: int = 0


@dataclass(frozen=True)
class Release:
    """A folder on the volume: where it came from and what is in it. ``stamp``: epoch seconds, which name it."""

    origin: Origin
    content: Content
    stamp: int

    def dump(self) -> dict[str, Any]:
        """The record on the disk: one flat object, which earlier versions read as well."""
        return asdict(self.origin) | asdict(self.content) | {"stamp": self.stamp}

    @classmethod
    def load(cls, **record: Any) -> Self:  # noqa: ANN401 - JSON
        """The release of a record. Raises TypeError where that has other fields."""
        origin = {name: record.pop(name) for name in _ORIGIN & record.keys()}
        stamp = record.pop("stamp", 0)
        return cls(Origin(**origin), Content(**record), stamp)


_ORIGIN = {each.name for each in fields(Origin)}


class FileRecord(NamedTuple):
    """A file of a release: its blob, its size in bytes, its mtime, which is the stamp of the release that wrote it.

    ``packed`` is the size of the packed copy beside it, 0 where none is worth it, None where packing was not tried.
    ``gone`` is when an asset left the tree that is kept for open pages only; 0 for files of the tree.
    """

    oid: str
    size: int
    mtime: int
    packed: int | None = None
    gone: int = 0


FileRecords = dict[str, FileRecord]  # by path
# Of 5,000 files in a tenth of the time that json takes; each push to a large site reads and writes them.
_ENTRIES = msgspec.json.Decoder(FileRecords)


def path_of(folder: Path) -> Path:
    """Where the record of the release in ``folder`` is."""
    return folder.with_name(f"{folder.name}.json")


def read(folder: Path) -> Release | None:
    """The release, or None where its record is missing or broken."""
    try:
        with path_of(folder).open() as record:
            return Release.load(**json.loads(record.readline()))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, TypeError):
        return None


def read_entries(folder: Path) -> FileRecords | None:
    """The release's files, or None where its record is missing or broken."""
    try:
        with path_of(folder).open("rb") as record:
            record.readline()
            return _ENTRIES.decode(record.readline())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write(folder: Path, temporary: Path, release: Release, entries: FileRecords) -> None:
    """Write the record, by way of ``temporary``, which is gone afterwards."""
    try:
        temporary.write_bytes(b"%b\n%b\n" % (json.dumps(release.dump()).encode(), msgspec.json.encode(entries)))
        temporary.replace(path_of(folder))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
