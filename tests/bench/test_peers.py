"""A small run of the comparison with other syncers."""

import pytest

from bench import measuring, peers
from bench.adapters.ours import Ours


@pytest.fixture(autouse=True)
def ours_alone_and_few_pushes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_peers", lambda: ([Ours()], []))
    for name, value in {"ROUNDS": 1, "BURST": 3, "TORN_PUSHES": 2}.items():
        monkeypatch.setattr(peers, name, value)


def test_a_short_run_ends_without_errors() -> None:
    assert peers.main(["push"]) == []


def test_torn_reads_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "torn_reads", lambda *_arguments: 3)
    assert peers.main(["push"]) == ["3 reads were torn or failed"]


def test_a_push_that_is_never_live_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "PATIENCE_SECONDS", 1)
    monkeypatch.setattr(peers, "shows", lambda _folder, _text: False)
    (wrong,) = peers.main(["push"])
    assert wrong.startswith("the rest of 'push' for kup6s-pages")
