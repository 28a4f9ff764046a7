"""A soak of a few seconds."""

import gzip
from pathlib import Path

import pytest

from bench.soak import __main__ as soak
from bench.soak.faults import Faults
from bench.soak.pushes import same


def test_a_short_run_ends_without_errors() -> None:
    assert soak.main(2) == 0


def test_a_page_that_goes_back_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file holds the number of its commit, which must not decrease."""

    def go_back(faults: Faults) -> None:
        for page in faults.root.glob("volume/live/*/site0/a"):
            page.write_text("0 of a")

    monkeypatch.setattr(Faults, "one", go_back)
    assert soak.main(3) == 1


@pytest.mark.parametrize(
    ("name", "content", "whole"),
    [
        ("7.html", same("7").encode(), True),
        ("7.html.gz", gzip.compress(same("7").encode()), True),
        ("7.html", b"X" + same("7").encode()[1:], False),
        ("7.html.gz", gzip.compress(b"another page"), False),
        ("7.html.gz", b"X" + gzip.compress(same("7").encode())[1:], False),
        ("7.html.gz", gzip.compress(same("7").encode())[:-20], False),
    ],
    ids=["page", "packed", "damaged page", "packed from another page", "damaged packed", "cut packed"],
)
def test_only_whole_files_count_as_whole(tmp_path: Path, name: str, content: bytes, whole: bool) -> None:
    (tmp_path / name).write_bytes(content)
    assert soak.is_whole(tmp_path / name) is whole
