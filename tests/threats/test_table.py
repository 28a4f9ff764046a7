"""What docs/explanation/security.md claims is tested, is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/security.md").read_text()
ROWS = re.findall(r"^\| ([A-Z][0-9]+) \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("threat", "files"), ROWS)
def test_each_row_has_tests_that_bear_its_id(threat: str, files: str) -> None:
    named = re.findall(r"`([^`]+)`", files)
    assert named
    for file in named:
        assert re.search(rf"^def test_{threat.lower()}_", (ROOT / file).read_text(), re.MULTILINE), file


def test_each_test_with_an_id_has_its_row() -> None:
    rows = {(threat.lower(), file) for threat, files in ROWS for file in re.findall(r"`([^`]+)`", files)}
    for path in Path(__file__).parent.glob("test_*.py"):
        ids = re.findall(r"^def test_([a-z][0-9]+)_", path.read_text(), re.MULTILINE)
        assert {(threat, str(path.relative_to(ROOT))) for threat in ids} <= rows


def test_no_threat_is_left_out() -> None:
    wanted = {
        f"{kind}{number}"
        for kind, last in (("U", 13), ("R", 2), ("C", 8), ("S", 2), ("K", 4), ("W", 8))
        for number in range(1, last + 1)
    }
    assert wanted | {"X2"} <= {threat for threat, _ in ROWS}
