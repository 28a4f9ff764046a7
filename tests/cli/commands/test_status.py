"""`pages status -o`, as kubectl has it."""

import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import exits
from cli.output import show
from syncer.stores.state import State
from tests.support.objects import REPO, static_site
from tests.support.serving import following

site = partial(static_site, metadata={"creationTimestamp": "2026-11-01T00:00:00Z"}, branch="trunk")
SITES = [
    site("z", status={"phase": "Ready"}),
    site("b", "ops"),
    site("a", "ops", status={"message": "no\nRole: to apply"}),
]


def test_sites_are_sorted_in_every_format() -> None:
    assert [line.split()[:2] for line in show(SITES, "table", single=False).splitlines()[1:]] == [
        ["ops", "a"],
        ["ops", "b"],
        ["team", "z"],
    ]
    names = show(SITES, "name", single=False).splitlines()
    assert names == [f"staticsite.pages.kup6s.com/{name}" for name in "abz"]


@pytest.mark.parametrize(("output", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_several_sites_are_a_list_and_one_is_itself(output: str, load: Any) -> None:
    many = load(show(SITES, output, single=False))
    assert (many["kind"], [each["metadata"]["name"] for each in many["items"]]) == ("List", ["a", "b", "z"])
    assert load(show(SITES[:1], output, single=True)) == SITES[0]


def test_a_row_is_one_line_and_wide_shows_everything() -> None:
    assert "Role" not in show(SITES, "table", single=False)
    long = [site("x", status={"message": "m" * 200})]
    assert "m" * 200 not in show(long, "table", single=False)
    wide = show(long, "wide", single=False)
    assert "m" * 200 in wide and REPO in wide and "trunk" in wide
    assert show([], "table", single=False) == "No sites."


def test_watch_prints_again_after_a_change_until_ctrl_c(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    with state.locked():
        state.write_site("x.yaml", site("blog", status={"phase": "Syncing"}))
        watching = following("status", "-w", "--state", state.folder)
        assert watching.stdout
        first = [watching.stdout.readline() for _ in range(2)]
        state.write_site("x.yaml", site("blog", status={"phase": "Ready"}))
        second = [watching.stdout.readline() for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        rest = watching.stdout.read()
        assert watching.wait(60) == exits.INTERRUPTED
        watching.stdout.close()
    assert first[0].split()[:2] == ["NAMESPACE", "NAME"] and "Syncing" in first[1]
    assert "Ready" in second[1] and not rest.strip()
