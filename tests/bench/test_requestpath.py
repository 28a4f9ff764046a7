"""A small run of the benchmark of browser caches."""

import pytest

from bench import requestpath


@pytest.fixture(autouse=True)
def without_traefik(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestpath, "traefik_is_there", lambda: False)


def test_a_short_run_ends_without_errors() -> None:
    assert requestpath.main(files=10) == []


def test_files_that_browsers_load_again_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestpath, "etags", lambda _nginx, paths, _encoding: dict.fromkeys(paths, '"other"'))
    assert requestpath.main(files=10)[0] == "plain: 0 of 10 files were revalidated without a download"
