"""Who is believed: W1 signatures, W2 how they are compared, W7 whose sites they speak for, W8 what strangers learn."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from syncer.webhooks.trust import Trust
from tests.support import deliveries
from tests.support.deliveries import SECRET, Sent, github_push, gitlab_push
from tests.support.objects import parsed_site
from tests.syncer.webhooks.conftest import API, KEY, nothing_else

REPO = "https://forge.example.com/team/docs.git"
PUSHES = {
    "forgejo": deliveries.gitea({"ref": "refs/heads/main", "repository": {"clone_url": REPO}}, forge="forgejo"),
    "gitea": deliveries.gitea_push(REPO),
    "github": deliveries.github(github_push()),
    "gitlab": deliveries.gitlab(gitlab_push()),
    "generic": deliveries.generic(REPO, "main"),
}
HEADER = {
    "forgejo": "X_Forgejo_Signature",
    "gitea": "X_Gitea_Signature",
    "github": "X_Hub_Signature_256",
    "gitlab": "X_Gitlab_Token",
    "generic": "X_Hub_Signature_256",
}
all_forges = pytest.mark.parametrize("forge", PUSHES)


def refused(answer: TestResponse) -> bool:
    assert answer.mimetype == "application/problem+json"
    return answer.status_code == 401


@all_forges
def test_w1_a_signed_delivery_is_taken(api: API, forge: str) -> None:
    assert api.send(PUSHES[forge]).status_code == 202
    assert len(api.requested) == 1


@all_forges
@pytest.mark.parametrize("value", [None, "", "0" * 64, "sha256=", "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6"])
def test_w1_no_signature_an_empty_one_or_a_wrong_one_is_refused(api: API, forge: str, value: str | None) -> None:
    sent = PUSHES[forge].but(**{HEADER[forge]: value})
    if forge == "forgejo":
        sent = sent.but(X_Gitea_Signature=None)
    with nothing_else(api):
        assert refused(api.send(sent))


@all_forges
def test_w1_another_body_under_the_same_signature_is_refused(api: API, forge: str) -> None:
    if forge == "gitlab":
        return  # its plain token covers no body
    sent = PUSHES[forge]
    with nothing_else(api):
        assert refused(api.send(Sent(sent.forge, sent.headers, sent.body + b" ")))


@all_forges
@pytest.mark.parametrize("trust", [Trust(), Trust(None, KEY), Trust(b"another secret", KEY)])
def test_w1_without_the_secret_nothing_is_believed(api: API, forge: str, trust: Trust) -> None:
    closed = API(trust, api.sites.values())
    with nothing_else(closed):
        assert refused(closed.send(PUSHES[forge]))


def test_w1_an_empty_signature_is_not_that_of_an_empty_secret(api: API) -> None:
    empty = API(Trust(b"", None), api.sites.values())
    assert refused(empty.send(deliveries.gitea_push(REPO, secret=b"")))
    assert refused(empty.send(deliveries.gitlab(gitlab_push(), b"")))


def test_w1_everything_that_is_not_believed_is_answered_alike(api: API) -> None:
    wrong = [
        api.send(deliveries.gitea_push(repo, secret=b"wrong"))
        for repo in (REPO, "https://forge.example.com/none/such", "not a URL", "")
    ]
    wrong.append(api.send(Sent("gitea", PUSHES["gitea"].headers, b"[" * 100)))
    assert {(answer.status_code, answer.data) for answer in wrong} == {(401, wrong[0].data)}


@all_forges
@pytest.mark.parametrize("value", ["\xe9\xff" * 32, "ab\x80", "sha256=\xff"])
def test_w2_a_header_that_is_not_ascii_is_refused_as_any_other(api: API, forge: str, value: str) -> None:
    sent = PUSHES[forge]
    environ = {f"HTTP_{HEADER[forge].upper()}": value}
    headers = list(sent.but(**{HEADER[forge]: None}).headers.items())
    answer = api.client.post(f"/webhook/{forge}", data=sent.body, headers=headers, environ_overrides=environ)
    assert refused(answer)


@pytest.mark.parametrize("forge", ["forgejo", "gitea", "github", "generic"])
def test_w2_signatures_are_compared_byte_for_byte(api: API, forge: str) -> None:
    right = PUSHES[forge].headers[HEADER[forge].replace("_", "-")]
    bare = right.removeprefix("sha256=")
    others = [right.upper(), f"{right} ", f"{right},{right}", right[:-1], f"{right}0", f"sha256=sha256={bare}"]
    others.append(bare if "=" in right else f"sha256={bare}")
    for other in others:
        sent = PUSHES[forge].but(**{HEADER[forge]: None})
        environ = {f"HTTP_{HEADER[forge].upper()}": other}
        headers = list(sent.headers.items())
        if forge == "forgejo":
            headers = [pair for pair in headers if pair[0] != "X-Gitea-Signature"]
        answer = api.client.post(f"/webhook/{forge}", data=sent.body, headers=headers, environ_overrides=environ)
        assert refused(answer), other


def test_w2_a_header_that_is_sent_twice_is_refused(api: API) -> None:
    sent = PUSHES["gitea"]
    twice = [*sent.headers.items(), ("X-Gitea-Signature", "0" * 64)]
    assert refused(api.client.post("/webhook/gitea", data=sent.body, headers=twice))


def test_w2_a_wrong_signature_of_forgejo_is_not_rescued_by_another_header(api: API) -> None:
    for wrong in ("0" * 64, ""):
        assert refused(api.send(PUSHES["forgejo"].but(X_Forgejo_Signature=wrong)))


@pytest.mark.parametrize("forge", ["forgejo", "gitea", "github"])
def test_w2_the_path_decides_and_never_the_headers(api: API, forge: str) -> None:
    sent = PUSHES["forgejo"]
    with nothing_else(api):
        only = {"X-Hub-Signature-256", "X-GitHub-Event"} if forge != "github" else {"X-Forgejo-Signature"}
        headers = [pair for pair in sent.headers.items() if pair[0] in only | {"Content-Type", "X-Forgejo-Event"}]
        assert refused(api.client.post(f"/webhook/{forge}", data=sent.body, headers=headers))


def signed_by(token: str, forge: str, repo: str) -> Sent:
    """The push of a repository, signed with a site's token."""
    secret = token.encode()
    payload: dict[str, Any] = {"ref": "refs/heads/main", "repository": {"clone_url": repo}}
    if forge == "gitlab":
        return deliveries.gitlab(gitlab_push(project={"git_http_url": repo}), secret)
    if forge == "github":
        return deliveries.github(payload, secret)
    if forge == "generic":
        return deliveries.generic(repo, "main", secret)
    return deliveries.gitea(payload, secret, forge=forge)


