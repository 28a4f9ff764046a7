"""The hooks over HTTP, called by Metacontroller and by other clients."""

import http.client
import json
import signal
import subprocess
from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks import app as app_module
from hooks.app import create_app
from hooks.payload import STATIC_SITE, VIRTUAL_HOST
from tests.support.serving import PAGES, eventually, free_port

PLATFORM = {
    "kind": "Platform",
    "metadata": {"name": "platform", "namespace": "kup6s-pages"},
    "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
}
SYNCS = ("/platform/sync", "/platform/customize", "/virtualhost/sync")


@pytest.fixture
def client() -> FlaskClient:
    return create_app().test_client()


def test_platform_sync_without_sites_answers_without_children(client: FlaskClient) -> None:
    request = {"parent": PLATFORM, "children": {VIRTUAL_HOST: {}}, "related": {STATIC_SITE: {}}}
    answer = client.post("/platform/sync", json=request)
    assert answer.status_code == 200
    assert answer.get_json()["children"] == []


def test_customize_requests_all_sites_and_all_namespaces(client: FlaskClient) -> None:
    answer = client.post("/platform/customize", json={"controller": {}, "parent": PLATFORM})
    assert answer.get_json()["relatedResources"] == [
        {"apiVersion": "pages.kup6s.com/v1beta1", "resource": "staticsites", "labelSelector": {}},
        {"apiVersion": "v1", "resource": "namespaces", "labelSelector": {}},
    ]


def test_customize_answers_for_an_invalid_platform(client: FlaskClient) -> None:
    broken = {**PLATFORM, "spec": {"pagesDomain": 7}}
    assert client.post("/platform/customize", json={"parent": broken}).status_code == 200


def test_healthz_answers(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", SYNCS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b"7",
        b"{}",
        b'{"parent": null}',
        b'{"parent": []}',
        b'{"parent": {"kind": "Pod", "metadata": {"name": "x"}}}',
        b'{"parent": {"kind": "Platform"}}',
        b'{"parent": {"kind": "VirtualHost", "metadata": []}}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_malformed_request_gets_400_and_an_explanation(client: FlaskClient, path: str, body: bytes) -> None:
    answer = client.post(path, data=body)
    assert answer.status_code == 400
    assert answer.text.startswith("not a hook request: ")


@pytest.mark.parametrize(
    "change", [{"children": None}, {"children": []}, {"related": "x"}, {"children": {VIRTUAL_HOST: [1]}}]
)
def test_a_request_with_a_missing_part_gets_400_and_not_an_empty_answer(
    client: FlaskClient, change: dict[str, Any]
) -> None:
    request = {"parent": PLATFORM, "children": {VIRTUAL_HOST: {}}, "related": {STATIC_SITE: {}}} | change
    assert client.post("/platform/sync", json=request).status_code == 400


def test_an_internal_error_gets_500_without_details(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> dict[str, Any]:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("hooks.platform.sync", fail)
    answer = client.post("/platform/sync", json={"parent": PLATFORM})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "children" not in answer.text


def test_a_body_over_the_limit_gets_413(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "MAX_REQUEST_BYTES", 1000)
    answer = create_app().test_client().post("/platform/sync", data=b"x" * 1001)
    assert answer.status_code == 413


def test_other_paths_and_methods_are_rejected(client: FlaskClient) -> None:
    assert client.get("/platform/sync").status_code == 405
    assert client.post("/nothing").status_code == 404


def test_the_process_answers_logs_and_stops_cleanly() -> None:
    port = free_port()
    command = [*PAGES, "hooks", "--bind", f"127.0.0.1:{port}", "--metrics-bind", "-", "--workers", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: answers(port, "GET", "/readyz") == 200)
        assert answers(port, "GET", "/healthz") == 200
        request = {"parent": PLATFORM, "children": {}, "related": {STATIC_SITE: {}}}
        assert answers(port, "POST", "/platform/sync", json.dumps(request)) == 200
        assert answers(port, "POST", "/platform/sync", "[]") == 400
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        _, output = process.communicate()
    lines = [json.loads(line) for line in output.splitlines()]
    assert all("timestamp" in line and "level" in line for line in lines)
    (answered,) = [line for line in lines if line["event"] == "hook_answered"]
    assert (answered["parent"], answered["hook"], answered["children"]) == ("kup6s-pages/platform", "/platform/sync", 0)
    assert answered["reconcile"]
    (refused,) = [line for line in lines if line["event"] == "not_a_hook_request"]
    assert refused["reconcile"] != answered["reconcile"]


def answers(port: int, method: str, path: str, body: str | None = None) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()
