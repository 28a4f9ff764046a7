"""The hooks over HTTP, as Metacontroller and everybody else may call them."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks import app as app_module
from hooks.app import create_app
from hooks.requests import STATIC_SITE, VIRTUAL_HOST

PLATFORM = {
    "kind": "Platform",
    "metadata": {"name": "platform", "namespace": "kup6s-pages"},
    "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
}
SYNCS = ("/platform/sync", "/platform/customize", "/virtualhost/sync")


@pytest.fixture
def client() -> FlaskClient:
    return create_app().test_client()


def test_platform_sync(client: FlaskClient) -> None:
    request = {"parent": PLATFORM, "children": {VIRTUAL_HOST: {}}, "related": {STATIC_SITE: {}}}
    answer = client.post("/platform/sync", json=request)
    assert answer.status_code == 200
    assert answer.get_json()["children"] == []


def test_customize_asks_for_all_sites_of_all_namespaces(client: FlaskClient) -> None:
    answer = client.post("/platform/customize", json={"controller": {}, "parent": PLATFORM})
    assert answer.get_json()["relatedResources"] == [
        {"apiVersion": "pages.kup6s.com/v1beta1", "resource": "staticsites", "labelSelector": {}},
        {"apiVersion": "v1", "resource": "namespaces", "labelSelector": {}},
    ]


def test_customize_is_not_stopped_by_a_mistake_in_the_platform(client: FlaskClient) -> None:
    broken = {**PLATFORM, "spec": {"pagesDomain": 7}}
    assert client.post("/platform/customize", json={"parent": broken}).status_code == 200


def test_healthz(client: FlaskClient) -> None:
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
def test_what_is_no_hook_request_gets_400_and_a_sentence(client: FlaskClient, path: str, body: bytes) -> None:
    answer = client.post(path, data=body)
    assert answer.status_code == 400
    assert answer.text.startswith("not a hook request: ")


@pytest.mark.parametrize(
    "change", [{"children": None}, {"children": []}, {"related": "x"}, {"children": {VIRTUAL_HOST: [1]}}]
)
def test_a_request_with_a_part_missing_gets_400_and_never_an_empty_answer(
    client: FlaskClient, change: dict[str, Any]
) -> None:
    request = {"parent": PLATFORM, "children": {VIRTUAL_HOST: {}}, "related": {STATIC_SITE: {}}} | change
    assert client.post("/platform/sync", json=request).status_code == 400


def test_an_internal_failure_gets_500_and_says_nothing_internal(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> dict[str, Any]:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("hooks.platform.sync", fail)
    answer = client.post("/platform/sync", json={"parent": PLATFORM})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "children" not in answer.text


def test_a_body_beyond_the_limit_gets_413(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "MAX_REQUEST_BYTES", 1000)
    answer = create_app().test_client().post("/platform/sync", data=b"x" * 1001)
    assert answer.status_code == 413


def test_other_paths_and_methods(client: FlaskClient) -> None:
    assert client.get("/platform/sync").status_code == 405
    assert client.post("/nothing").status_code == 404


def test_gunicorn_serves_it_and_stops_cleanly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "python:hooks.gunicorn", "hooks.app:create_app()"]
    environment = {**os.environ, "PAGES_HOOKS_BIND": f"127.0.0.1:{port}", "PAGES_HOOKS_WORKERS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    try:
        assert eventually_get(port, "/healthz") == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def eventually_get(port: int, path: str) -> int:
    deadline = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.05)
        finally:
            connection.close()
