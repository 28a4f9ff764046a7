"""The routes of a VirtualHost: the granted claims with the settings of their sites and the rules of their files."""

from collections.abc import Collection, Mapping

from hooks import payload, rule_budget
from hooks.claims import Claim, Decision
from hooks.site_reader import SiteReader, ValidSite, route_rules
from pages import names
from pages.api import Object, SiteKey, SiteRules
from pages.rule_syntax import Home

_SITE_FIELDS = ("protected", "rules", "fileRules", "rulesLeftOut")
_NO_RULES = SiteRules().dump()


class Routes:
    """Builds the routes of all domains. They depend on each other: an alias redirects to the domain of its site."""

    def __init__(
        self,
        decision: Decision,
        sites: Mapping[SiteKey, ValidSite],
        observed: Mapping[str, Object],
        reader: SiteReader,
    ) -> None:
        self._sites = sites
        self._observed = observed
        self._reader = reader
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
            else:
                route |= self._site_fields(domain, claim)
            routes.append(route)
        return rule_budget.limit(routes)

    def _target(self, alias: Claim) -> Object:
        main = self._mains[alias.site]
        return {"domain": main.domain, **({"pathPrefix": main.path_prefix} if main.path_prefix else {})}

    def _site_fields(self, domain: str, claim: Claim) -> Object:
        """The fields of a route that the site sets. A site with an invalid spec keeps the fields of its last route."""
        valid = self._sites.get(claim.site)
        if valid is None:
            previous = self._observed_route(domain, claim)
            return {key: previous[key] for key in _SITE_FIELDS if key in previous}
        spec = valid.site.spec
        if valid.file_rules == _NO_RULES and not (spec.basic_auth or spec.redirects or spec.headers):
            return {}  # the usual case
        home = Home(claim.domain, claim.path_prefix, tuple(spec.aliases))
        file_rules = self._reader.file_rules(valid.file_rules, home)
        if file_rules is None:  # not reported yet, or invalid: keep those of the last route
            file_rules = self._observed_route(domain, claim).get("fileRules")
        fields = {
            "protected": spec.basic_auth is not None,
            "rules": route_rules(spec.redirects, spec.headers, home),
            "fileRules": file_rules,
        }
        return {key: value for key, value in fields.items() if value}

    def _observed_route(self, domain: str, claim: Claim) -> Object:
        routes = payload.spec(self._observed.get(domain, {})).get("routes")
        for route in routes if claim.uid and isinstance(routes, list) else []:
            if isinstance(route, dict) and route.get("site", {}).get("uid") == claim.uid:
                return route
        return {}
