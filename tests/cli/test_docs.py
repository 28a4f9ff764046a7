"""The pages about the command line are complete."""

import re

import click
import pytest

from cli import exits, main
from tests.support.control_plane import ROOT

HOW_TO = (ROOT / "docs/how-to/why-is-my-site-not-live.md").read_text()
REFERENCE = (ROOT / "docs/reference/command-line.md").read_text()
_REASON = re.compile(r'"([A-Z][A-Za-z]+)",$|(?:broken|waiting|warning)\([A-Za-z_"]+, "([A-Z][A-Za-z]+)"', re.MULTILINE)


@pytest.mark.parametrize("file", ["issuers", "responses", "site_checks", "syncer_lease", "tls", "virtual_hosts"])
def test_every_reason_of_why_is_explained(file: str) -> None:
    text = (ROOT / f"cli/diagnosis/{file}.py").read_text()
    reasons = {first or second for first, second in _REASON.findall(text)} - {"Pending", "NotReady"}
    assert reasons
    assert not {each for each in reasons if f"`{each}`" not in HOW_TO}


def test_the_exit_codes_are_those_of_the_program() -> None:
    assert dict(re.findall(r"^\| (\d+) \| (.*) \|$", REFERENCE, re.MULTILINE)) == {
        str(code): meaning for code, meaning in exits.TABLE
    }


@pytest.mark.parametrize("name", ["init", "status", "why", "sync", "logs", "rollback", "doctor", "completion"])
def test_every_command_has_exit_codes_and_examples(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command and command.help
    assert "Exit codes: 0" in command.help
    assert f"pages {name} " in command.help or f"pages {name}\n" in command.help
