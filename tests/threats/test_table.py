"""What the pages about security and faults claim is tested, is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/explanation/security.md", "docs/explanation/faults.md")
ROWS = [
    row
    for page in PAGES
    for row in re.findall(r"^\| ([A-Z][0-9]+) \|.*\| ([^|]+) \|$", (ROOT / page).read_text(), re.MULTILINE)
]
FOLDERS = ("tests/threats", "tests/faults", "tests/requestpath")


def ids(file: Path) -> set[str]:
    """The ids that its tests bear; one test may bear several."""
    heads = re.findall(r"^def test_((?:[a-z][0-9]+_)+)", file.read_text(), re.MULTILINE)
    return {each.upper() for head in heads for each in head.split("_") if each}


@pytest.mark.parametrize(("row", "files"), ROWS)
def test_each_row_has_tests_that_bear_its_id(row: str, files: str) -> None:
    named = re.findall(r"`([^`]+)`", files)
    assert named
    for file in named:
        assert row in ids(ROOT / file), file


def test_each_test_with_an_id_has_its_row() -> None:
    rows = {(row, file) for row, files in ROWS for file in re.findall(r"`([^`]+)`", files)}
    for path in [path for folder in FOLDERS for path in (ROOT / folder).glob("test_*.py")]:
        assert {(each, str(path.relative_to(ROOT))) for each in ids(path)} <= rows


def test_no_row_is_left_out() -> None:
    wanted = {
        f"{kind}{number}"
        for kind, last in (("U", 13), ("R", 2), ("C", 8), ("S", 2), ("K", 4), ("W", 8), ("F", 21), ("D", 9), ("V", 7))
        for number in range(1, last + 1)
    }
    assert wanted | {"X2", "F26", "F32", "F33", "F34", "F35"} <= {row for row, _ in ROWS}
