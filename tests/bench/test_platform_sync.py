"""A small run of the benchmark of stage one."""

import pytest

from bench import platform_sync
from hooks import platform


def test_a_short_run_ends_without_errors() -> None:
    assert platform_sync.main((10, 40), rounds=1) == []


def test_sites_that_stage_one_does_not_route_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "_claims", lambda _site, _spec: iter(()))
    assert platform_sync.main((10,), rounds=1)[0] == "10: 0 domains are routed, not 10"
