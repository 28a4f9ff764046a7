"""Resolves and checks the names of servers, so that a public name is no way into the private network (SSRF: U8, U9).

Callers connect to what ``Addresses.of`` returned and to nothing else, so that a name which leads elsewhere a moment
later (DNS rebinding) gains nothing.
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

# All addresses of a name and port. Raises OSError or UnicodeError where there are none.
Resolve = Callable[[str, int], Iterable[str]]
Address = IPv4Address | IPv6Address

_MAX_ADDRESSES = 16  # returned; all are checked
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# What is_global of some supported Python lets through. All of IPv6 outside 2000::/3 (mapped, compatible, NAT64, local,
# multicast) is excluded already.
_NOT_PUBLIC = (
    IPv4Network("100.64.0.0/10"),  # carriers' NAT, and the pods of many clusters
    IPv4Network("168.63.129.16/32"),  # Azure's WireServer
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("224.0.0.0/4"),  # multicast
    IPv6Network("2001::/23"),  # Teredo and other protocol assignments
    IPv6Network("2002::/16"),  # 6to4: holds an IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)
# Metadata services, which give machines their passwords: never a git server, not even in a private network.
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
    """Resolves names and checks the addresses. Without ``hosts`` every private address is refused."""

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
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in self._look_up(host, parts.port or 0)]
        for address in addresses:
            if any(_is_metadata(each) for each in (address, *_embedded(address))):
                raise AddressForbidden(
                    f"the git server {host} resolves to a link-local or metadata address, "
                    f"which the syncer never contacts; check the name in spec.repo and its DNS records"
                )
            if not private and not is_public(address):
                raise AddressForbidden(
                    f"the git server {host} resolves to a private address; if that is intended, ask the "
                    f"administrator to write its entry of --allowed-hosts in full: {in_full(url)}"
                )
        return list(dict.fromkeys(map(str, addresses)))[:_MAX_ADDRESSES]

    def _look_up(self, host: str, port: int) -> list[str]:
        """Ask the resolver, for a bounded time: the system's own may be configured to wait for longer."""
        answer: Future[list[str]] = Future()

        def ask() -> None:
            try:
                answer.set_result(list(self._resolve(host, port)))
            except (OSError, UnicodeError) as error:  # a label that is too long or empty
                answer.set_exception(error)

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            addresses = answer.result(self._seconds)
        except TimeoutError:
            raise Unreachable(
                f"the name of the git server {host} was not resolved within {self._seconds:g} seconds; "
                "the syncer tries again later"
            ) from None
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise Unreachable(f"the name of the git server {host} cannot be resolved; check spec.repo")
        return addresses


def is_public(address: Address) -> bool:
    """Whether the address is reachable from the internet. Stricter than "not private", which lets some pass."""
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
    embedded = [IPv4Address(int(address) >> shift & 0xFFFFFFFF) for prefix, shift in _EMBEDDING if address in prefix]
    return embedded + list(address.teredo or ())


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
