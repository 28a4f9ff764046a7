"""`--help` teaches."""

import pytest

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
