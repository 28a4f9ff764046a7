"""What each forge really sends, and what becomes of it."""

import pytest

from syncer.webhooks.trust import Trust
from tests.support import deliveries
from tests.support.deliveries import FORM, JSON, SECRET, Sent, github_push, gitlab_push, recorded
from tests.support.objects import parsed_site
from tests.syncer.webhooks.conftest import API, KEY

RECORDED = [*recorded("gitea"), *recorded("gitea", "gitea-form"), *recorded("forgejo")]
LOOK = "feature/new-look"


@pytest.mark.parametrize("sent", RECORDED, ids=lambda sent: f"{sent.forge}-{sent.name}")
def test_every_real_delivery_is_believed_and_answered(api: API, sent: Sent) -> None:
    answer = api.send(sent)
    assert answer.status_code in {200, 202}
    assert answer.get_json()["message"]
    assert api.send(sent.but(X_Gitea_Signature="0" * 64, X_Forgejo_Signature="0" * 64)).status_code == 401


@pytest.mark.parametrize(
    ("forge", "port", "number", "sites"),
    [
        ("gitea", 23300, "02", ["lab/main"]),
        ("gitea", 23300, "05", ["lab/look"]),
        ("gitea", 23300, "14", ["lab/main"]),
        ("gitea", 23300, "20", ["lab/main"]),  # "Test delivery": the ref is a plain name
        ("forgejo", 23310, "02", ["lab/main"]),
        ("forgejo", 23310, "05", ["lab/look"]),
        ("forgejo", 23310, "20", ["lab/main"]),
    ],
)
def test_a_real_push_queues_the_sites_of_its_branch(forge: str, port: int, number: str, sites: list[str]) -> None:
    repo = f"http://127.0.0.1:{port}/alice/site.git"
    api = API(
        Trust(SECRET, KEY), [parsed_site("main", "lab", repo=repo), parsed_site("look", "lab", repo=repo, branch=LOOK)]
    )
    answer = api.send(next(each for each in recorded(forge) if each.name.startswith(number)))
    assert answer.status_code == 202
    assert answer.get_json()["sites"] == sites


@pytest.mark.parametrize("forge", ["gitea", "forgejo"])
@pytest.mark.parametrize("kind", ["create-branch", "delete-branch", "create-tag", "delete-tag", "pull_request"])
def test_what_is_no_push_is_ignored_and_says_so(api: API, forge: str, kind: str) -> None:
    for sent in [each for each in recorded(forge) if kind in each.name]:
        answer = api.send(sent)
        assert answer.status_code == 200
        assert "only pushes" in answer.get_json()["message"]
    assert not api.requested


def test_a_form_of_gitea_is_signed_by_its_payload_alone(api: API) -> None:
    sent = recorded("gitea", "gitea-form")[0]
    assert api.send(sent).status_code == 202
    whole = deliveries.hexadecimal(SECRET, sent.body)
    assert api.send(sent.but(X_Gitea_Signature=whole)).status_code == 401


def test_a_form_of_github_is_signed_as_a_whole(api: API) -> None:
    body = recorded("gitea", "gitea-form")[0].body
    sent = deliveries.github(None, body=body).but(Content_Type=FORM)
    assert api.send(sent).get_json()["sites"] == ["lab/site"]
    payload = deliveries.github(None).headers["X-Hub-Signature-256"]
    assert api.send(sent.but(X_Hub_Signature_256=payload)).status_code == 401


def test_github_signs_as_its_documentation_shows() -> None:
    secret, body = b"It's a Secret to Everybody", b"Hello, World!"
    sent = deliveries.github(None, secret, body=body)
    assert sent.headers["X-Hub-Signature-256"].endswith(
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )
    answer = API(Trust(secret, KEY), []).send(sent)
    assert answer.status_code == 400  # believed, and no JSON


def test_github_pushes_pings_and_deletes(api: API) -> None:
    assert api.send(deliveries.github(github_push())).get_json()["sites"] == ["hub/docs"]
    ping = {"zen": "Keep it logically awesome.", "hook_id": 1, "repository": deliveries.GITHUB_REPOSITORY}
    pong = api.send(deliveries.github(ping, event="ping"))
    assert (pong.status_code, pong.get_json()["message"][:4]) == (200, "pong")
    organisation = api.send(deliveries.github({"zen": "Design for failure."}, event="ping"))
    assert organisation.status_code == 200
    gone = api.send(deliveries.github(github_push(deleted=True, after="0" * 40)))
    assert (gone.status_code, gone.get_json()["sites"]) == (200, [])


