"""The domains that lead to a site, as far as its StaticSite says."""

from typing import NamedTuple, Self

from pages.api import StaticSite


class Hosts(NamedTuple):
    """``domain`` is where the site is served; nothing where that is the platform's to say, or unknown."""

    domain: str = ""
    aliases: frozenset[str] = frozenset()
    path_prefix: str = ""

    @classmethod
    def of(cls, site: StaticSite) -> Self:
        """Those of a site."""
        aliases = frozenset(each.lower() for each in site.spec.aliases)
        return cls(site.spec.host or "", aliases, site.spec.path_prefix)

    def __contains__(self, host: object) -> bool:
        return bool(host) and (host == self.domain or host in self.aliases)

    @property
    def is_own(self) -> bool:
        """Whether the domain is this site's alone, so that it may speak for all hosts below it."""
        return bool(self.domain) and not self.path_prefix
