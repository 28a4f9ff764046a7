"""What a release was made from: a file beside its folder.

Two lines: the release, which is read at every sync, and its files, which are read by the next release and whoever
checks this one. What cannot be read counts as missing: the release is then made again from git.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec


@dataclass(frozen=True)
class Release:
    """What a release was made from: the site's uid, and where its ``tree`` was found. ``stamp``: epoch seconds.

    ``authored`` (epoch seconds, too) and ``subject`` are what the commit says of itself. ``rules`` are what
    ``_redirects`` and ``_headers`` in it say; None where nobody has looked yet.

    ``folders`` and ``hard_links`` (whether unchanged files were taken over so) tell what it uses of the volume.
    ``earlier`` is when the first asset that it keeps of earlier releases left the tree; 0 where it keeps none.
    """

    uid: str
    repo: str
    branch: str  # none where a revision was asked for
    commit: str
    path: str
    tree: str
    stamp: int = 0
    size: int = 0
    files: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    folders: int = 0
    hard_links: bool = True
    rules: dict[str, Any] | None = None
    authored: int | None = None
    subject: str = ""
    earlier: int = 0
    # Whether rules are written for it, in its files or in the StaticSite, and the digest of what they depend on there.
    has_rules: bool = False
    rules_digest: str = ""

    def answers(self, wanted: "Release") -> bool:
        """Whether it is what a site should have: of the same origin, with the rules that the StaticSite asks for."""
        return self.origin == wanted.origin and self.has_rules_of(wanted)

    def has_rules_of(self, wanted: "Release") -> bool:
        """Whether its rules were made of the same."""
        if self.rules is None or self.rules.get("redirects") or self.rules.get("headers"):
            return False  # as releases have it that were made before rules were compiled
        if self.has_rules:
            return self.rules_digest == wanted.rules_digest
        return not wanted.has_rules

    @property
    def origin(self) -> tuple[str, str, str, str]:
        """What says whether it is the release that a site should have; by which name the commit was found does not."""
        return self.uid, self.repo, self.commit, self.path


class Entry(NamedTuple):
    """A file of a release: its blob, its size in bytes, its mtime, which is the stamp of the release that wrote it.

    ``packed`` is the size of the packed copy beside it, 0 where none is worth it, None where nobody has tried. ``gone``
    is when an asset that is only kept for pages that are open left the tree; 0 for what is in it.
    """

    oid: str
    size: int
    mtime: int
    packed: int | None = None
    gone: int = 0


Entries = dict[str, Entry]  # by path
# Of 5,000 files in a tenth of the time that json takes; each push to a large site reads and writes them.
_ENTRIES = msgspec.json.Decoder(Entries)


def path_of(folder: Path) -> Path:
    """Where the record of the release in ``folder`` is."""
    return folder.with_name(f"{folder.name}.json")


def read(folder: Path) -> Release | None:
    """The release, or None where its record is missing or broken."""
    try:
        with path_of(folder).open() as record:
            return Release(**json.loads(record.readline()))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, TypeError):
        return None


def read_entries(folder: Path) -> Entries | None:
    """The release's files, or None where its record is missing or broken."""
    try:
        with path_of(folder).open("rb") as record:
            record.readline()
            return _ENTRIES.decode(record.readline())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write(folder: Path, temporary: Path, release: Release, entries: Entries) -> None:
    """Write the record, by way of ``temporary``, which is gone afterwards."""
    try:
        temporary.write_bytes(b"%b\n%b\n" % (json.dumps(asdict(release)).encode(), msgspec.json.encode(entries)))
        temporary.replace(path_of(folder))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
