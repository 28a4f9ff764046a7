"""What `pages serve` notes of each sync, and what whoever waits for one makes of it."""

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


def test_a_sync_that_went_on_when_another_was_asked_for_is_not_its_answer(tmp_path: Path) -> None:
    log, backend, site = SiteLog(tmp_path / "log"), Local(State(tmp_path)), parsed_site("blog")
    asked = datetime.now(UTC).isoformat()
    log.outcome_reported(site, FAILED, seconds=5)
    with pytest.raises(CannotAsk, match="has stopped meanwhile"):
        backend.sync_result(SITE, asked)
    log.outcome_reported(site, FAILED, seconds=0)
    assert backend.sync_result(SITE, asked).ok is False


def test_a_log_loses_its_older_half_when_it_is_long_and_a_line_that_is_being_written_is_passed_over(
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
