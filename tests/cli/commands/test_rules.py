"""`pages rules`: every line's state, and the line that answers a path."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("x")
    (tmp_path / "_redirects").write_text("/a /b\n/lonely\nhttp://* https://:splat\nhttps://old.example.com/s /t 302\n")
    return tmp_path


def test_check_says_of_every_line_what_it_does(folder: Path) -> None:
    result = CliRunner().invoke(main, ["rules", "check", str(folder)])
    assert result.exit_code == 1
    states = [line.split()[:2] for line in result.output.splitlines()[:4]]
    assert states == [
        ["_redirects:1", "live"],
        ["_redirects:2", "refused"],
        ["_redirects:3", "no-op"],
        ["_redirects:4", "live"],
    ]
    assert result.output.splitlines()[-1] == "2 live, 1 no-op, 1 refused"


def test_check_of_a_folder_without_mistakes_succeeds(folder: Path) -> None:
    (folder / "_redirects").write_text("/a /b\n")
    assert CliRunner().invoke(main, ["rules", "check", str(folder)]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (["/a?x=1"], ["301  /b?x=1", "decided by _redirects:1"]),
        (["/"], ["200  index.html", "decided by no rule"]),
        (["/s", "--host", "old.example.com"], ["302  /t", "decided by _redirects:4"]),
        (
            ["/x", "--domain", "www.example.com", "--alias", "old.example.com", "--host", "old.example.com"],
            ["301  https://www.example.com/x", "decided by the alias"],
        ),
    ],
)
def test_explain_names_the_answer_and_its_line(folder: Path, options: list[str], answer: list[str]) -> None:
    result = CliRunner().invoke(main, ["rules", "explain", str(folder), *options])
    assert result.exit_code == 0
    assert result.output.splitlines()[:2] == answer
