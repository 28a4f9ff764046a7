"""A small run of the benchmark of browser caches."""

import os

import pytest

from bench import requestpath
from pages.api import StaticSite
from tests.support.bench import Bench


@pytest.fixture(autouse=True)
def without_traefik(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestpath, "traefik_is_there", lambda: False)


def test_a_short_run_ends_without_errors() -> None:
    assert requestpath.main(files=10) == []


def test_files_that_browsers_load_again_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Bench.sync

    def sync_and_touch(bench: Bench, *sites: StaticSite) -> None:
        sync(bench, *sites)
        for file in bench.root.glob("volume/releases/**/*.html*"):
            os.utime(file, (0, file.stat().st_mtime + 1))

    monkeypatch.setattr(Bench, "sync", sync_and_touch)
    assert requestpath.main(files=10)[0] == "plain: 0 of 10 files were revalidated without a download"
