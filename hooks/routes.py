"""The routes of a VirtualHost: the granted claims with the settings of their sites."""

from collections.abc import Collection, Mapping

from hooks import payload
from hooks.claims import Claim, Decision
from pages import names
from pages.api import Object, SiteKey, StaticSite


class Routes:
    """Builds the routes of all domains. They depend on each other: an alias redirects to the domain of its site."""

    def __init__(self, decision: Decision, sites: Mapping[SiteKey, StaticSite], observed: Mapping[str, Object]) -> None:
        self._sites = sites
        self._observed = observed
        self._mains = {
            claim.site: claim for granted in decision.grants.values() for claim in granted if not claim.is_alias
        }

    def of(self, domain: str, granted: Collection[Claim]) -> list[Object]:
        """The routes of a domain, sorted by path."""
        routes = []
        for claim in sorted(granted, key=lambda claim: claim.path_prefix):
            route: Object = {
                "site": {"namespace": claim.namespace, "name": claim.name, "uid": claim.uid},
                "pathPrefix": claim.path_prefix,
                "root": names.site_root(claim.namespace, claim.name),
            }
            if claim.is_alias:
                route["redirectTo"] = self._target(claim)
            elif self._is_protected(domain, claim):
                route["protected"] = True
            routes.append(route)
        return routes

    def _target(self, alias: Claim) -> Object:
        main = self._mains[alias.site]
        return {"domain": main.domain, **({"pathPrefix": main.path_prefix} if main.path_prefix else {})}

    def _is_protected(self, domain: str, claim: Claim) -> bool:
        """Whether visitors need a password. A site with an invalid spec stays as its last route is."""
        if site := self._sites.get(claim.site):
            return site.spec.basic_auth is not None
        return bool(self._observed_route(domain, claim).get("protected"))

    def _observed_route(self, domain: str, claim: Claim) -> Object:
        routes = payload.spec(self._observed.get(domain, {})).get("routes")
        for route in routes if claim.uid and isinstance(routes, list) else []:
            if isinstance(route, dict) and route.get("site", {}).get("uid") == claim.uid:
                return route
        return {}
