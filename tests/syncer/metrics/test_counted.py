"""What the syncer counts: under many threads, and with every reason that there is."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import generate_latest

from pages.api import StaticSite
from syncer.errors import SyncError
from syncer.git.traffic import Request
from syncer.metrics.counted import DELIVERED, Counted
from syncer.outcome import Published
from syncer.volume.records import Release
from syncer.volume.writing import Changes
from syncer.webhooks.receiver import FORGES
from tests.support import metrics

SITE = StaticSite.model_validate(
    {"metadata": {"name": "site", "uid": "u"}, "spec": {"repo": "https://forge.example.com/x"}}
)
RELEASE = Release("u", "https://forge.example.com/x", "main", "c" * 40, "", "t" * 40)


@pytest.fixture
def counted() -> Counted:
    return Counted()


def page(counted: Counted) -> metrics.Page:
    return metrics.Page(generate_latest(counted.registry).decode())


def reasons(kind: type[SyncError] = SyncError) -> Iterator[type[SyncError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from reasons(each)


def test_with_everything_that_can_happen_the_page_is_still_small_and_in_order(counted: Counted) -> None:
    for kind in reasons():
        counted.sync_finished(SITE, kind.__new__(kind), 0.1)
    for word in ("ok", "NotUnderstood", *{kind.reason for kind in reasons()}):
        for request in (Request("ask", "http", word, 0.1), Request("fetch", "git", word, 0.1)):
            counted.git_requested(request)
    for state in ("pending", "success", "failure"):
        counted.commit_status_sent(state, "sent")
    seen = page(counted)
    assert metrics.mistakes(seen.text) == []
    assert len(list(seen.series())) < 1_000
    if metrics.PROMTOOL.exists():
        assert metrics.promtool_complaints(seen.text) == ""


def test_what_never_happened_is_zero_so_that_its_first_time_is_an_increase(counted: Counted) -> None:
    seen = page(counted)
    for forge in FORGES:
        for outcome in DELIVERED:
            assert seen.value("pages_webhook_deliveries_total", forge=forge, outcome=outcome) == 0
    assert seen.value("pages_syncs_total", result="published", reason="") == 0
    assert seen.value("pages_events_total", result="dropped") == 0
    assert seen.value("pages_status_writes_total", result="failed") == 0


def test_nothing_is_lost_among_threads(counted: Counted) -> None:
    published = Published(RELEASE, changed=True, changes=Changes(written=1, linked=2, copied=3, removed=4, bytes=5))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: counted.sync_finished(SITE, published, 0.1), range(400)))
    seen = page(counted)
    assert seen.value("pages_syncs_total", result="published", reason="") == 400
    assert [seen.value("pages_release_files_total", how=how) for how in ("written", "linked", "copied")] == [
        400,
        800,
        1200,
    ]
    assert seen.value("pages_release_written_bytes_total") == 2000
    assert seen.value("pages_sync_duration_seconds_count", result="published", reason="") == 400
