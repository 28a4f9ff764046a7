"""Reads StaticSites and the rules of their files from a request."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from pydantic import ValidationError

from pages import rule_syntax
from pages.api import ALLOW_LOCAL, HeaderRule, Object, Redirect, SiteRules, StaticSite
from pages.rule_syntax import Home

_MAX_REMEMBERED_BYTES = 8 << 10


class ValidSite(NamedTuple):
    """A site with a valid spec, and its ``status.rules``, not validated."""

    site: StaticSite
    file_rules: object


class SiteReader:
    """Validates StaticSites and the rules of their files.

    It remembers rules that it has validated, because nearly all sites are unchanged since the request before. With
    ``allow_local``, a repository may be a folder of this machine.
    """

    def __init__(self, *, allow_local: bool = False) -> None:
        self._context = {ALLOW_LOCAL: allow_local}
        self._remembered_rules = lru_cache(maxsize=2048)(parse_file_rules)

    def site(self, static_site: Object) -> StaticSite:
        """The site without its status. Raises ValidationError."""
        return StaticSite.model_validate({**static_site, "status": None}, context=self._context)

    def file_rules(self, status_rules: object, home: Home) -> Object | None:
        """The rules that the syncer read from the site's files, as a route has them; None if they are invalid.

        They are validated like the rules of a spec, because a tenant may have written the status.
        """
        if not isinstance(status_rules, dict) or not status_rules:
            return None
        if not status_rules.get("redirects") and not status_rules.get("headers"):
            return {}
        text = msgspec.json.encode(status_rules)
        # Large rules are rare, and would make the memory of the process hard to predict.
        parse = self._remembered_rules if len(text) <= _MAX_REMEMBERED_BYTES else parse_file_rules
        return parse(text, home)


def parse_file_rules(text: bytes, home: Home) -> Object | None:
    """``status.rules`` from JSON, as a route has them; None if they are invalid."""
    try:
        rules = SiteRules.model_validate_json(text)
    except ValidationError:
        return None
    return route_rules(rules.redirects, rules.headers, home)


def route_rules(redirects: Sequence[Redirect], headers: Sequence[HeaderRule], home: Home) -> Object:
    """Rules as a route has them, without redirects that match their own target. The syncer reports those."""
    working = [each.dump() for each in redirects if not rule_syntax.leads_to_itself(each.from_, each.to, home)]
    rules = {"redirects": working, "headers": [each.dump() for each in headers]}
    return {kind: values for kind, values in rules.items() if values}
