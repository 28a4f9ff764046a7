"""A small run of the benchmark of webhooks."""

import pytest

from bench import webhooks
from tests.support.deliveries import gitea_push


@pytest.fixture(autouse=True)
def without_gitea(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "gitea_is_there", lambda: False)


def test_a_short_run_ends_without_errors() -> None:
    assert webhooks.main(deliveries=20, sites=2) == []


def test_rejected_deliveries_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "gitea_push", lambda repo: gitea_push(repo, secret=b"another"))
    assert webhooks.main(deliveries=20, sites=2) == [
        "0 of 20 deliveries were answered 202",
        "0 of 2 sites were synced",
    ]
