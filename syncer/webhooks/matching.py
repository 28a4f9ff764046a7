"""Which sites a delivery is about: repositories compared by one canonical form, whatever their URLs' spelling (W6)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import unquote

from pages.api import SiteKey, StaticSite

_MOST_CHARACTERS = 2048
_HOST = r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
_USER = r"(?:(?!-)[^@/?#\\\s]*@)?"
_URL = re.compile(rf"(?P<scheme>https?|ssh|git)://{_USER}{_HOST}/(?P<path>[^?#\s]+)", re.IGNORECASE)
_SCP = re.compile(rf"{_USER}{_HOST}:(?P<path>(?!//)[^?#\s]+)")  # git@forge.example.com:team/docs.git
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SSH_ONLY = ("ssh.", "altssh.")  # the hosts where GitHub and GitLab offer ssh on port 443


class Place(NamedTuple):
    """A repository's host and path. ``port`` is 0 for that of the scheme and None where the URL cannot tell."""

    host: str
    path: str
    port: int | None


def places(url: str) -> list[Place]:
    """Where the repository of a URL may be found on the web; nothing where that is no URL of one."""
    match = _URL.fullmatch(url[:_MOST_CHARACTERS]) or _SCP.fullmatch(url[:_MOST_CHARACTERS])
    if match is None:
        return []
    # Forges take no notice of case; to look once too often costs nothing.
    host, path = match["host"].lower().rstrip("."), unquote(match["path"]).strip("/").casefold().removesuffix(".git")
    scheme = (match.groupdict().get("scheme") or "ssh").lower()
    if scheme not in _DEFAULT_PORTS:
        names = {host, *(host.removeprefix(prefix) for prefix in _SSH_ONLY)}
        return [Place(name, path, None) for name in sorted(names)]
    port = int(match["port"] or 0)
    return [Place(host, path, 0 if port == _DEFAULT_PORTS[scheme] else port)]


@dataclass(frozen=True)
class _Known:
    port: int | None
    site: StaticSite


class Index:
    """The sites by their repository, and by their name."""

    def __init__(self, sites: Iterable[StaticSite]) -> None:
        self._known: dict[tuple[str, str], list[_Known]] = {}
        self._named: dict[SiteKey, StaticSite] = {}
        for site in sites:
            self._named[site.site_key] = site
            for place in places(site.spec.repo):
                self._known.setdefault((place.host, place.path), []).append(_Known(place.port, site))

    def find(self, urls: Iterable[str]) -> list[StaticSite]:
        """The sites of the repository that has these URLs, each once, by namespace and name."""
        found = {site.metadata.uid: site for url in urls for site in self._at(url)}
        return sorted(found.values(), key=lambda site: site.site_key)

    def named(self, key: SiteKey) -> StaticSite | None:
        """The site of that name."""
        return self._named.get(key)

    def _at(self, url: str) -> Iterator[StaticSite]:
        for place in places(url):
            for known in self._known.get((place.host, place.path), ()):
                if place.port is None or place.port == known.port:
                    yield known.site


class Sites(Protocol):
    """The sites as they are now."""

    def by_uid(self) -> Mapping[str, StaticSite]:
        """The sites by uid; a different mapping after each change."""


class LatestIndex:
    """The index of the sites as they are now."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._made: tuple[Mapping[str, StaticSite], Index] = ({}, Index(()))

    def latest(self) -> Index:
        """The index; it is made again after a change."""
        made_of, index = self._made
        if made_of is not (now := self._sites.by_uid()):
            index = Index(now.values())
            self._made = now, index
        return index