@all_forges
def test_w7_a_sites_token_speaks_for_that_site_alone(forge: str) -> None:
    api = API(
        Trust(SECRET, KEY),
        [
            parsed_site("docs", repo=REPO),
            parsed_site("docs", "rival", repo=REPO),
            parsed_site("own", "rival", repo=f"{REPO}x"),
        ],
    )
    token = api.token("team/docs")
    assert api.send(signed_by(token, forge, REPO)).get_json()["sites"] == ["team/docs"]
    assert api.last("team/docs")["lastDelivery"]["outcome"] == "queued"
    assert api.last("rival/docs")["lastDelivery"] is None
    with nothing_else(api):
        assert refused(api.send(signed_by(token, forge, f"{REPO}x")))


@all_forges
def test_w7_the_platforms_secret_speaks_for_every_site(forge: str) -> None:
    api = API(Trust(SECRET, KEY), [parsed_site("docs", repo=REPO), parsed_site("docs", "rival", repo=REPO)])
    assert api.send(signed_by(SECRET.decode(), forge, REPO)).get_json()["sites"] == ["rival/docs", "team/docs"]


def test_w7_what_is_looked_at_is_what_the_staticsite_says(api: API) -> None:
    """Nothing of the payload reaches the syncer (U1): neither its URLs nor its commits."""
    payload = {
        "ref": "refs/heads/main",
        "after": "evil",
        "repository": {"clone_url": REPO, "ssh_url": "ssh://evil.test/x", "html_url": "http://169.254.169.254/"},
    }
    assert api.send(deliveries.gitea(payload)).status_code == 202
    assert [(source.repo, source.branch) for source in api.requested] == [(REPO, "main")]


def test_w7_another_tenant_cannot_use_up_a_delivery_id(api: API) -> None:
    both = API(Trust(SECRET, KEY), [parsed_site("docs", repo=REPO), parsed_site("docs", "rival", repo=REPO)])
    rivals = signed_by(both.token("rival/docs"), "gitea", REPO).but(X_Gitea_Delivery="the-same")
    assert both.send(rivals).status_code == 202
    assert both.send(deliveries.gitea_push(REPO).but(X_Gitea_Delivery="the-same")).status_code == 202
    assert both.send(rivals).get_json()["status"] == "duplicate"


def test_w7_trying_the_tokens_of_many_sites_is_bounded() -> None:
    """A body of 1 MiB that names a repository of 200 sites is hashed 64 times and no more."""
    api = API(Trust(None, KEY), [parsed_site(f"s{number:03}", repo=REPO) for number in range(200)])
    padded = {"ref": "main", "repository": {"clone_url": REPO}, "padding": "x" * ((1 << 20) - 200)}
    assert api.send(deliveries.gitea(padded, api.token("team/s010").encode())).status_code == 202
    assert refused(api.send(deliveries.gitea(padded, api.token("team/s150").encode())))
    small = {"ref": "main", "repository": {"clone_url": REPO}}
    assert api.send(deliveries.gitea(small, api.token("team/s150").encode())).status_code == 202


