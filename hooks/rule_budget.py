"""Which rules there is room for: no object may be of any size, and one domain may have many sites.

Metacontroller notes in an annotation what it has applied, and the API server takes 256 KiB of these: of a VirtualHost,
which has the rules of all sites of its domain, and of a site's IngressRoute, which names each Middleware on each of its
routes. Beyond that the whole object is refused. So a site's last rules are left out, and counted.
"""

from collections.abc import Iterator, Sequence

import msgspec

from hooks.payload import Object
from pages import names, rule_syntax, validation

MAX_CHARACTERS = 256 << 10
_REST = 16 << 10  # what such an object has besides its routes
_MATCH = 1_000 + 2 * (rule_syntax.MAX_FROM_LENGTH + validation.MAX_PREFIX_LENGTH)  # of a route, with domain and Service
_FRAME = 100  # around the rules of a site
_PARTS = ("rules", "fileRules")
_KINDS = ("redirects", "headers")


def limit(routes: list[Object]) -> list[Object]:
    """A domain's routes with as many rules as there is room for: nobody's take that of another site."""
    wanted = [_wanted(route) for route in routes]
    if not any(wanted):
        return routes  # as nearly all are
    room = MAX_CHARACTERS - _REST - sum(characters(_without_rules(route)) for route in routes)
    return [_limited(route, share) for route, share in zip(routes, shares(wanted, room), strict=True)]


def shares(wanted: Sequence[int], room: int) -> list[int]:
    """What each gets of the room: an equal share, and what those leave who want less."""
    found, left = [0] * len(wanted), max(room, 0)
    for done, index in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        found[index] = min(wanted[index], left // (len(wanted) - done))
        left -= found[index]
    return found


def characters(value: object) -> int:
    """How long it is as JSON of Go's, which writes < > & with six characters each, and with the comma after it."""
    text = msgspec.json.encode(value)
    return len(text) + 5 * sum(text.count(each) for each in (b"<", b">", b"&")) + 1


def _wanted(route: Object) -> int:
    found = [route[part] for part in _PARTS if part in route]
    return characters(found) + _FRAME if found else 0


def _limited(route: Object, share: int) -> Object:
    """The route with the first of its rules; those of the site come before those of its files."""
    found = list(_rules(route))
    fitting = _fitting(route["site"], found, share)
    if fitting == len(found):
        return route
    made = _without_rules(route)
    for part, kind, rule in found[:fitting]:
        made.setdefault(part, {}).setdefault(kind, []).append(rule)
    # What the VirtualHost has of a site that makes no sense just now has been cut already.
    made["rulesLeftOut"] = route.get("rulesLeftOut", 0) + len(found) - fitting
    return made


def _fitting(site: Object, found: Sequence[tuple[str, str, Object]], share: int) -> int:
    """How many of the rules fit into the share of the VirtualHost and into the IngressRoute."""
    reference = characters({"name": names.redirect_middleware(site["namespace"], site["name"], len(found))})
    routes, middlewares, left = 2, 3, share - _FRAME
    for number, (_, kind, rule) in enumerate(found):
        routes += kind == "headers"  # a path has a route of its own
        middlewares += 1
        left -= characters(rule)
        if left < 0 or routes * (_MATCH + middlewares * reference) > MAX_CHARACTERS - _REST:
            return number
    return len(found)


def _rules(route: Object) -> Iterator[tuple[str, str, Object]]:
    for part in _PARTS:
        for kind in _KINDS:
            for rule in route.get(part, {}).get(kind, ()):
                yield part, kind, rule


def _without_rules(route: Object) -> Object:
    return {key: value for key, value in route.items() if key not in _PARTS}
