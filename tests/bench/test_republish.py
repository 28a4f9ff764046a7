"""The measurement of one changed file of many, in small."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from bench import republish
from syncer.publishing.source import SourceSync


def test_a_short_run_ends_with_nothing_wrong() -> None:
    assert republish.main(20, rounds=1) == []


def test_a_change_that_is_not_live_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real, runs = SourceSync.run_all, itertools.count()

    def only_once(sync: SourceSync, *arguments: Any) -> Iterator[Any]:
        return real(sync, *arguments) if next(runs) == 0 else iter(())

    monkeypatch.setattr(SourceSync, "run_all", only_once)
    assert republish.main(20, rounds=1) == ["a change that was synced is not live"]
