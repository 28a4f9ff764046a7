"""Which sites a delivery concerns: repositories are compared in one canonical form of their URLs (W6)."""

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


class RepoLocation(NamedTuple):
    """A repository's host and path. ``port`` is 0 for the scheme's own and None where the URL does not tell."""

    host: str
    path: str
    port: int | None


def locations(url: str) -> list[RepoLocation]:
    """The locations that a repository's URL may mean; none where it is not such a URL."""
    match = _URL.fullmatch(url[:_MOST_CHARACTERS]) or _SCP.fullmatch(url[:_MOST_CHARACTERS])
    if match is None:
        return []
    # Forges ignore case, and one needless sync costs nothing.
    host, path = match["host"].lower().rstrip("."), unquote(match["path"]).strip("/").casefold().removesuffix(".git")
    scheme = (match.groupdict().get("scheme") or "ssh").lower()
    if scheme not in _DEFAULT_PORTS:
        names = {host, *(host.removeprefix(prefix) for prefix in _SSH_ONLY)}
        return [RepoLocation(name, path, None) for name in sorted(names)]
    port = int(match["port"] or 0)
    return [RepoLocation(host, path, 0 if port == _DEFAULT_PORTS[scheme] else port)]


@dataclass(frozen=True)
class _PortedSite:
    port: int | None
    site: StaticSite


class Index:
    """The sites by repository and by name."""

    def __init__(self, sites: Iterable[StaticSite]) -> None:
        self._by_location: dict[tuple[str, str], list[_PortedSite]] = {}
        self._named: dict[SiteKey, StaticSite] = {}
        for site in sites:
            self._named[site.site_key] = site
            for location in locations(site.spec.repo):
                self._by_location.setdefault((location.host, location.path), []).append(
                    _PortedSite(location.port, site)
                )

    def find(self, urls: Iterable[str]) -> list[StaticSite]:
        """The sites of the repository with these URLs, each once, sorted by name."""
        sites = {site.metadata.uid: site for url in urls for site in self._at(url)}
        return sorted(sites.values(), key=lambda site: site.site_key)

    def named(self, key: SiteKey) -> StaticSite | None:
        """The site of that name."""
        return self._named.get(key)

    def _at(self, url: str) -> Iterator[StaticSite]:
        for location in locations(url):
            for candidate in self._by_location.get((location.host, location.path), ()):
                if location.port is None or location.port == candidate.port:
                    yield candidate.site


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
