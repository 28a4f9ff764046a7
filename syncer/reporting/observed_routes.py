"""What the hooks made of each site: its VirtualHost and its place there, its aliases and rules, or why it has none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pages import conditions
from pages.api import Platform, Rejection, RouteStatus, SiteKey, StaticSite, VirtualHost
from pages.conditions import Condition, condition


@dataclass(frozen=True)
class Routing:
    """What the hooks made of a site: its VirtualHost and its place there, or why it has none."""

    platform: Platform | None = None
    host: VirtualHost | None = None
    path_prefix: str = ""
    route: RouteStatus | None = None
    rejection: Rejection | None = None
    aliases: tuple[tuple[str, VirtualHost | Rejection], ...] = ()  # by domain
    rules_left_out: int = 0


class Routings:
    """What the hooks answered, by site."""

    def __init__(self, platform: Platform | None = None, hosts: Sequence[VirtualHost] = ()) -> None:
        self._unknown = Routing(platform)
        self._known: dict[SiteKey, Routing] = {}
        aliases: dict[SiteKey, dict[str, VirtualHost | Rejection]] = {}
        for host in hosts:
            made = {each.site.site_key: each for each in host.status.routes} if host.status else {}
            for route in host.spec.routes:
                name = route.site.site_key
                if route.redirect_to:
                    aliases.setdefault(name, {})[host.spec.domain] = host
                else:
                    self._known[name] = Routing(
                        platform, host, route.path_prefix, made.get(name), rules_left_out=route.rules_left_out
                    )
        for rejection in platform.status.rejections if platform and platform.status else ():
            name = SiteKey(rejection.namespace, rejection.name)
            if rejection.alias:
                aliases.setdefault(name, {})[rejection.alias] = rejection
            else:
                self._known[name] = replace(self._known.get(name, self._unknown), rejection=rejection)
        for name, found in aliases.items():
            self._known[name] = replace(self._known.get(name, self._unknown), aliases=tuple(found.items()))

    def of(self, site: StaticSite) -> Routing:
        """The site's routing."""
        return self._known.get(site.site_key, self._unknown)


def aliases_ready(site: StaticSite, routing: Routing) -> list[Condition]:
    """The condition AliasesReady, where there are any: one that is wrong comes first, then one that is awaited."""
    found = dict(routing.aliases)
    if not site.spec.aliases or routing.platform is None:
        return []
    wrong, awaited = [], []
    for alias in site.spec.aliases:
        if alias in {site.spec.host, routing.host.spec.domain if routing.host else None}:
            continue  # where it is served anyhow
        ok, reason, message = _alias(found.get(alias))
        if ok is False:
            wrong.append((reason, f"alias {alias} is not served: {message}"))
        elif ok is None:
            awaited.append((reason, f"alias {alias}: {message}"))
    if wrong:
        return [condition("AliasesReady", False, wrong[0][0], "; ".join(text for _, text in wrong))]
    if awaited:
        return [condition("AliasesReady", None, awaited[0][0], "; ".join(text for _, text in awaited))]
    return [condition("AliasesReady", True, "Routed", f"{', '.join(site.spec.aliases)} redirect here")]


def rules_ready(routing: Routing) -> list[Condition]:
    """The condition RulesReady, where some redirects and headers are left out."""
    if not routing.rules_left_out or routing.host is None:
        return []
    message = (
        f"there is no room for the last {routing.rules_left_out} of the site's redirects and paths with headers on "
        f"{routing.host.spec.domain}, and they are left out: write fewer or shorter ones, or use another domain"
    )
    return [condition("RulesReady", False, "TooManyRules", message)]


def _alias(found: VirtualHost | Rejection | None) -> tuple[bool | None, str, str]:
    if isinstance(found, Rejection):
        return False, found.reason, found.message
    if found is None or found.status is None or found.status.observed_generation != found.metadata.generation:
        return None, "Pending", "waiting for its route"
    ready = conditions.find(found.status.conditions, "Ready")
    if ready is None:
        return None, "Pending", "waiting for its route"
    return {"True": True, "False": False}.get(ready.status), ready.reason, ready.message
