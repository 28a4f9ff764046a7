"""The first line distinguishes Git LFS pointers from small files."""

import io
from collections.abc import Iterator, Sequence
from typing import IO

import pytest

from syncer.content import lfs
from syncer.content.tree import File, Listing

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"


def left(published: set[str], **contents: bytes) -> tuple[list[str], dict[str, int], list[str]]:
    """The files that are left, what is counted, and the blobs that were looked at."""
    seen: list[str] = []

    def blobs(oids: Sequence[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
        for oid in oids:
            seen.append(oid)
            yield oid, len(contents[oid]), io.BytesIO(contents[oid])

    files = [File(f"{where}/{oid}", oid, len(content)) for oid, content in contents.items() for where in "ab"]
    listing = lfs.leave_out(Listing(files), published, blobs)
    return [file.path for file in listing.files], dict(listing.skipped), seen


def test_pointers_are_left_out_and_counted() -> None:
    paths, skipped, _ = left(set(), page=b"<p>" + POINTER, image=POINTER)
    assert paths == ["a/page", "b/page"]
    assert skipped == {"Git LFS pointer": 2}


@pytest.mark.parametrize(
    "content", [b"", b"version", b"version https://git-lfs.github.com/spec/v", POINTER.ljust(1024, b" ")]
)
def test_what_is_too_short_or_too_long_is_not_even_looked_at(content: bytes) -> None:
    assert left(set(), page=content) == (["a/page", "b/page"], {}, [])


def test_what_is_live_is_not_looked_at_again() -> None:
    assert left({"page"}, page=b"x" * 100, image=POINTER)[2] == ["image"]
