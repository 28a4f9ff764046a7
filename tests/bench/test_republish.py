"""The measurement of one changed file of many, in small."""

import itertools
from typing import Any

import pytest

from bench import republish
from syncer.publishing.source import SourceSync


def test_a_short_run_ends_with_nothing_wrong() -> None:
    assert republish.main(20, rounds=1) == []


def test_a_change_that_is_not_live_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real, runs = SourceSync.run, itertools.count()

    def only_once(sync: SourceSync, *arguments: Any) -> None:
        if next(runs) == 0:
            real(sync, *arguments)

    monkeypatch.setattr(SourceSync, "run", only_once)
    assert republish.main(20, rounds=1) == ["a change that was synced is not live"]
