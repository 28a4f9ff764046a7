"""The generated parts of the docs match the code."""

from pathlib import Path

import click
import pytest

from cli import main
from docs.generate import fields, fresh, pages

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("page", "now", "wanted"), [pytest.param(*each, id=each[0].name) for each in pages()])
def test_no_page_is_stale(page: Path, now: str, wanted: str) -> None:
    assert now == wanted, f"{page.name} is stale: run `make docs-reference`"


def test_text_around_a_generated_part_is_kept() -> None:
    page = "before\n<!-- generated: decisions -->\nold\n<!-- end of generated -->\nafter\n"
    made = fresh(page)
    assert made.startswith("before\n") and made.endswith("after\n")
    assert "old" not in made and "0001-one-machine" in made
    assert fresh(made) == made


@pytest.mark.parametrize("part", ["staticsite.spec", "platform.spec"])
def test_every_spec_field_has_a_description(part: str) -> None:
    for line in fields.table(part).splitlines():
        assert not line.endswith("| |"), f"{line}: it needs a description in crds/"


def test_every_command_and_option_is_described() -> None:
    written = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    for name in main.list_commands(click.Context(main)):
        command = main.get_command(click.Context(main), name)
        section = written.partition(f"\n## pages {name}\n")[2].partition("\n## ")[0]
        assert command and section
        for option in (each for each in command.params if isinstance(each, click.Option)):
            assert all(each in section for each in option.opts), option.opts
