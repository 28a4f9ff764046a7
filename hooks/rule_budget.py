"""Limits the rules of a domain's sites, so that the generated objects stay within the API server's size limit.

Metacontroller stores the last applied object in an annotation, and the API server accepts at most 256 KiB of
annotations. Two objects can exceed this: a VirtualHost, which has the rules of all sites on its domain, and the
IngressRoute of a site, which names each Middleware on each of its routes. The API server would reject the whole object,
so we drop the last rules of a site and count them.
"""

from collections.abc import Iterator, Sequence

import msgspec

from pages import names, rule_syntax, validation
from pages.api import Object

MAX_CHARACTERS = 256 << 10
_REST = 16 << 10  # the parts of such an object other than its routes
_MATCH = 1_000 + 2 * (rule_syntax.MAX_FROM_LENGTH + validation.MAX_PREFIX_LENGTH)  # a route, with domain and Service
_FRAME = 100  # the JSON around the rules of a site
_PARTS = ("rules", "fileRules")
_KINDS = ("redirects", "headers")


def limit(routes: list[Object]) -> list[Object]:
    """A domain's routes with as many rules as fit. No site uses another site's share."""
    sizes = [_size_of_rules(route) for route in routes]
    if not any(sizes):
        return routes  # the usual case
    budget = MAX_CHARACTERS - _REST - sum(characters(_without_rules(route)) for route in routes)
    return [_limited(route, share) for route, share in zip(routes, shares(sizes, budget), strict=True)]


def shares(sizes: Sequence[int], budget: int) -> list[int]:
    """Divide the budget into equal shares. Sites that need less leave the rest of their share to the others."""
    granted, left = [0] * len(sizes), max(budget, 0)
    for done, index in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        granted[index] = min(sizes[index], left // (len(sizes) - done))
        left -= granted[index]
    return granted


def characters(value: object) -> int:
    """The length as JSON with a comma, as Go writes it: each ``<``, ``>`` and ``&`` takes six characters."""
    text = msgspec.json.encode(value)
    return len(text) + 5 * sum(text.count(each) for each in (b"<", b">", b"&")) + 1


def _size_of_rules(route: Object) -> int:
    rules = [route[part] for part in _PARTS if part in route]
    return characters(rules) + _FRAME if rules else 0


def _limited(route: Object, share: int) -> Object:
    """The route with the first of its rules. The rules of the site come before those of its files."""
    rules = list(_rules(route))
    fitting = _count_fitting(route["site"], rules, share)
    if fitting == len(rules):
        return route
    limited = _without_rules(route)
    for part, kind, rule in rules[:fitting]:
        limited.setdefault(part, {}).setdefault(kind, []).append(rule)
    # A site with an invalid spec keeps the rules of its last route, of which some may have been dropped already.
    limited["rulesLeftOut"] = route.get("rulesLeftOut", 0) + len(rules) - fitting
    return limited


def _count_fitting(site: Object, rules: Sequence[tuple[str, str, Object]], share: int) -> int:
    """The number of rules that fit into the site's share of the VirtualHost and into its IngressRoute."""
    reference = characters({"name": names.redirect_middleware(site["namespace"], site["name"], len(rules))})
    routes, middlewares, left = 2, 3, share - _FRAME
    for number, (_, kind, rule) in enumerate(rules):
        routes += kind == "headers"  # each path with headers has a route of its own
        middlewares += 1
        left -= characters(rule)
        if left < 0 or routes * (_MATCH + middlewares * reference) > MAX_CHARACTERS - _REST:
            return number
    return len(rules)


def _rules(route: Object) -> Iterator[tuple[str, str, Object]]:
    for part in _PARTS:
        for kind in _KINDS:
            for rule in route.get(part, {}).get(kind, ()):
                yield part, kind, rule


def _without_rules(route: Object) -> Object:
    return {key: value for key, value in route.items() if key not in _PARTS}
