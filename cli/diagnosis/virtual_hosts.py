"""From the StaticSite to Traefik: the VirtualHost, and the IngressRoute with its Middlewares."""

from collections.abc import Iterator
from datetime import timedelta

from cli.diagnosis import remedies
from cli.diagnosis.facts import Facts, Object, condition, moment, status
from cli.diagnosis.verdicts import BY_STATUS, Verdict, broken, ok, unknown, waiting, warning
from pages import spans

_PATIENCE = timedelta(minutes=2)
# Reasons of IngressReady that describe a step on the way, not a decision about the site.
_UNDECIDED = {"", "Pending", "Routed", "NoPlatform", "PlatformInvalid"}


def virtual_host(facts: Facts) -> Verdict:
    """Whether the hooks have given the site its domain and path."""
    name = "VirtualHost"
    if refusal := refused(facts, name):
        return refusal
    if facts.host.hidden:
        return _by_status(facts, name)
    host = facts.host.object
    route = route_of(host, facts.site) if host else None
    if host is None or route is None:
        return _no_host(facts, name)
    text = f"{host['metadata']['name']} routes it"
    if field := pending_field(route, facts.site["spec"]):
        return waiting(name, "Pending", f"{text}, but not its {field} yet", remedies.look_at_hooks(facts))
    aliases = [f"{each['alias']} ({each['reason']}: {each['message']})" for each in rejections(facts, alias=True)]
    if aliases:
        return warning(name, "AliasRefused", f"{text}, but not the alias {', '.join(aliases)}")
    return ok(name, text)


def refused(facts: Facts, name: str) -> Verdict | None:
    """A decision against the site, or a Platform with which the hooks cannot decide."""
    ready = condition(facts.site, "IngressReady")
    for rejection in rejections(facts, alias=False):
        return broken(name, rejection["reason"], rejection["message"])
    if facts.platform.missing or ready.reason == "NoPlatform":
        return broken(
            name,
            "NoPlatform",
            f"there is no Platform in namespace {facts.system}",
            "ask the administrator to create one; without it no site has a domain (`pages doctor`)",
        )
    if ready.reason == "PlatformInvalid" or (ready.is_false and ready.reason not in _UNDECIDED):
        return broken(name, ready.reason, ready.message)
    return None


def rejections(facts: Facts, *, alias: bool) -> list[Object]:
    """The hooks' rejections of the site, or of its aliases."""
    namespace, name = facts.site["metadata"]["namespace"], facts.site["metadata"]["name"]
    everywhere = status(facts.platform.object).get("rejections", [])
    of_site = [each for each in everywhere if (each["namespace"], each["name"]) == (namespace, name)]
    return [each for each in of_site if bool(each.get("alias")) == alias]


def route_of(host: Object, site: Object) -> Object | None:
    """The route of the site at the VirtualHost."""
    metadata, prefix = site["metadata"], site["spec"].get("pathPrefix") or ""
    routes: list[Object] = host["spec"].get("routes", [])
    for each in routes:
        owner = each["site"]["namespace"], each["site"]["name"]
        if owner == (metadata["namespace"], metadata["name"]) and (each.get("pathPrefix") or "") == prefix:
            return each
    return None


def pending_field(route: Object, spec: Object) -> str:
    """A field that the site has and its route lacks, or the reverse."""
    return "spec.basicAuth" if bool(route.get("protected")) != bool(spec.get("basicAuth")) else ""


def _no_host(facts: Facts, name: str) -> Verdict:
    if facts.served is not None:
        return broken(name, "NotRouted", "`pages serve` does not route the site", "see its output")
    text = "the hooks have not created a VirtualHost for the site"
    if pending_since(facts) < _PATIENCE:
        return waiting(name, "Pending", f"{text} yet; it is new or has just changed")
    return broken(
        name, "HooksDown", f"{text}: Metacontroller or the hooks do not respond", remedies.look_at_hooks(facts)
    )


def _by_status(facts: Facts, name: str) -> Verdict:
    ready, url = condition(facts.site, "IngressReady"), status(facts.site).get("url")
    if ready.is_true and url:
        return ok(name, f"{url} ({BY_STATUS})")
    text = f"{ready.message or 'the site has no route yet'} ({BY_STATUS})"
    if pending_since(facts) > _PATIENCE and (ready.reason or "Pending") == "Pending":
        return broken(
            name,
            "HooksDown",
            f"{text}; still pending after {spans.show(pending_since(facts))}",
            "ask the administrator whether the hooks are running (`pages doctor`)",
        )
    return waiting(name, ready.reason or "Pending", text)


def pending_since(facts: Facts) -> timedelta:
    """How long the routing state has been unchanged."""
    metadata = facts.site["metadata"]
    if status(facts.site).get("observedGeneration", 0) < metadata.get("generation", 0):
        return timedelta(0)  # the latest change has not been processed yet
    since = condition(facts.site, "IngressReady").since or moment(metadata.get("creationTimestamp"))
    return facts.now - since if since else timedelta(0)


def ingress_route(facts: Facts) -> Verdict:
    """Whether Traefik's objects are as the hooks generate them."""
    name = "IngressRoute"
    if facts.served is not None:
        text = "the nginx of `pages serve` replaces Traefik"
        return ok(name, text) if facts.host.object else unknown(name, "there is no route yet")
    if not facts.generated:
        return _route_by_status(facts, name)
    route = f"{facts.system}/{facts.generated[0][0]['metadata']['name']}"
    return next(problems(facts, name), ok(name, f"{route} and its Middlewares are as generated"))


def _route_by_status(facts: Facts, name: str) -> Verdict:
    route = (status(facts.site).get("resources") or {}).get("ingressRoute")
    if condition(facts.site, "IngressReady").is_true and route:
        return ok(name, f"{route} ({BY_STATUS})")
    return unknown(name, "there is no VirtualHost to generate it from")


def problems(facts: Facts, name: str) -> Iterator[Verdict]:
    """A verdict for each generated object that is not as it should be."""
    for desired, observed in facts.generated:
        kind, own = desired["kind"], desired["metadata"]["name"]
        title = f"{kind} {facts.system}/{own}"
        if observed.hidden:
            yield unknown(name, f"you lack permission to view {title}")
        elif observed.object is None:
            text = f"{title} does not exist: Metacontroller has not created it, or failed to"
            yield broken(name, "RouteMissing", text, remedies.look_at_hooks(facts))
        elif changed := difference(desired["spec"], observed.object.get("spec"), "spec"):
            yield broken(
                name,
                "RouteChanged",
                f"{title} differs from what the hooks generated: {changed}",
                "it was edited by hand; delete it, and Metacontroller creates it again:\n"
                f"kubectl -n {facts.system} delete {kind.lower()} {own}",
            )


def difference(desired: object, observed: object, path: str) -> str:
    """The first field that differs. Additional fields do not matter, additional items of a list do."""
    if isinstance(desired, dict) and isinstance(observed, dict):
        parts = [(value, observed.get(key), f"{path}.{key}") for key, value in desired.items()]
    elif isinstance(desired, list) and isinstance(observed, list) and len(desired) == len(observed):
        pairs = zip(desired, observed, strict=True)
        parts = [(one, other, f"{path}[{number}]") for number, (one, other) in enumerate(pairs)]
    else:
        return "" if desired == observed else f"{path} is {observed!r}, but should be {desired!r}"
    return next(filter(None, (difference(*part) for part in parts)), "")
