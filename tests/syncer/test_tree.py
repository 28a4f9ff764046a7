import io

import pytest

from syncer import tree
from syncer.errors import LimitExceeded
from syncer.tree import File, SiteLimits

OID = "a" * 40


def entry(path: bytes, mode: str = "100644", kind: str = "blob", size: str = "7") -> bytes:
    return f"{mode} {kind} {OID} {size:>7}\t".encode() + path + b"\0"


def read(*entries: bytes, limits: SiteLimits | None = None) -> tree.Listing:
    return tree.read(io.BytesIO(b"".join(entries)), limits or SiteLimits())


def test_regular_files_are_published_executable_or_not() -> None:
    listing = read(entry(b"index.html"), entry("straße/größe.html".encode(), mode="100755", size="12"))
    assert listing.files == [File("index.html", OID, 7), File("straße/größe.html", OID, 12)]
    assert listing.size == 19


@pytest.mark.parametrize(
    ("record", "word"),
    [
        (entry(b"link", mode="120000"), "symlink"),
        (entry(b"module", mode="160000", kind="commit", size="-"), "submodule"),
        (entry(b".env"), "hidden file"),
        (entry(b"a/.git/config"), "hidden file"),
        (entry(b"../escape"), "hidden file"),
        (entry(b"a\nb"), "unprintable file name"),
        (entry(b"a\\b"), "unprintable file name"),
        (entry(b"a\x1b[2J"), "unprintable file name"),
        (entry(b"/absolute"), "unprintable file name"),
        (entry(b"\xff\xfe"), "undecodable file name"),
        (entry(b"n" * 256), "overlong path"),
        (entry(b"d/" * 64 + b"f"), "overlong path"),
    ],
)
def test_what_is_not_published_is_counted(record: bytes, word: str) -> None:
    listing = read(entry(b"index.html"), record)
    assert [file.path for file in listing.files] == ["index.html"]
    assert listing.skipped == {word: 1}


def test_the_well_known_folder_is_public() -> None:
    assert [file.path for file in read(entry(b".well-known/security.txt")).files] == [".well-known/security.txt"]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (SiteLimits(files=1), "more than 1 files"),
        (SiteLimits(file_bytes=1 << 20), "'big' is larger than 1 MiB"),
        (SiteLimits(site_bytes=2 << 20), "folder is larger than 2 MiB"),
    ],
)
def test_a_site_beyond_a_limit_is_refused(limits: SiteLimits, message: str) -> None:
    with pytest.raises(LimitExceeded, match=message):
        read(entry(b"big", size=str(2 << 20)), entry(b"small"), limits=limits)


def test_what_was_left_out_reads_as_a_sentence() -> None:
    assert tree.describe({"symlink": 2, "submodule": 1}) == "1 submodule and 2 symlinks"
    assert not tree.describe({})
