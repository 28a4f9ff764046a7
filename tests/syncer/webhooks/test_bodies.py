"""W4: at most 1 MiB of a body is read, and no body causes an internal error."""

import gzip
import io
import json
import random
from typing import Any

import pytest
import structlog
from werkzeug.test import TestResponse

from syncer.app import MAX_BODY_BYTES
from tests.support import deliveries
from tests.support.deliveries import FORM, JSON, SECRET, Sent, github_push, gitlab_push
from tests.syncer.webhooks.conftest import API

REPO = "https://forge.example.com/team/docs.git"
FORGES = ("forgejo", "gitea", "github", "gitlab", "generic")


def signed(forge: str, body: bytes, content_type: str = JSON) -> Sent:
    """These bytes, as if the forge had signed them."""
    signature = deliveries.hexadecimal(SECRET, body)
    headers = {"Content-Type": content_type, "X-Gitlab-Token": SECRET.decode(), "X-Gitlab-Event": "Push Hook"}
    headers |= {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": "push"}
    headers |= {"X-Gitea-Signature": signature, "X-Gitea-Event": "push"}
    return Sent(forge, headers | {"X-Forgejo-Signature": signature, "X-Forgejo-Event": "push"}, body)


class Counting(io.RawIOBase):
    """A body without an end, which counts what is read of it."""

    def __init__(self) -> None:
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b"x" * len(buffer)
        self.count += len(buffer)
        return len(buffer)


def problem(answer: TestResponse) -> int:
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["status"] == answer.status_code
    return answer.status_code


@pytest.mark.parametrize("forge", FORGES)
def test_w4_a_body_of_50_mb_is_refused_before_it_is_read(api: API, forge: str) -> None:
    body = Counting()
    environ = {"wsgi.input": body, "CONTENT_LENGTH": "50000000", "CONTENT_TYPE": JSON}
    answer = api.client.post(f"/webhook/{forge}", environ_overrides=environ)
    assert (problem(answer), body.count) == (413, 0)


@pytest.mark.parametrize("forge", FORGES)
def test_w4_of_a_chunked_body_at_most_1_mib_is_read(api: API, forge: str) -> None:
    body = Counting()
    environ = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_TYPE": JSON, "CONTENT_LENGTH": ""}
    answer = api.client.post(f"/webhook/{forge}", headers={"Transfer-Encoding": "chunked"}, environ_overrides=environ)
    assert problem(answer) == 413
    assert 0 < body.count <= MAX_BODY_BYTES


def test_w4_a_body_of_exactly_1_mib_is_taken(api: API) -> None:
    push = json.dumps({"ref": "main", "repository": {"clone_url": REPO}}).encode()
    assert api.send(signed("gitea", push.ljust(MAX_BODY_BYTES))).status_code == 202
    assert problem(api.send(signed("gitea", push.ljust(MAX_BODY_BYTES + 1)))) == 413


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_w4_a_compressed_body_is_refused(api: API, forge: str, encoding: str) -> None:
    sent = signed(forge, gzip.compress(b"{}"))
    assert problem(api.send(sent.but(Content_Encoding=encoding))) == 415


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
def test_w4_other_content_types_are_refused(api: API, forge: str, content_type: str) -> None:
    assert problem(api.send(signed(forge, b"{}", content_type))) == 415


@pytest.mark.parametrize("forge", ["gitlab", "generic"])
def test_w4_forges_that_send_no_forms_are_not_sent_any(api: API, forge: str) -> None:
    assert problem(api.send(signed(forge, b"payload=%7B%7D", FORM))) == 415


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"7", b'"text"', b"{", b"{}x", b'{"ref": 7}', b'{"ref": {"x": 1}, "repo": []}'),
        *(b"[" * 200_000, b'{"a":' * 200_000, b'{"ref": ' + b"9" * 5000 + b"}", b"\xff\xfe{}", b'{"ref": "\xff"}'),
        *(b'{"ref": "\\ud800"}', b"\0", b"NaN"),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_w4_what_is_no_delivery_is_a_bad_request(api: API, forge: str, body: bytes) -> None:
    assert problem(api.send(signed(forge, body))) == 400


@pytest.mark.parametrize("forge", ["forgejo", "gitea", "github"])
@pytest.mark.parametrize("body", [b"", b"x=1", b"payload=1&payload=2", b"\xff=1", b"a=1&" * 100 + b"payload=1"])
def test_w4_a_form_has_one_payload(api: API, forge: str, body: bytes) -> None:
    assert problem(api.send(signed(forge, body, FORM))) == 400


def test_w4_ten_thousand_broken_deliveries_break_nothing(api: API) -> None:
    chance = random.Random(6)  # noqa: S311 - a seed, so that a failure can be repeated
    seeds = [
        deliveries.gitea_push(REPO).body,
        json.dumps(github_push()).encode(),
        json.dumps(gitlab_push()).encode(),
        deliveries.generic(REPO, "main").body,
        b"payload=%7B%22ref%22%3A%22main%22%7D",
    ]
    seen = set()
    with structlog.testing.capture_logs() as logs:
        for number in range(10_000):
            sent = _broken(chance, seeds, FORGES[number % len(FORGES)])
            seen.add(_status(api, sent))
            assert seen <= {200, 202, 400, 401, 413, 415}, (number, sent)
    assert seen == {200, 202, 400, 401, 415}
    assert {line["event"] for line in logs} == {"delivery", "delivery_refused"}


def _broken(chance: random.Random, seeds: list[bytes], forge: str) -> Sent:
    body = bytearray(chance.choice(seeds))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(body) + 1)
        length = chance.choice((0, 1, 5, 40))
        body[at : at + length] = chance.choice(
            (b"", b"null", b"\xff", b"{", b"[" * 50, b"\\u0000", chance.randbytes(3), b"9" * 30, b'"', b"0" * 40)
        )
    sent = signed(forge, bytes(body), chance.choice((JSON, JSON, JSON, FORM, "text/plain")))
    if chance.random() < 0.3:
        name = chance.choice(sorted(sent.headers))
        value = "".join(chr(chance.choice((*range(32, 127), *range(160, 256)))) for _ in range(chance.randrange(80)))
        sent = sent.but(**{name: chance.choice((None, "", value))})
    return sent


def _status(api: API, sent: Sent) -> int:
    """What a WSGI server would do; werkzeug's client takes three times as long."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/webhook/{sent.forge}",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent.body),
        "CONTENT_LENGTH": str(len(sent.body)),
    }
    for name, value in sent.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    status: list[int] = []
    answer = api.app.wsgi_app(environ, lambda line, _headers, *_error: status.append(int(line[:3])))  # type: ignore[arg-type]
    b"".join(answer)
    return status[0]