def test_gitlab_sends_its_token(api: API) -> None:
    assert api.send(deliveries.gitlab(gitlab_push())).get_json()["sites"] == ["lab/gitlab"]
    assert api.send(deliveries.gitlab(gitlab_push(), b"wrong")).status_code == 401


@pytest.mark.parametrize("event", ["Tag Push Hook", "System Hook"])
def test_gitlabs_tags_are_ignored_as_tags(api: API, event: str) -> None:
    payload = gitlab_push("refs/tags/main", object_kind="tag_push", event_name="tag_push")
    answer = api.send(deliveries.gitlab(payload, event=event))
    assert (answer.status_code, answer.get_json()["sites"]) == (200, [])
    assert answer.get_json()["message"] == "refs/tags/main is not a branch; only branches are published"


def test_gitlabs_system_hook_pushes_too(api: API) -> None:
    push = deliveries.gitlab(gitlab_push(), event="System Hook")
    assert api.send(push).status_code == 202
    created = {"event_name": "project_create", "name": "docs", "path_with_namespace": "group/docs"}
    answer = api.send(deliveries.gitlab(created, event="System Hook"))
    assert answer.status_code == 200
    assert "project_create" in answer.get_json()["message"]


def test_gitlab_signs_with_a_signing_token(api: API) -> None:
    key = bytes(range(32))
    written = b"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    signing = API(Trust(written, KEY), api.sites.values())
    sent = deliveries.gitlab_signed(gitlab_push(), key)
    assert signing.send(sent).status_code == 202
    assert signing.send(deliveries.gitlab_signed(gitlab_push(), b"x" * 32)).status_code == 401
    assert signing.send(sent.but(webhook_timestamp="1700000001")).status_code == 401
    two = f"v1,AAAA {sent.headers['webhook-signature']}"
    assert signing.send(sent.but(webhook_signature=two)).status_code in {200, 202}


def test_w3_a_replay_of_gitlabs_signed_delivery_cannot_have_another_id(api: API) -> None:
    sent = deliveries.gitlab_signed(gitlab_push(), bytes.fromhex(api.token("lab/gitlab")))
    replay = sent.but(Idempotency_Key="another", X_Gitlab_Event_UUID="another")
    assert [api.send(each).get_json()["status"] for each in (sent, replay)] == ["queued", "duplicate"]


def test_a_sites_token_can_be_gitlabs_signing_token(api: API) -> None:
    key = bytes.fromhex(api.token("lab/gitlab"))
    assert api.send(deliveries.gitlab_signed(gitlab_push(), key)).get_json()["sites"] == ["lab/gitlab"]


def test_w2_gitlabs_token_does_not_rescue_a_wrong_signature(api: API) -> None:
    sent = deliveries.gitlab_signed(gitlab_push(), b"wrong" * 8)
    assert api.send(sent.but(X_Gitlab_Token=SECRET.decode())).status_code == 401


@pytest.mark.parametrize("ref", ["main", "refs/heads/main"])
def test_anything_can_send_a_repository_and_a_ref(api: API, ref: str) -> None:
    answer = api.send(deliveries.generic("https://forge.example.com/team/docs", ref))
    assert answer.get_json()["sites"] == ["team/docs"]


def test_gitea_may_be_sent_to_forgejos_path_as_with_kup6s_pages_1_0(api: API) -> None:
    sent = recorded("gitea")[1]
    answer = api.client.post("/webhook/forgejo", data=sent.body, headers=list(sent.headers.items()))
    assert answer.status_code == 202


def test_a_delivery_without_its_event_is_ignored(api: API) -> None:
    sent = deliveries.gitea_push("https://forge.example.com/team/docs")
    answer = api.send(sent.but(X_Gitea_Event=None))
    assert answer.status_code == 200
    assert "does not name its event" in answer.get_json()["message"]


def test_a_content_type_may_have_parameters(api: API) -> None:
    sent = deliveries.gitea_push("https://forge.example.com/team/docs")
    assert api.send(sent.but(Content_Type=f"{JSON}; charset=utf-8")).status_code == 202
