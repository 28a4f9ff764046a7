"""The measurement of what browsers keep, in small."""

import pytest

from bench import requestpath


@pytest.fixture(autouse=True)
def first_question_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestpath, "traefik_is_there", lambda: False)


def test_a_short_run_ends_with_nothing_wrong() -> None:
    assert requestpath.main(files=10) == []


def test_files_that_browsers_have_to_load_again_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestpath, "etags", lambda _nginx, paths, _encoding: dict.fromkeys(paths, '"other"'))
    assert requestpath.main(files=10)[0] == "plain: 0 of 10 files are still what browsers have"
