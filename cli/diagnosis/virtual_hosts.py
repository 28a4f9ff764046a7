"""From the StaticSite to Traefik: the VirtualHost, and the IngressRoute with its Middlewares."""

from datetime import timedelta

from cli.diagnosis import remedies
from cli.diagnosis.facts import Facts, Object, Seen, condition, moment, status
from cli.diagnosis.verdicts import HIDDEN, Link, broken, ok, unknown, waiting, warning
from pages import rule_syntax

_PATIENCE = timedelta(minutes=2)
# A reason of IngressReady that is a decision about the site, and not a moment of its way.
_WAITS = {"", "Pending", "Routed", "NoPlatform", "PlatformInvalid"}


def virtual_host(facts: Facts) -> Link:
    """Whether the hooks have given the site its domain and path."""
    name = "VirtualHost"
    if refusal := _refused(facts, name):
        return refusal
    if facts.host.hidden:
        return _by_status(facts, name, condition(facts.site, "IngressReady").get("message", ""))
    host = facts.host.object
    route = _route(host, facts.site) if host else None
    if host is None or route is None:
        return _not_made(facts, name)
    told = f"{host['metadata']['name']} routes it"
    if changed := _not_taken_over(route, host["spec"]["domain"], facts.site["spec"]):
        text = f"{told}, but the hooks have not taken over its {changed}"
        return waiting(name, "Pending", text, remedies.look_at_hooks(facts))
    refused = [
        f"{each['alias']} ({each['reason']}: {each['message']})" for each in _rejections(facts) if each.get("alias")
    ]
    return warning(name, "AliasRefused", f"{told}; but not {', '.join(refused)}") if refused else ok(name, told)


def _refused(facts: Facts, name: str) -> Link | None:
    """A decision about the site, or a Platform with which none can be made."""
    said = condition(facts.site, "IngressReady")
    reason, message = said.get("reason", ""), said.get("message", "")
    if rejection := next((each for each in _rejections(facts) if not each.get("alias")), None):
        return broken(name, rejection["reason"], rejection["message"])
    if facts.platform.missing or reason == "NoPlatform":
        return broken(
            name,
            "NoPlatform",
            f"there is no Platform in namespace {facts.system}",
            "ask the administrator to create one; without it no site has a domain (`pages doctor`)",
        )
    if reason == "PlatformInvalid" or (said.get("status") == "False" and reason not in _WAITS):
        return broken(name, reason, message)
    return None


def _rejections(facts: Facts) -> list[Object]:
    """What the hooks have refused the site, or one of its aliases."""
    metadata = facts.site["metadata"]
    names = metadata["namespace"], metadata["name"]
    rejections = status(facts.platform.object).get("rejections", [])
    return [each for each in rejections if (each["namespace"], each["name"]) == names]


def _route(host: Object, site: Object) -> Object | None:
    """The site's own place at the domain."""
    wanted = (site["metadata"]["namespace"], site["metadata"]["name"], site["spec"].get("pathPrefix") or "")
    routes: list[Object] = host["spec"].get("routes", [])
    for each in routes:
        if (each["site"]["namespace"], each["site"]["name"], each.get("pathPrefix") or "") == wanted:
            return each
    return None


def _not_taken_over(route: Object, domain: str, spec: Object) -> str:
    """What the site has and its route has not, or the other way round. A change of a rule is not seen from here."""
    home = rule_syntax.Home(domain, spec.get("pathPrefix") or "", tuple(spec.get("aliases") or ()))
    redirects = [
        each for each in spec.get("redirects") or [] if not rule_syntax.leads_to_itself(each["from"], each["to"], home)
    ]
    if bool(route.get("protected")) != bool(spec.get("basicAuth")):
        return "spec.basicAuth"
    if not route.get("rulesLeftOut") and bool(route.get("rules")) != bool(redirects or spec.get("headers")):
        return "spec.redirects and spec.headers"
    return ""


