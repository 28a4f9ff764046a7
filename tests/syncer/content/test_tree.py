import pytest

from syncer.content import tree
from syncer.content.tree import Entry, File
from syncer.errors import LimitExceeded
from syncer.limits import SiteLimits

OID = "a" * 40


def entry(path: bytes, mode: bytes = b"100644", size: int = 7) -> Entry:
    return Entry(mode, path, OID, size)


def read(*entries: Entry, limits: SiteLimits | None = None) -> tree.Listing:
    return tree.read(entries, limits or SiteLimits())


def test_regular_files_are_published_executable_or_not() -> None:
    listing = read(entry(b"index.html"), entry("straße/größe.html".encode(), mode=b"100755", size=12))
    assert listing.files == [File("index.html", OID, 7), File("straße/größe.html", OID, 12)]
    assert listing.size == 19


@pytest.mark.parametrize(
    ("refused", "word"),
    [
        (entry(b"module", mode=b"160000", size=0), "submodule"),
        (entry(b".env"), "hidden file"),
        (entry(b"a/.git/config"), "hidden file"),
        (entry(b"../escape"), "hidden file"),
        (entry(b"a\nb"), "unprintable file name"),
        (entry(b"a\\b"), "unprintable file name"),
        (entry(b"a\x1b[2J"), "unprintable file name"),
        (entry(b"/absolute"), "unprintable file name"),
        (entry(b"\xff\xfe"), "undecodable file name"),
        (entry(b".hidden", mode=b"120000"), "hidden file"),
    ],
)
def test_what_is_not_published_is_counted(refused: Entry, word: str) -> None:
    listing = read(entry(b"index.html"), refused)
    assert [file.path for file in listing.files] == ["index.html"]
    assert listing.skipped == {word: 1}


def test_the_well_known_folder_is_public() -> None:
    assert [file.path for file in read(entry(b".well-known/security.txt")).files] == [".well-known/security.txt"]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (SiteLimits(files=2), "folder has more than 2 files, the limit of --max-files; publish less .*administrator"),
        (SiteLimits(file_bytes=1 << 20), "'a/b/big' has 2 MiB, more than 1 MiB, the limit of --max-file-size"),
        (SiteLimits(site_bytes=2 << 20), "folder has more than 2 MiB, the limit of --max-site-size"),
        (SiteLimits(path_depth=2), "'a/b/big' is 3 names deep, more than 2, the limit of --max-path-depth"),
        (SiteLimits(path_bytes=6), "the path 'a/b/big' has 7 bytes, more than 6, the limit of --max-path-length"),
    ],
)
def test_a_site_beyond_a_limit_is_refused_with_both_figures(limits: SiteLimits, message: str) -> None:
    with pytest.raises(LimitExceeded, match=message):
        read(entry(b"a/b/big", size=2 << 20), entry(b"small"), entry(b".hidden"), limits=limits)


@pytest.mark.parametrize(
    "limits", [SiteLimits(), SiteLimits(files=3, file_bytes=7, site_bytes=21, path_depth=9, path_bytes=17)]
)
def test_a_site_within_its_limits_is_published(limits: SiteLimits) -> None:
    entries = [entry(b"a/b/c/d/e/f/g/h/i"), entry(b"b"), entry("ä".encode())]
    assert len(read(*entries, limits=limits).files) == 3


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (b"d/" * 64 + b"f", "65 names deep"),
        ("ä/".encode() * 64 + b"f", "65 names deep"),
        (b"n" * 256, "'nnn.*…' has 256 bytes"),
        (("d" * 200 + "/").encode() * 6 + b"f", "has 1,207 bytes"),
        (b"n" * (2 << 20), "has 2,097,152 bytes, more than 1,024"),
    ],
)
def test_a_path_that_no_volume_takes_is_refused_in_a_short_sentence(path: bytes, message: str) -> None:
    with pytest.raises(LimitExceeded, match=message) as raised:
        read(entry(path))
    assert len(str(raised.value)) < 300


def test_a_path_that_is_not_published_may_be_as_long_as_it_likes() -> None:
    assert read(entry(b".cache/" + b"d/" * 5000 + b"f")).skipped == {"hidden file": 1}


def test_what_was_left_out_reads_as_a_sentence_with_what_to_do() -> None:
    said = tree.describe({"hidden file": 2, "submodule": 1})
    assert said == "2 hidden files and 1 submodule (commit the files themselves)"
    assert tree.describe({"Git LFS pointer": 2}).startswith("2 Git LFS pointers (the content is not in git")
    assert not tree.describe({})
