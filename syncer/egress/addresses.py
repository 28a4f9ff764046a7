"""Where a git server's name leads, checked: a public name must not be a way to the inside (SSRF: U8, U9).

Whoever dials asks ``Addresses.of`` first and connects to what it answered and to nothing else, so that a name which
leads elsewhere a moment later (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from syncer.egress.hosts import AllowedHosts, in_full
from syncer.errors import AddressForbidden, Unreachable

# All addresses of a name. OSError or UnicodeError where it has none.
Resolve = Callable[[str, int], Iterable[str]]
Address = IPv4Address | IPv6Address

_MAX_ADDRESSES = 16  # as many as are handed on; all are checked
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# What Python's is_global lets through, or did in some version we run on. All of IPv6 beside 2000::/3 (mapped,
# compatible, NAT64, local, multicast) is out already.
_NOT_PUBLIC = (
    IPv4Network("100.64.0.0/10"),  # carriers' NAT, and many a cluster's pods
    IPv4Network("168.63.129.16/32"),  # Azure's WireServer
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("224.0.0.0/4"),  # multicast
    IPv6Network("2001::/23"),  # Teredo and other protocol assignments
    IPv6Network("2002::/16"),  # 6to4: holds an IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)
# Where machines learn who they are, with passwords: never a git server, not even one inside.
_METADATA = (
    IPv4Network("169.254.0.0/16"),
    IPv4Network("168.63.129.16/32"),
    IPv4Network("100.100.100.200/32"),
    IPv6Network("fe80::/10"),
    IPv6Network("fd00:ec2::/32"),
    IPv6Network("fd20:ce::/32"),
)
# Prefixes after which an IPv4 address follows at this bit, counted from the right.
_EMBEDDING = (
    (IPv6Network("::/96"), 0),  # compatible
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # translated
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("64:ff9b:1::/48"), 0),  # NAT64 of this network
    (IPv6Network("2002::/16"), 80),  # 6to4
)


def _ask_the_system(host: str, port: int) -> Iterable[str]:
    return (str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


class Addresses:
    """Resolves and checks. Without ``hosts`` no name may lead to a private address."""

    def __init__(
        self, hosts: AllowedHosts | None = None, resolve: Resolve = _ask_the_system, *, seconds: float = 10
    ) -> None:
        self._hosts = hosts or AllowedHosts(())
        self._resolve = resolve
        self._seconds = seconds

    def of(self, url: str) -> list[str]:
        """The addresses to connect to for a URL that ``AllowedHosts.check`` has admitted; none where it is not http(s).

        Raises AddressForbidden where any of them is not allowed, Unreachable where there is none. An address that
        stands in the URL itself is allowed: the operator wrote that very address.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in {"http", "https"}:
            return []
        if _is_address(host):
            return [host]
        private = self._hosts.trust_addresses_of(url)
        # A scope (fe80::1%eth0) says nothing about the kind of an address.
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in self._look_up(host, parts.port or 0)]
        for address in found:
            if any(_is_metadata(each) for each in (address, *_embedded(address))):
                raise AddressForbidden(
                    f"the git server {host} is at an address of the machine or cloud itself (link-local, metadata), "
                    f"which is never asked; check the name in spec.repo and where it leads"
                )
            if not private and not is_public(address):
                raise AddressForbidden(
                    f"the git server {host} is at an address that is not public; if it is meant, ask the "
                    f"administrator to write its entry of --allowed-hosts in full: {in_full(url)}"
                )
        return list(dict.fromkeys(map(str, found)))[:_MAX_ADDRESSES]

    def _look_up(self, host: str, port: int) -> list[str]:
        """What the resolver says, in bounded time: the system's own waits for as long as its configuration has it."""
        answer: Future[list[str]] = Future()

        def ask() -> None:
            try:
                answer.set_result(list(self._resolve(host, port)))
            except (OSError, UnicodeError) as error:  # the second is about a label that is too long or empty
                answer.set_exception(error)

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            addresses = answer.result(self._seconds)
        except TimeoutError:
            raise Unreachable(
                f"the name of the git server {host} was not resolved within {self._seconds:g} seconds; "
                "it is tried again later"
            ) from None
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise Unreachable(f"the name of the git server {host} cannot be resolved; check spec.repo")
        return addresses


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could reach the address: what "not private" forgets is out too."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return is_public(address.ipv4_mapped)
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not any(address in each for each in _NOT_PUBLIC)


def _is_metadata(address: Address) -> bool:
    return any(address in each for each in _METADATA)


def _embedded(address: Address) -> list[IPv4Address]:
    """The IPv4 addresses to which a gateway could translate it."""
    if isinstance(address, IPv4Address):
        return []
    found = [IPv4Address(int(address) >> shift & 0xFFFFFFFF) for prefix, shift in _EMBEDDING if address in prefix]
    return found + list(address.teredo or ())


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
