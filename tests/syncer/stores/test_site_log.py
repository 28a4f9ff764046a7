"""The log of syncs of `pages serve`, and how commands wait for a sync with it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.backends.local import Local
from cli.exits import CannotAsk
from syncer.errors import BranchNotFound
from syncer.stores.site_log import SiteLog
from syncer.stores.state import State
from tests.support.objects import parsed_site, static_site

SITE = static_site("blog")
FAILED = BranchNotFound("the repository has no branch 'mian'")


def test_a_sync_that_ran_before_the_request_does_not_answer_it(tmp_path: Path) -> None:
    log, backend, site = SiteLog(tmp_path / "log"), Local(State(tmp_path)), parsed_site("blog")
    asked = datetime.now(UTC).isoformat()
    log.outcome_reported(site, FAILED, seconds=5)
    with pytest.raises(CannotAsk, match="stopped during the sync"):
        backend.sync_result(SITE, asked)
    log.outcome_reported(site, FAILED, seconds=0)
    assert backend.sync_result(SITE, asked).ok is False


def test_a_long_log_loses_its_older_half_and_incomplete_lines_are_skipped(
    tmp_path: Path,
) -> None:
    log, site = SiteLog(tmp_path), parsed_site("blog")
    for number in range(200):
        log.outcome_reported(site, BranchNotFound(f"{number} {'x' * 1000}"), seconds=0)
    with next(tmp_path.iterdir()).open("a") as file:
        file.write('{"time": "2026-')
    numbers = [int(line["text"].partition(" ")[0]) for line in log.lines("team/blog")]
    assert numbers == list(range(numbers[0], 200))
    assert 50 < len(numbers) < 150
