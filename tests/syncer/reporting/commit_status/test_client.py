"""The POST of a commit status: where it connects to, and for how long."""

import socket
import threading
from collections.abc import Iterator

import pytest

from syncer.egress.addresses import Addresses
from syncer.egress.hosts import AllowedHosts
from syncer.errors import AddressForbidden
from syncer.reporting.commit_status.calls import Call
from syncer.reporting.commit_status.client import Client, NotAccepted
from tests.support.forge_api import ForgeAPI

COMMIT = "a" * 40


@pytest.fixture
def forge() -> Iterator[ForgeAPI]:
    with ForgeAPI() as running:
        yield running


def a_call(origin: str) -> Call:
    return Call(f"{origin}/api/v1/repos/team/docs/statuses/{COMMIT}", {"Authorization": "token canary"}, {"state": ""})


def test_u9_it_connects_to_the_address_that_was_checked_and_asks_no_other_resolver(forge: ForgeAPI) -> None:
    origin = forge.origin.replace("127.0.0.1", "forge.invalid")  # no resolver of this machine knows it
    Client(Addresses(AllowedHosts.parse(origin), lambda _host, _port: ["127.0.0.1"])).post(a_call(origin))
    assert forge.taken[0].headers["Host"] == origin.removeprefix("http://")


def test_u9_a_name_that_leads_inside_when_it_connects_is_not_sent_the_token(forge: ForgeAPI) -> None:
    origin = forge.origin.replace("127.0.0.1", "forge.invalid")
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    client = Client(Addresses(AllowedHosts.parse(origin), lambda _host, _port: next(answers)))
    client.post(a_call(origin))
    with pytest.raises(AddressForbidden):
        client.post(a_call(origin))
    assert len(forge.taken) == 1


def test_a_name_that_is_not_resolved_just_now_is_asked_again_later(forge: ForgeAPI) -> None:
    origin = forge.origin.replace("127.0.0.1", "forge.invalid")
    with pytest.raises(NotAccepted, match="cannot be resolved") as caught:
        Client(Addresses(AllowedHosts.parse(origin), lambda _host, _port: [])).post(a_call(origin))
    assert caught.value.again


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_f9_a_forge_that_drips_ends_when_the_time_is_up(beginning: bytes) -> None:
    done = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(beginning)
            while not done.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
            client = Client(Addresses(AllowedHosts.parse(origin)), seconds=0.5)
            with pytest.raises(NotAccepted) as caught:
                client.post(a_call(origin))
        finally:
            done.set()
            thread.join()
    assert caught.value.again
