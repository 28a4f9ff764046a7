"""The routes of a VirtualHost: from a granted claim, what its site asks for and what its files say."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from pydantic import ValidationError

from hooks import payload, rule_budget
from hooks.claims import Claim, Decision
from hooks.payload import Object
from pages import names, rule_syntax
from pages.api import HeaderRule, Redirect, SiteKey, SiteRules, StaticSite
from pages.rule_syntax import Home

_KEPT = ("protected", "rules", "fileRules", "rulesLeftOut")
_NOTHING = (SiteRules().dump(),)
_MOST_REMEMBERED = 8 << 10


class Valid(NamedTuple):
    """A site that makes sense, and its ``status.rules`` as they came."""

    site: StaticSite
    file_rules: object


class Routes:
    """Makes the routes of all domains, which look at each other: an alias leads to where its site is served."""

    def __init__(self, decision: Decision, sites: Mapping[SiteKey, Valid], observed: Mapping[str, Object]) -> None:
        self._sites = sites
        self._observed = observed
        self._mains = {
            claim.site: claim for granted in decision.grants.values() for claim in granted if not claim.is_alias
        }

    def of(self, domain: str, granted: Collection[Claim]) -> list[Object]:
        """The routes of a domain, by path."""
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
                route |= self._wishes(domain, claim)
            routes.append(route)
        return rule_budget.limit(routes)

    def _target(self, alias: Claim) -> Object:
        main = self._mains[alias.site]
        return {"domain": main.domain, **({"pathPrefix": main.path_prefix} if main.path_prefix else {})}

    def _wishes(self, domain: str, claim: Claim) -> Object:
        """What a route has besides its place. A site that makes no sense just now keeps what it has."""
        valid = self._sites.get(claim.site)
        if valid is None:
            before = self._before(domain, claim)
            return {key: before[key] for key in _KEPT if key in before}
        spec, said = valid.site.spec, valid.file_rules
        if not (spec.basic_auth or spec.redirects or spec.headers) and said in _NOTHING:
            return {}  # as nearly all are
        home = Home(claim.domain, claim.path_prefix, tuple(spec.aliases))
        wishes: Object = {"protected": True} if spec.basic_auth else {}
        if spec.redirects or spec.headers:
            wishes["rules"] = _sound(spec.redirects, spec.headers, home)
        # Where nothing was said of the files that makes sense, what is routed of them stays.
        files = _file_rules(said, home)
        wishes["fileRules"] = self._before(domain, claim).get("fileRules") if files is None else files
        return {key: value for key, value in wishes.items() if value}

    def _before(self, domain: str, claim: Claim) -> Object:
        found = payload.spec(self._observed.get(domain, {})).get("routes")
        for route in found if isinstance(found, list) else []:
            if isinstance(route, dict) and route.get("site", {}).get("uid") == claim.uid and claim.uid:
                return route
        return {}


def _sound(redirects: Sequence[Redirect], headers: Sequence[HeaderRule], home: Home) -> Object:
    """As a route has them; what leads to itself is left out (the syncer says so)."""
    sound = [each.dump() for each in redirects if not rule_syntax.leads_to_itself(each.from_, each.to, home)]
    found = {"redirects": sound, "headers": [each.dump() for each in headers]}
    return {key: value for key, value in found.items() if value}


def _file_rules(given: object, home: Home) -> Object | None:
    """What the syncer read in the files, as a route has it; checked as if the tenant had written it here."""
    if not isinstance(given, dict) or not given:
        return None
    if not given.get("redirects") and not given.get("headers"):
        return {}
    text = msgspec.json.encode(given)
    return _read(text, home) if len(text) <= _MOST_REMEMBERED else _read.__wrapped__(text, home)


# Thousands of sites say the same as a moment ago, whichever of them has changed.
@lru_cache(maxsize=2048)
def _read(text: bytes, home: Home) -> Object | None:
    try:
        found = SiteRules.model_validate_json(text)
    except ValidationError:
        return None
    return _sound(found.redirects, found.headers, home)