def _not_made(facts: Facts, name: str) -> Link:
    if facts.served is not None:
        return broken(name, "NotRouted", "`pages serve` does not route the site", "its output says why")
    text = "the hooks have not made a VirtualHost for the site"
    if _since(facts) < _PATIENCE:
        return waiting(name, "Pending", f"{text} yet; it is new, or was changed")
    return broken(
        name, "HooksDown", f"{text}: Metacontroller or the hooks do not answer", remedies.look_at_hooks(facts)
    )


def _by_status(facts: Facts, name: str, message: str) -> Link:
    said = condition(facts.site, "IngressReady")
    if said.get("status") == "True" and status(facts.site).get("url"):
        return ok(name, f"{status(facts.site)['url']} ({HIDDEN})")
    text = f"{message or 'the site has no route yet'} ({HIDDEN})"
    if _since(facts) > _PATIENCE and said.get("reason", "Pending") == "Pending":
        return broken(
            name, "HooksDown", f"{text}; for too long", "ask the administrator whether the hooks run (`pages doctor`)"
        )
    return waiting(name, said.get("reason") or "Pending", text)


def _since(facts: Facts) -> timedelta:
    """How long the site has been as routed, or as little routed, as it is."""
    said, metadata = condition(facts.site, "IngressReady"), facts.site["metadata"]
    if status(facts.site).get("observedGeneration", 0) < metadata.get("generation", 0):
        return timedelta(0)  # nobody has looked at the last change yet
    since = moment(said.get("lastTransitionTime")) or moment(metadata.get("creationTimestamp"))
    return facts.now - since if since else timedelta(0)


def ingress_route(facts: Facts) -> Link:
    """Whether Traefik has what the hooks want it to have."""
    name = "IngressRoute"
    if facts.served is not None:
        told = "the nginx of `pages serve` stands for Traefik"
        return ok(name, told) if facts.host.object else unknown(name, "no route yet")
    if not facts.generated:
        return _route_by_status(facts, name)
    found = (_generated(facts, name, wanted, seen) for wanted, seen in facts.generated)
    told = f"{facts.system}/{facts.generated[0][0]['metadata']['name']} and its Middlewares are as they should be"
    return next(filter(None, found), ok(name, told))


def _route_by_status(facts: Facts, name: str) -> Link:
    resources = status(facts.site).get("resources") or {}
    if condition(facts.site, "IngressReady").get("status") == "True" and resources.get("ingressRoute"):
        return ok(name, f"{resources['ingressRoute']} ({HIDDEN})")
    return unknown(name, "there is no VirtualHost that could have one")


def _generated(facts: Facts, name: str, wanted: Object, seen: Seen) -> Link | None:
    """What is wrong with one generated object."""
    kind, own = wanted["kind"], wanted["metadata"]["name"]
    called = f"{kind} {facts.system}/{own}"
    if seen.hidden:
        return unknown(name, f"{called} is not yours to see")
    if seen.object is None:
        text = f"{called} is not there: Metacontroller has not made it, or could not"
        return broken(name, "RouteMissing", text, remedies.look_at_hooks(facts))
    if difference := _difference(wanted["spec"], seen.object.get("spec"), "spec"):
        return broken(
            name,
            "RouteChanged",
            f"{called} is not as the hooks made it: {difference}",
            "somebody changed it; delete it, and Metacontroller makes it anew:\n"
            f"kubectl -n {facts.system} delete {kind.lower()} {own}",
        )
    return None


def _difference(wanted: object, found: object, where: str) -> str:
    """The first field that is not as wanted. Fields that somebody added do not matter, items of a list do."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        parts = ((value, found.get(key), f"{where}.{key}") for key, value in wanted.items())
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        parts = (
            (one, other, f"{where}[{number}]") for number, (one, other) in enumerate(zip(wanted, found, strict=True))
        )
    else:
        return "" if wanted == found else f"{where} is {found!r} and should be {wanted!r}"
    return next(filter(None, (_difference(*part) for part in parts)), "")
