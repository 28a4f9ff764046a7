"""What the hooks answered for each site: its route and its aliases, or why it was rejected."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pages import conditions
from pages.api import Platform, Rejection, RouteStatus, SiteKey, StaticSite, VirtualHost
from pages.conditions import Condition, condition


@dataclass(frozen=True)
class Routing:
    """The route of a site on its VirtualHost, or why it was rejected."""

    platform: Platform | None = None
    host: VirtualHost | None = None
    path_prefix: str = ""
    route: RouteStatus | None = None
    rejection: Rejection | None = None
    aliases: tuple[tuple[str, VirtualHost | Rejection], ...] = ()  # by domain


class Routings:
    """The answers of the hooks, by site."""

    def __init__(self, platform: Platform | None = None, hosts: Sequence[VirtualHost] = ()) -> None:
        self._unrouted = Routing(platform)
        self._routings: dict[SiteKey, Routing] = {}
        aliases: dict[SiteKey, dict[str, VirtualHost | Rejection]] = {}
        for host in hosts:
            statuses = {each.site.site_key: each for each in host.status.routes} if host.status else {}
            for route in host.spec.routes:
                name = route.site.site_key
                if route.redirect_to:
                    aliases.setdefault(name, {})[host.spec.domain] = host
                else:
                    self._routings[name] = Routing(platform, host, route.path_prefix, statuses.get(name))
        for rejection in platform.status.rejections if platform and platform.status else ():
            name = SiteKey(rejection.namespace, rejection.name)
            if rejection.alias:
                aliases.setdefault(name, {})[rejection.alias] = rejection
            else:
                self._routings[name] = replace(self._routings.get(name, self._unrouted), rejection=rejection)
        for name, of_site in aliases.items():
            self._routings[name] = replace(self._routings.get(name, self._unrouted), aliases=tuple(of_site.items()))

    def of(self, site: StaticSite) -> Routing:
        """The site's routing."""
        return self._routings.get(site.site_key, self._unrouted)


def aliases_ready(site: StaticSite, routing: Routing) -> list[Condition]:
    """The condition AliasesReady, if the site has aliases: failures come first, then those still pending."""
    answers = dict(routing.aliases)
    if not site.spec.aliases or routing.platform is None:
        return []
    failed, pending = [], []
    for alias in site.spec.aliases:
        if alias in {site.spec.host, routing.host.spec.domain if routing.host else None}:
            continue  # the site itself is served there
        ok, reason, message = _alias(answers.get(alias))
        if ok is False:
            failed.append((reason, f"alias {alias} is not served: {message}"))
        elif ok is None:
            pending.append((reason, f"alias {alias}: {message}"))
    if failed:
        return [condition("AliasesReady", False, failed[0][0], "; ".join(text for _, text in failed))]
    if pending:
        return [condition("AliasesReady", None, pending[0][0], "; ".join(text for _, text in pending))]
    return [condition("AliasesReady", True, "Routed", f"{', '.join(site.spec.aliases)} redirect here")]


def _alias(answer: VirtualHost | Rejection | None) -> tuple[bool | None, str, str]:
    """Whether the alias is served, and the reason and message for that; None while it is not decided."""
    if isinstance(answer, Rejection):
        return False, answer.reason, answer.message
    ready = None
    if answer and answer.status and answer.status.observed_generation == answer.metadata.generation:
        ready = conditions.find(answer.status.conditions, "Ready")
    if ready is None:
        return None, "Pending", "waiting for its route"
    return {"True": True, "False": False}.get(ready.status), ready.reason, ready.message
