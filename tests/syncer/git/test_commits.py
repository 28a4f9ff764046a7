"""What a commit says about itself, which may be anything."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.git import commits
from syncer.git.commands import Git
from syncer.git.commits import CommitHeader
from tests.support.repositories import Repository

HEAD = b"tree " + b"1" * 40 + b"\nauthor Tess <t@example.com> 1700000000 +0100\ncommitter X <x@y> 5 +0000\n"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (HEAD + b"\nAdd a page\n\nand why\n", CommitHeader(1_700_000_000, "Add a page")),
        (HEAD + b"\n\n  two\nlines\n \t\nbody", CommitHeader(1_700_000_000, "two lines")),
        (HEAD + b"gpgsig -----BEGIN\n author Mallory <m@x> 1 +0000\n\nSigned", CommitHeader(1_700_000_000, "Signed")),
        (HEAD + b"\n", CommitHeader(1_700_000_000, "")),
        (HEAD.replace(b"1700000000", b"-5") + b"\nx", CommitHeader(None, "x")),
        (HEAD.replace(b"1700000000", b"99999999999999") + b"\nx", CommitHeader(None, "x")),
        (HEAD.replace(b"1700000000", b"253402300800") + b"\nx", CommitHeader(None, "x")),
        (b"", CommitHeader(None, "")),
        (b"\n\n<script>alert(1)</script>", CommitHeader(None, "<script>alert(1)</script>")),
        (b"\n\na\x1b[31mred\x07\xe2\x80\xaeevil\xff", CommitHeader(None, "a [31mred evil\ufffd")),
        (b"\n\n" + b"x" * 300, CommitHeader(None, "x" * 200 + "…")),
    ],
)
def test_date_and_subject(raw: bytes, told: CommitHeader) -> None:
    assert commits.read(raw) == told


@given(st.binary(max_size=300))
def test_anything_is_read(raw: bytes) -> None:
    told = commits.read(raw)
    assert told.subject.isprintable()
    assert len(told.subject) <= 201


def test_a_huge_message_is_passed_over(git: Git, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r.git")
    commit = repository.commit({"a": "1"}, message="Much\n\n" + "to say " * 100_000)
    with git.objects(repository.folder) as objects:
        content = objects.commit(commit)
        assert content is not None
        assert commits.read(content).subject == "Much"
        assert objects.find(f"{commit}:a") is not None  # the conversation goes on
        assert objects.commit(f"{commit}^{{tree}}") is None
