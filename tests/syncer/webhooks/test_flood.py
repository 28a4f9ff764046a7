"""W3: replays and floods cost a few syncs."""

import threading
from collections.abc import Iterable, Iterator

import pytest

from syncer.sources import Source
from syncer.webhooks.pace import ALLOWANCE, CROWDED_SECONDS, FLOOD_SECONDS, LATER_SECONDS, NEAR_SECONDS, Pace
from syncer.webhooks.record import Record
from syncer.webhooks.requests import Requests
from tests.support import deliveries
from tests.support.serving import eventually
from tests.syncer.webhooks.conftest import API

REPO = "https://forge.example.com/team/docs.git"
DOCS, BLOG = Source(REPO, "main"), Source(REPO, "blog")


@pytest.mark.parametrize("forge", ["gitea", "forgejo"])
def test_w3_a_delivery_that_is_sent_ten_thousand_times_is_taken_once(api: API, forge: str) -> None:
    payload = {"ref": "refs/heads/main", "repository": {"clone_url": REPO}}
    sent = deliveries.gitea(payload, forge=forge)
    assert api.send(sent).get_json()["status"] == "queued"
    for _ in range(100):  # the rest is asked of the record itself
        again = api.send(sent)
        assert (again.status_code, again.get_json()["status"]) == (200, "duplicate")
    assert len(api.requested) == 1


@pytest.mark.parametrize(
    "sent",
    [deliveries.github(deliveries.github_push()), deliveries.gitlab(deliveries.gitlab_push())],
    ids=lambda sent: sent.forge,
)
def test_w3_a_redelivery_has_the_id_of_the_first(api: API, sent: deliveries.Sent) -> None:
    assert [api.send(sent).get_json()["status"] for _ in range(2)] == ["queued", "duplicate"]


def test_w3_deliveries_without_an_id_are_all_taken(api: API) -> None:
    sent = deliveries.generic(REPO, "main")
    assert [api.send(sent).get_json()["status"] for _ in range(2)] == ["queued", "queued"]
    named = sent.but(X_Delivery="build-7")
    assert [api.send(named).get_json()["status"] for _ in range(2)] == ["queued", "duplicate"]


def test_w3_what_is_remembered_is_bounded() -> None:
    record = Record()
    assert record.is_new("first")
    for _ in range(10_000):
        assert not record.is_new("first")
    assert all(record.is_new(number) for number in range(10_000))
    assert record.is_new("first")  # forgotten meanwhile


def test_w3_pushes_are_followed_at_once_however_fast_a_person_is() -> None:
    pace: Pace[str] = Pace()
    for moment in (0.0, 0.3, 0.6, 1.0, 5.0, 60.0):
        assert pace.when("site", moment) == moment


@pytest.mark.parametrize("sites", [1, 10, 100, 250, 500, 1000])
def test_w3_a_thousand_requests_in_one_second_are_one_or_two_syncs_of_each_site(sites: int) -> None:
    pace: Pace[int] = Pace()
    due: dict[int, float] = {}
    syncs = [0] * sites
    for number in range(1000):
        now, site = number / 1000, number % sites
        for each in [each for each, moment in due.items() if moment <= now]:
            del due[each]
            syncs[each] += 1
        due[site] = pace.again(site, now) if site in due else pace.when(site, now)
    for each in due:
        syncs[each] += 1
    assert set(syncs) <= {1, 2}
    assert all(moment <= 1 + CROWDED_SECONDS for moment in due.values())


def test_w3_after_the_crowd_all_is_as_before() -> None:
    pace: Pace[str] = Pace()
    for number in range(100):
        pace.when(f"site-{number}", 0.0)
    assert pace.when("site-0", 0.5) == CROWDED_SECONDS
    assert pace.when("late", 0.6) == 0.6 + LATER_SECONDS
    assert pace.when("site-1", 3.0) == 3.0
    assert pace.when("site-1", 3.2) == 3.2


def test_w3_a_flood_of_hours_gets_a_sync_every_ten_seconds() -> None:
    pace: Pace[str] = Pace()
    now, syncs = 0.0, 0
    while now < 3600:
        now = pace.when("site", now) + NEAR_SECONDS
        syncs += 1
    assert syncs <= 3600 / FLOOD_SECONDS + ALLOWANCE + 1
    assert pace.when("site", now + 3600) == now + 3600


def test_w3_one_sites_flood_is_not_anothers() -> None:
    pace: Pace[str] = Pace()
    for moment in range(100):
        pace.when("flooded", moment / 100)
    assert pace.when("other", 1.0) <= 1.0 + LATER_SECONDS


class Followed:
    """Where requests end up."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def hasten(self, requested: Iterable[Source]) -> None:
        assert self.may_go_on.wait(20)
        self.sources += requested


@pytest.fixture
def followed() -> Followed:
    return Followed()


@pytest.fixture
def requests(followed: Followed) -> Iterator[Requests]:
    made = Requests(followed)
    made.start()
    yield made
    followed.may_go_on.set()
    made.stop()


def test_w3_requests_are_followed_at_once_and_only_once(requests: Requests, followed: Followed) -> None:
    requests.put([DOCS, DOCS, BLOG])
    eventually(lambda: sorted(followed.sources, key=str) == [BLOG, DOCS])


def test_w3_a_thousand_requests_in_a_moment_are_two_syncs(requests: Requests, followed: Followed) -> None:
    requests.put([DOCS])
    eventually(lambda: followed.sources == [DOCS])
    for _ in range(999):
        requests.put([DOCS])
    requests.put([BLOG])
    eventually(lambda: len(followed.sources) == 3)
    assert followed.sources == [DOCS, BLOG, DOCS]


def test_w3_a_syncer_that_is_busy_holds_up_no_delivery(requests: Requests, followed: Followed) -> None:
    followed.may_go_on.clear()
    for _ in range(100):
        requests.put([DOCS])
    assert followed.sources == []
    followed.may_go_on.set()
    eventually(lambda: followed.sources)
