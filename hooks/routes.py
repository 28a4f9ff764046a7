"""The routes of a VirtualHost: from a granted claim, what its site asks for and what its files say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from hooks import requests
from hooks.claims import Claim, Decision
from hooks.requests import Object
from pages import names, rules
from pages.api import HeaderRule, Redirect, SiteRules, StaticSite

# Objects of the API have at most 1.5 MB, and one domain may have many sites: no site's rules keep the others out.
MAX_RULES_CHARACTERS = 500_000


class Valid(NamedTuple):
    """A site that makes sense, and its ``status.rules`` as they came."""

    site: StaticSite
    file_rules: object


class Routes:
    """Makes the routes of all domains, which look at each other: an alias leads to where its site is served."""

    def __init__(
        self, decision: Decision, sites: Mapping[tuple[str, str], Valid], observed: Mapping[str, Object]
    ) -> None:
        self._sites = sites
        self._observed = observed
        self._mains = {
            claim.site: claim for granted in decision.grants.values() for claim in granted if not claim.is_alias
        }

    def of(self, domain: str, granted: Iterable[Claim]) -> list[Object]:
        """The routes of a domain, by path."""
        left = MAX_RULES_CHARACTERS
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
                route |= self._wishes(domain, claim, left)
                left -= _length({key: route[key] for key in ("rules", "fileRules") if key in route})
            routes.append(route)
        return routes

    def _target(self, alias: Claim) -> Object:
        main = self._mains[alias.site]
        return {"domain": main.domain, **({"pathPrefix": main.path_prefix} if main.path_prefix else {})}

    def _wishes(self, domain: str, claim: Claim, left: int) -> Object:
        """What a route has besides its place. A site that makes no sense just now keeps what it has."""
        valid = self._sites.get(claim.site)
        if valid is None:
            before = self._before(domain, claim)
            return {key: before[key] for key in ("protected", "rules", "fileRules") if key in before}
        spec = valid.site.spec
        home = (claim.domain, claim.path_prefix)
        wishes: Object = {"protected": True} if spec.basic_auth else {}
        if spec.redirects or spec.headers:
            wishes["rules"] = _rules(spec.redirects, spec.headers, home)
        if valid.file_rules:
            files = _file_rules(valid.file_rules)
            wishes["fileRules"] = _rules(files.redirects, files.headers, home) if files else None
        if wishes.get("fileRules") is None:  # nothing was said of the files that makes sense: what is routed stays
            wishes["fileRules"] = self._before(domain, claim).get("fileRules")
        wishes = {key: value for key, value in wishes.items() if value}
        if _length(wishes) > left:
            return {"protected": True} if spec.basic_auth else {}
        return wishes

    def _before(self, domain: str, claim: Claim) -> Object:
        found = requests.spec(self._observed.get(domain, {})).get("routes")
        for route in found if isinstance(found, list) else []:
            if isinstance(route, dict) and route.get("site", {}).get("uid") == claim.uid and claim.uid:
                return route
        return {}


def _rules(redirects: Sequence[Redirect], headers: Sequence[HeaderRule], home: tuple[str, str]) -> Object:
    """As a route has them; what leads to itself is left out (the syncer says so)."""
    sound = [each.dump() for each in redirects if not rules.leads_to_itself(each.from_, each.to, home)]
    found = {"redirects": sound, "headers": [each.dump() for each in headers]}
    return {key: value for key, value in found.items() if value}


def _file_rules(given: object) -> SiteRules | None:
    """What the syncer read in the files; it is checked as if the tenant had written it here."""
    try:
        return SiteRules.model_validate(given)
    except ValidationError:
        return None


def _length(wishes: Object) -> int:
    return len(repr(wishes)) if len(wishes) > ("protected" in wishes) else 0
