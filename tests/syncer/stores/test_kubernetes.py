"""What the Kubernetes API answers, in our words. The real one is in tests/cluster; it is not easily overloaded."""

from datetime import UTC, datetime

import httpx2
import pytest
from lightkube import Client, KubeConfig
from lightkube.config.models import Cluster as Server
from lightkube.config.models import User

from syncer.cluster.events_api import ClusterEvents
from syncer.reporting.event_writer import ApiAway, Written
from syncer.reporting.events import Event
from syncer.stores.kubernetes import STATIC_SITE, not_written
from tests.support.scripted_server import ScriptedServer, says

JSON = b'{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "slow down", "code": 429}'
OVERLOADED = [
    pytest.param(b"text/plain", b"Too many requests, please try again later.", id="before it is decoded"),
    pytest.param(b"application/json", JSON, id="by a limit on the namespace"),
]


def overloaded(kind: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nConnection: close\r\n"
    return b"%bContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (head, kind, len(body), body)


def api(origin: str) -> Client:
    return Client(config=KubeConfig.from_one(cluster=Server(server=origin), user=User()))


@pytest.mark.parametrize(("kind", "body"), OVERLOADED)
def test_f19_an_overloaded_api_says_how_long_it_wants_to_rest(kind: bytes, body: bytes) -> None:
    with ScriptedServer(says(overloaded(kind, body))) as server:
        client = api(server.origin)
        with pytest.raises(httpx2.HTTPError) as raised:
            client.get(STATIC_SITE, "blog", namespace="team")
    assert not_written(raised.value).pause == 7


@pytest.mark.parametrize(("kind", "body"), OVERLOADED)
def test_f19_events_too_wait_as_long_as_the_api_wants_to_rest(kind: bytes, body: bytes) -> None:
    now = datetime.now(UTC)
    written = Written("team", "blog.1", "uid", "blog", Event("Normal", "Deployed", "commit x is live"), now, now)
    with ScriptedServer(says(overloaded(kind, body))) as server, pytest.raises(ApiAway) as raised:
        ClusterEvents(api(server.origin)).create(written)
    assert raised.value.pause == 7


def test_an_api_that_is_not_there_sets_no_time() -> None:
    client = api("http://127.0.0.1:1")
    with pytest.raises(httpx2.HTTPError) as raised:
        client.get(STATIC_SITE, "blog", namespace="team")
    assert not_written(raised.value).pause == 0
    assert str(not_written(raised.value))
