"""`--help` teaches."""

import re

import click
import pytest

from cli import main
from tests.support.control_plane import ROOT
from tests.support.serving import pages


def test_the_first_page_shows_a_whole_site_and_where_to_begin() -> None:
    shown = pages("--help").stdout
    for text in ("kind: StaticSite", "pages serve --repo URL", "pages status", "pages render", "PAGES_SERVE_PORT"):
        assert text in shown


@pytest.mark.parametrize("command", ["serve", "status", "why", "render"])
def test_every_command_explains_itself_with_examples(command: str) -> None:
    shown = pages(command, "--help").stdout
    assert "Examples:" in shown
    assert f"pages {command}" in shown


def test_an_option_may_come_from_the_environment() -> None:
    done = pages("serve", "--repo", "https://forge.example.com/x", PAGES_SERVE_PORT="99999")
    assert done.returncode == 2
    assert "99999" in done.stderr


def test_status_without_a_state_says_where_to_look() -> None:
    done = pages("status", "--state", "nowhere")
    assert done.returncode == 2
    assert "--state" in done.stderr


def test_the_version() -> None:
    assert pages("--version").stdout.startswith("pages, version 0.")


@pytest.mark.parametrize("command", ["serve", "syncer"])
def test_every_limit_is_an_option_with_the_default_that_the_reference_names(command: str) -> None:
    parsed = main.get_command(click.Context(main), command)
    assert parsed
    defaults = {parameter.opts[0]: str(parameter.default) for parameter in parsed.params}
    table = re.findall(
        r"^\| `(--[a-z-]+)` \| ([^|]+) \|", (ROOT / "docs/reference/limits.md").read_text(), re.MULTILINE
    )
    assert len(table) == 9
    assert {option: defaults[option] for option, _ in table} == dict(table)


@pytest.mark.parametrize(
    ("option", "value", "what_is_wrong"),
    [
        ("--max-file-size", "much", "100MiB"),
        ("--max-pack-size", "1KiB", "at least 1 MiB"),
        ("--git-ask-time", "0s", "at least 1s"),
        ("--max-files", "0", "0 is not in the range"),
    ],
)
def test_a_limit_that_means_nothing_is_named(option: str, value: str, what_is_wrong: str) -> None:
    done = pages("serve", "--repo", "https://forge.example.com/x", option, value)
    assert done.returncode == 2
    assert option in done.stderr and what_is_wrong in done.stderr