def test_sync_and_delete_want_the_sites_own_token(api: API) -> None:
    token = api.token("team/docs")
    assert api.ask("POST", "/sync/team/docs", token).get_json()["sites"] == ["team/docs"]
    assert [source.repo for source in api.requested] == [REPO]
    assert api.ask("DELETE", "/site/team/docs", token).status_code == 200
    assert api.offline == [("team", "docs")]


@pytest.mark.parametrize(("method", "path"), [("POST", "/sync/{}"), ("DELETE", "/site/{}"), ("GET", "/site/{}")])
def test_w8_a_wrong_token_and_no_such_site_are_answered_alike(api: API, method: str, path: str) -> None:
    tokens = [None, "", "wrong", "\xe9", api.token("other/site"), SECRET.decode(), KEY.decode()]
    keys = ["team/docs", "team/none", "none/docs", "../docs", "team/..", "%2e%2e/docs", "team/docs%00"]
    with nothing_else(api):
        answers = [api.ask(method, path.format(key), token) for key in keys for token in tokens]
    assert {(answer.status_code, answer.data) for answer in answers} == {(401, answers[0].data)}


@pytest.mark.parametrize(("method", "path"), [("POST", "/sync/{}"), ("DELETE", "/site/{}"), ("GET", "/site/{}")])
def test_w8_without_tokens_these_are_closed(api: API, method: str, path: str) -> None:
    closed = API(Trust(SECRET, None), api.sites.values())
    for token in (None, "", api.token("team/docs"), SECRET.decode()):
        assert refused(closed.ask(method, path.format("team/docs"), token))


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/webhook", "/webhook/", "/webhook/bitbucket", "/webhook/gitea/", "/webhook/gitea/x", "//webhook/gitea"),
        *("/metrics", "/healthz", "/readyz", "/static/x", "/sync/team", "/sync/..", "/sync/team/docs/", "/site/team"),
        *("/sync/team/docs/x", "/site/../sync/team/docs", "/SYNC/team/docs", "/.env", "/webhook/%67itea%2f"),
    ],
)
def test_w8_there_is_nothing_else(api: API, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "PUT"):
        answer = api.ask(method, path, api.token("team/docs"))
        assert answer.status_code == 404
        assert answer.get_json() == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": answer.get_json()["detail"],
        }


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/webhook/gitea", "POST"),
        ("PUT", "/webhook/gitea", "POST"),
        ("OPTIONS", "/webhook/gitea", "POST"),
        ("GET", "/sync/team/docs", "POST"),
        ("POST", "/site/team/docs", "GET, HEAD, DELETE"),
    ],
)
def test_w8_other_methods_are_refused(api: API, method: str, path: str, allowed: str) -> None:
    answer = api.ask(method, path, api.token("team/docs"))
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert set(answer.headers["Allow"].split(", ")) == set(allowed.split(", "))


def test_w8_a_syncer_that_is_not_at_work_says_so(api: API) -> None:
    api.at_work = False
    for answer in (api.send(PUSHES["gitea"]), api.ask("DELETE", "/site/team/docs", api.token("team/docs"))):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert not api.requested and not api.offline


def test_w8_a_failure_of_ours_says_nothing_internal(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_arguments: object) -> None:
        raise RuntimeError("/secrets/webhook is broken")

    monkeypatch.setattr("syncer.webhooks.receiver.Receiver.receive", crash)
    answer = api.send(PUSHES["gitea"])
    assert answer.get_json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "the request failed; the log says why",
    }


def test_the_owner_of_a_site_sees_its_last_delivery_and_the_last_that_was_refused(api: API) -> None:
    nothing = {"lastDelivery": None, "lastRefusedDelivery": None, "commitStatus": None}
    assert api.last("team/docs") == {"site": "team/docs", **nothing}
    api.send(deliveries.gitea_push(REPO, "refs/heads/other"))
    api.send(deliveries.gitea_push(REPO, secret=b"wrong"))
    seen = api.last("team/docs")
    assert seen["lastDelivery"]["forge"] == "gitea"
    assert seen["lastDelivery"]["event"] == "push"
    assert seen["lastDelivery"]["outcome"] == "ignored: branch other was pushed, and this site is made of main"
    assert seen["lastDelivery"]["time"].endswith("Z")
    assert seen["lastRefusedDelivery"]["outcome"].startswith("refused: ")
    assert SECRET.decode() not in str(seen) and api.token("team/docs") not in str(seen)


def test_k1_secrets_never_show() -> None:
    assert SECRET.decode() not in repr(Trust(SECRET, KEY)) and "kkk" not in repr(Trust(SECRET, KEY))
