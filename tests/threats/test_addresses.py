"""A server's name must not be a way to the inside: where it leads is checked, and git goes nowhere else (U8, U9)."""

import http.server
import threading
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml

from syncer import errors
from syncer.egress.addresses import Addresses
from syncer.egress.hosts import AllowedHosts
from syncer.git.commands import Git
from syncer.git.remote import Remote
from syncer.limits import Timeouts
from tests.support.answering import answering
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site

ADDRESSES = yaml.safe_load((Path(__file__).parents[1] / "cases/addresses.yaml").read_text())
FORGE = "https://forge.example.com/team/site"
IN_FULL = AllowedHosts.parse("https://forge.example.com")


def at(*found: str, allowed: str = "forge.example.com") -> Addresses:
    return Addresses(AllowedHosts.parse(allowed), lambda _host, _port: found)


@pytest.mark.parametrize("address", ADDRESSES["public"].split())
def test_u8_a_server_on_the_internet_is_asked(address: str) -> None:
    assert at(address).of(FORGE) == [str(ip_address(address))]


@pytest.mark.parametrize("address", ADDRESSES["private"].split())
def test_u8_an_address_that_is_not_public_needs_an_entry_in_full(address: str) -> None:
    for entry in ("forge.example.com", "*.example.com", "https://other.example.com, forge.example.com"):
        with pytest.raises(errors.AddressForbidden, match=r"--allowed-hosts in full: https://forge\.example\.com$"):
            at(address, allowed=entry).of(FORGE)
    assert at(address, allowed="https://forge.example.com").of(FORGE) == [str(ip_address(address))]


@pytest.mark.parametrize("address", ADDRESSES["metadata"].split())
def test_u8_the_machines_own_metadata_is_never_asked_by_name(address: str) -> None:
    for entry in ("forge.example.com", "https://forge.example.com"):
        with pytest.raises(errors.AddressForbidden, match="never asked"):
            at(address, allowed=entry).of(FORGE)


def test_u8_one_bad_address_among_good_ones_is_enough() -> None:
    with pytest.raises(errors.AddressForbidden):
        at("1.1.1.1", "2606:4700::1111", "10.0.0.1").of(FORGE)


def test_u8_the_operator_may_write_an_address_itself() -> None:
    assert at(allowed="http://169.254.169.254").of("http://169.254.169.254/x") == ["169.254.169.254"]


def test_the_entry_to_write_names_scheme_and_port() -> None:
    with pytest.raises(errors.AddressForbidden, match=r"full: https://forge\.example\.com:8443$"):
        at("10.0.0.1", allowed="forge.example.com:8443").of("https://forge.example.com:8443/x")


def test_a_repository_on_this_machine_has_no_server() -> None:
    assert at().of("file:///srv/site") == []


@pytest.mark.parametrize("host", ["nowhere.invalid", f"{'a' * 64}.example.com", "a..example.com"])
def test_a_name_that_leads_nowhere(host: str) -> None:
    with pytest.raises(errors.Unreachable, match="cannot be resolved"):
        Addresses(IN_FULL).of(f"https://{host}/x")


def test_a_resolver_that_does_not_answer_is_given_up() -> None:
    never = threading.Event()

    def hang(_host: str, _port: int) -> Iterable[str]:
        never.wait(60)
        return ["1.1.1.1"]

    with pytest.raises(errors.Unreachable, match=r"within 0\.1 seconds"):
        Addresses(IN_FULL, hang, seconds=0.1).of(FORGE)
    never.set()


def test_what_a_name_leads_to_is_handed_on_once_and_bounded() -> None:
    assert at("1.1.1.1", "1.1.1.1", "8.8.8.8").of(FORGE) == ["1.1.1.1", "8.8.8.8"]
    assert len(at(*(f"1.1.1.{last}" for last in range(200))).of(FORGE)) == 16


def test_u8_a_site_whose_server_turns_out_to_be_inside_asks_nobody(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "x"})
    bench.hosts = f"localhost:{git_server.port}"
    repo = f"https://localhost:{git_server.port}/site.git"
    outcome = bench.sync(parsed_site(repo=repo))["site"]
    assert isinstance(outcome, errors.AddressForbidden)
    assert outcome.reason == "AddressNotAllowed"
    assert str(outcome).endswith(f"--allowed-hosts in full: https://localhost:{git_server.port}")
    assert git_server.requests == []


def test_u8_a_server_inside_is_asked_where_the_operator_wrote_it_in_full(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "x"})
    bench.hosts = f"http://localhost:{git_server.port}"
    bench.git = Git(Timeouts(ask=10, transfer=10), addresses=Addresses(AllowedHosts.parse(bench.hosts)))
    bench.sync(parsed_site(repo=f"{bench.hosts}/site.git"))
    assert bench.live() == {"index.html": "x"}


class Flipping:
    """A resolver that answers once with the first, ever after with the second (DNS rebinding)."""

    def __init__(self, first: str, then: str) -> None:
        self.answers = [first, then]
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Iterable[str]:
        self.asked.append((host, port))
        return [self.answers[min(len(self.asked), 2) - 1]]


class Counting(http.server.ThreadingHTTPServer):
    """Counts the connections that it gets."""

    connections = 0

    def process_request(self, request: object, client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)  # type: ignore[arg-type]


@pytest.fixture
def inside() -> Iterable[Counting]:
    with answering(Counting(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)) as server:
        yield server


def test_u9_git_goes_where_the_check_went_whatever_the_name_says_now(inside: Counting) -> None:
    """Localhost leads to the server inside, for anybody but the resolver that checks: git must not ask again."""
    url = f"https://localhost:{inside.server_port}/site.git"
    flipping = Flipping("127.0.0.99", "127.0.0.1")
    # An entry in full, so that an address of this machine where nobody answers can stand for a public one.
    hosts = AllowedHosts.parse(f"https://localhost:{inside.server_port}")
    git = Git(Timeouts(ask=10), addresses=Addresses(hosts, flipping))
    with pytest.raises(errors.Unreachable):
        git.ref_head(Remote(url), "refs/heads/main")
    assert inside.connections == 0
    assert len(flipping.asked) == 1
    public_only = Git(Timeouts(ask=5), addresses=Addresses(resolve=flipping))
    with pytest.raises(errors.AddressForbidden):
        public_only.ref_head(Remote(url), "refs/heads/main")
    assert inside.connections == 0


@pytest.mark.parametrize("found", [["127.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.9", "127.0.0.1"]])
def test_u9_git_finds_a_server_at_any_of_the_addresses_that_were_checked(
    git_server: GitServer, found: list[str]
) -> None:
    head = git_server.repository().commit({"index.html": "x"})
    hosts = AllowedHosts.parse(f"http://forge.example.com:{git_server.port}")
    git = Git(Timeouts(ask=10), addresses=Addresses(hosts, lambda _host, _port: found))
    assert git.ref_head(Remote(f"http://forge.example.com:{git_server.port}/site.git"), "refs/heads/main") == head
