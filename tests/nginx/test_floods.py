"""Floods of passwords at a real nginx: they are limited, and do not affect others."""

import socket
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.nginx.conftest import Sites
from tests.nginx.test_passwords import SHA, asked, basic, users
from tests.support.raw_http import request
from tests.support.serving import eventually

AT_ONCE = 50
# So many more than the limits that a slow machine, which takes a few seconds for them, refuses some all the same.
FLOOD = 5000
RIGHT, WRONG = basic("ann"), basic("ann", "guessed")


def protected(sites: Sites, name: str) -> str:
    site = f"flood/{name}"
    users(sites, site, f"ann:{SHA}\n")
    return site


def statuses(sites: Sites, site: str, requests: Iterable[dict[str, str]]) -> Counter[int]:
    """The number of responses by status, for requests with these headers as fast as possible on one connection."""
    all_of_them = [
        request(f"GET /{site}/ HTTP/1.1", {"Host": "example.com", **asked(site, **headers)}, close=False)
        for headers in requests
    ]
    found: Counter[int] = Counter()
    with socket.create_connection(("127.0.0.1", sites.port), timeout=60) as connection:
        reader = connection.makefile("rb")
        for start in range(0, len(all_of_them), AT_ONCE):
            sent = all_of_them[start : start + AT_ONCE]
            connection.sendall(b"".join(sent))
            for _ in sent:
                found[int(reader.readline().split()[1])] += 1
                lines = iter(reader.readline, b"\r\n")
                lengths = [int(line.split()[1]) for line in lines if line.lower().startswith(b"content-length:")]
                reader.read(lengths[0])
    return found


def one(sites: Sites, site: str, address: str, authorization: str = RIGHT) -> int:
    return sites.ask(f"/{site}/", **asked(site, X_Real_Ip=address, Authorization=authorization)).status


def test_v8_a_logged_in_visitor_gets_all_files_of_a_large_page(sites: Sites) -> None:
    site = protected(sites, "assets")
    assert statuses(sites, site, [{"X-Real-Ip": "192.0.2.1", "Authorization": RIGHT}] * 400) == {200: 400}


def test_v8_a_flood_from_one_address_is_limited_and_affects_no_other(sites: Sites) -> None:
    site, other = protected(sites, "one-address"), protected(sites, "other")
    guesses = [{"X-Real-Ip": "192.0.2.1", "Authorization": WRONG}] * FLOOD
    with ThreadPoolExecutor(1) as visitor:
        flood = visitor.submit(statuses, sites, site, guesses)
        while not flood.done():
            assert sites.ask(f"/{other}/").status == 200  # without a password, like a public site
    found = flood.result()
    assert set(found) == {401, 429}
    assert found[429] > FLOOD // 10
    assert one(sites, site, "192.0.2.2") == 200
    assert one(sites, other, "192.0.2.1") == 200
    eventually(lambda: one(sites, site, "192.0.2.1") == 200)  # allowed again after a while


def test_v8_a_flood_from_many_addresses_affects_no_other_site(sites: Sites) -> None:
    site, other = protected(sites, "many-addresses"), protected(sites, "neighbour")
    guesses = ({"X-Real-Ip": f"198.51.{n // 250}.{n % 250}", "Authorization": WRONG} for n in range(FLOOD))
    found = statuses(sites, site, guesses)
    assert set(found) == {401, 429}
    assert found[429] > FLOOD // 10
    assert one(sites, other, "198.51.0.1") == 200


def test_v8_addresses_of_one_ipv6_network_count_as_one(sites: Sites) -> None:
    site = protected(sites, "ipv6")
    guesses = ({"X-Real-Ip": f"2001:db8:1:2:{n:x}::1", "Authorization": WRONG} for n in range(FLOOD))
    assert statuses(sites, site, guesses)[429] > FLOOD // 2
    assert one(sites, site, "2001:db8:1:3::1") == 200


def test_v8_requests_without_a_password_are_not_limited(sites: Sites) -> None:
    site = protected(sites, "no-password")
    assert statuses(sites, site, [{"X-Real-Ip": "192.0.2.1"}] * FLOOD) == {401: FLOOD}


def test_v8_passwords_for_a_public_site_are_not_counted(sites: Sites) -> None:
    site = protected(sites, "public")
    public = {"X-Pages-Auth": "public", "X-Real-Ip": "192.0.2.1", "Authorization": WRONG}
    assert statuses(sites, site, [public] * 2000) == {200: 2000}
