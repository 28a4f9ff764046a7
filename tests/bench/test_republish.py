"""A small run of the benchmark of one changed file of many."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from bench import republish
from syncer.publishing.source import SourceSync


def test_a_short_run_ends_without_errors() -> None:
    assert republish.main(20, rounds=1) == []


def test_a_change_that_is_not_live_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real, runs = SourceSync.run_all, itertools.count()

    def only_once(sync: SourceSync, *arguments: Any) -> Iterator[Any]:
        return real(sync, *arguments) if next(runs) == 0 else iter(())

    monkeypatch.setattr(SourceSync, "run_all", only_once)
    assert republish.main(20, rounds=1) == ["a synced change is not live"]
