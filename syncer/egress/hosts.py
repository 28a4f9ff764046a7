"""Which git servers the syncer may contact: the operator's ``--allowed-hosts``.

An entry is ``forge.example.com``, ``*.example.com`` (any name below it, never itself), either with ``:port``; these
mean https. Plain http, or an IP address, needs an entry written in full: ``http://127.0.0.1:3000`` (U1, U5-U7).
Only a server whose entry is written in full, ``https://git.internal.example.com``, may be at a private address (U8).
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from pages import validation
from syncer.errors import HostNotAllowed

_PORTS = {"https": 443, "http": 80}
_ENTRY = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>\*?[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?/?")
_MAX_PORT = 65535


@dataclass(frozen=True)
class HostPattern:
    """One entry; ``host`` is lower-case and may begin with ``*.``. ``full``: it was written with its scheme."""

    scheme: str
    host: str
    port: int
    full: bool = False

    @classmethod
    def parse(cls, entry: str) -> Self:
        """Read an entry. Raises ValueError with what is wrong with it."""
        match = _ENTRY.fullmatch(entry)
        if not match:
            raise ValueError(
                f"{entry!r} is not a host: write forge.example.com, *.example.com or http://127.0.0.1:3000"
            )
        scheme = match["scheme"] or "https"
        port = int(match["port"] or _PORTS[scheme])
        if not 0 < port <= _MAX_PORT:
            raise ValueError(f"{entry!r} has a port outside 1 to 65535")
        full = bool(match["scheme"])
        return cls(scheme, _host(entry, match["host"].lower(), explicit=full), port, full)

    def admits(self, scheme: str, host: str, port: int) -> bool:
        """Whether the entry covers a URL with these parts."""
        if (scheme, port) != (self.scheme, self.port):
            return False
        return host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host


def _host(entry: str, host: str, *, explicit: bool) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # An in-cluster name may be a single label; a wildcard right below a top-level domain may not.
        if not re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", host):
            _check_name(entry, host.removeprefix("*."))
        return host
    if not explicit:
        raise ValueError(f"{entry!r} is an IP address: write it in full, as in http://{host}:3000, if that is intended")
    return host


def _check_name(entry: str, name: str) -> None:
    try:
        validation.domain(name)
    except ValueError as error:
        raise ValueError(f"{entry!r}: the host {error}") from None


@dataclass(frozen=True)
class AllowedHosts:
    """The whole list. ``local`` also admits repositories on this machine (``pages serve --allow-local``)."""

    patterns: tuple[HostPattern, ...]
    local: bool = False

    @classmethod
    def parse(cls, text: str, *, local: bool = False) -> Self:
        """Read ``a.example.com,*.b.example``. Raises ValueError that names the wrong entry."""
        entries = [entry.strip() for entry in text.split(",")]
        return cls(tuple(HostPattern.parse(entry) for entry in entries if entry), local)

    def check(self, url: str) -> None:
        """Raise HostNotAllowed unless an entry covers the server of the canonical URL."""
        if urlsplit(url).scheme == "file":
            if not self.local:
                raise HostNotAllowed("repositories on this machine are published only with --allow-local")
            return
        server = _server(url)
        if not any(each.admits(*server) for each in self.patterns):
            raise HostNotAllowed(
                f"the git server {_shown(*server)} is not on the list of allowed hosts; "
                f"ask the administrator to add it to --allowed-hosts{_hint(self.patterns)}"
            )

    def trust_addresses_of(self, url: str) -> bool:
        """Whether the operator wrote the server's entry in full, which admits private addresses as well."""
        return any(each.full and each.admits(*_server(url)) for each in self.patterns)


def in_full(url: str) -> str:
    """The entry that admits the URL's server at private addresses as well."""
    scheme, host, port = _server(url)
    return f"{scheme}://{host}{'' if port == _PORTS.get(scheme) else f':{port}'}"


def _server(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def _shown(scheme: str, host: str, port: int) -> str:
    plain = scheme == "https" and not re.fullmatch(r"[0-9.]+", host)
    shown_port = "" if port == _PORTS.get(scheme) else f":{port}"
    return f"{host}{shown_port}" if plain else f"{scheme}://{host}{shown_port}"


def _hint(patterns: Iterable[HostPattern]) -> str:
    allowed = ", ".join(_shown(each.scheme, each.host, each.port) for each in patterns)
    return f" (allowed now: {allowed})" if allowed else " (none is allowed now)"
