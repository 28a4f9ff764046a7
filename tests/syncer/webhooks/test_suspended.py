"""A suspended site is not synced by a webhook or a request either, and whoever sends one is told."""

from syncer.webhooks.trust import Trust
from tests.support import deliveries
from tests.support.deliveries import SECRET
from tests.support.objects import parsed_site
from tests.syncer.webhooks.conftest import API, KEY, nothing_else

REPO = "https://forge.example.com/team/docs.git"


def test_a_push_syncs_the_others_and_says_where_there_are_none() -> None:
    asleep, awake = parsed_site("asleep", repo=REPO), parsed_site("awake", repo=REPO)
    asleep = asleep.model_copy(update={"spec": asleep.spec.model_copy(update={"suspend": True})})
    both = API(Trust(SECRET, KEY), [asleep, awake])
    assert both.send(deliveries.gitea_push(REPO)).get_json()["sites"] == ["team/awake"]
    alone = API(Trust(SECRET, KEY), [asleep])
    with nothing_else(alone):
        answer = alone.send(deliveries.gitea_push(REPO))
        assert (answer.status_code, answer.get_json()["message"]) == (200, "1 site suspended (spec.suspend)")
        answer = alone.ask("POST", "/sync/team/asleep", alone.token("team/asleep"))
        assert (answer.status_code, answer.get_json()["status"]) == (200, "ignored")
