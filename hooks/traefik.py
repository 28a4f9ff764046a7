"""IngressRoutes and Middlewares: they route the domain and path of a site to its folder behind the shared nginx."""

from collections.abc import Iterator, Sequence

from hooks import redirect_regexes
from pages import names, rule_syntax
from pages.api import HeaderRule, Object, Redirect, RedirectTarget, Route, VirtualHostSpec

_API_VERSION = "traefik.io/v1alpha1"


def rule(domain: str, path_prefix: str) -> str:
    """The match of a site: its path and everything below it, but not ``/pother`` for ``/p``."""
    if not path_prefix:
        return f"Host(`{domain}`)"
    return f"Host(`{domain}`) && (Path(`{path_prefix}`) || PathPrefix(`{path_prefix}/`))"


def site_objects(host: VirtualHostSpec, route: Route) -> list[Object]:
    """The IngressRoute of a site and its Middlewares. Those of an alias redirect to the site."""
    return alias_objects(host, route, route.redirect_to) if route.redirect_to else _Site(host, route).objects()


def redirect_objects(host: VirtualHostSpec) -> list[Object]:
    """The objects that redirect a domain from HTTP to HTTPS; empty if the redirect is off."""
    if not host.redirect_entry_points or not host.tls:
        return []
    name, labels = names.https_redirect(host.domain), names.domain_labels(host.domain)
    redirect = _middleware(name, labels, {"redirectScheme": {"scheme": "https", "permanent": True}})
    routes = [_rule(host, rule(host.domain, ""), [redirect])]
    return [_ingress_route(name, labels, host.redirect_entry_points, routes), redirect]


def alias_objects(host: VirtualHostSpec, route: Route, target: RedirectTarget) -> list[Object]:
    """The objects that redirect an alias to the domain of its site."""
    site = route.site
    name = names.alias(site.namespace, site.name, host.domain)
    labels = names.site_labels(site.namespace, site.name, host.domain)
    scheme = "https" if host.tls else "http"
    regex = redirect_regexes.alias(target.domain.lower(), target.path_prefix, scheme)
    redirect = _middleware(name, labels, {"redirectRegex": regex})
    routes = [_rule(host, rule(host.domain, route.path_prefix), [redirect])]
    return [_ingress_route(name, labels, host.entry_points, routes, _secret(host)), redirect]


class _Site:
    """Builds the objects of one site: a route for the whole site, and one for each path with headers of its own."""

    def __init__(self, host: VirtualHostSpec, route: Route) -> None:
        self._host = host
        self._route = route
        self._site = (route.site.namespace, route.site.name)
        self._labels = names.site_labels(*self._site, host.domain)
        rule_sets = [each for each in (route.rules, route.file_rules) if each]
        ordered = [rule for each in rule_sets for rule in sorted(each.headers, key=_precedence)]
        self._headers = list(enumerate(ordered, 1))
        self._redirects = self.redirect_middlewares([rule for each in rule_sets for rule in each.redirects])
        self._serving = self.serving_middlewares()

    def objects(self) -> list[Object]:
        headers = {number: self.header_middleware(number, each) for number, each in self._headers}
        routes = [_rule(self._host, self.match(""), self.middlewares(headers, "/*"))]
        routes += [
            _rule(self._host, match, self.middlewares(headers, path), priority)
            for path, match, priority in self.paths_with_headers()
        ]
        if self._redirects and not self._route.path_prefix:
            routes.append(self.acme_route(headers))
        name = names.ingress_route(*self._site)
        ingress_route = _ingress_route(name, self._labels, self._host.entry_points, routes, _secret(self._host))
        return [ingress_route, *self._redirects, *headers.values(), *self._serving]

    def match(self, path: str) -> str:
        return rule(self._host.domain, self._route.path_prefix + path)

    def middlewares(self, headers: dict[int, Object], path: str) -> list[Object]:
        """The Middlewares of a route: headers first, which redirects also get, then redirects, then the site."""
        return [*self.headers_for(headers, path), *self._redirects, *self._serving]

    def headers_for(self, headers: dict[int, Object], path: str) -> list[Object]:
        """The Middlewares of the header rules that cover this path."""
        return [headers[number] for number, each in self._headers if _covers(each.for_, path)]

    def serving_middlewares(self) -> list[Object]:
        prefix, middlewares = self._route.path_prefix, []
        if prefix:
            strip = {"stripPrefix": {"prefixes": [prefix]}}
            middlewares.append(_middleware(names.strip_middleware(*self._site), self._labels, strip))
        # These overwrite headers that a visitor may have sent. As a second check, nginx compares the site with the
        # path, and it adds the prefix to its redirects (docs/decisions/0005-nginx-paths-and-headers.md).
        # nginx also checks the passwords (docs/decisions/0017-passwords-are-asked-for-by-nginx.md).
        headers = {
            "X-Pages-Site": "/".join(self._site),
            "X-Pages-Prefix": prefix,
            "X-Pages-Auth": "required" if self._route.protected else "public",
            "X-Pages-Home": "",  # only aliases have one
        }
        request_headers = {"headers": {"customRequestHeaders": headers}}
        return [
            *middlewares,
            _middleware(names.headers_middleware(*self._site), self._labels, request_headers),
            _middleware(
                names.prefix_middleware(*self._site), self._labels, {"addPrefix": {"prefix": self._route.root}}
            ),
        ]

    def redirect_middlewares(self, redirects: Sequence[Redirect]) -> list[Object]:
        """One Middleware for each redirect.

        We do not use a `chain`: Traefik 3.6 does not find a Middleware in a chain if its name has two hyphens in a row.
        """
        return [
            _middleware(
                names.redirect_middleware(*self._site, number),
                self._labels,
                {"redirectRegex": redirect_regexes.redirect(each, self._route.path_prefix)},
            )
            for number, each in enumerate(redirects, 1)
        ]

    def header_middleware(self, number: int, rule: HeaderRule) -> Object:
        name = names.header_middleware(*self._site, number)
        return _middleware(name, self._labels, {"headers": {"customResponseHeaders": dict(rule.values)}})

    def paths_with_headers(self) -> Iterator[tuple[str, str, int]]:
        """The paths that need a route of their own, with match and priority. Longer and exact paths come first.

        A path at or below another site's path on this domain is left out, because its route would hide that site
        (D6). A path above another site's path is safe: its match is shorter, so its priority is lower.
        """
        prefix = self._route.path_prefix
        others = [each.path_prefix for each in self._host.routes if len(each.path_prefix) > len(prefix)]
        for path in sorted({each.for_.rstrip("/") or "/" for _, each in self._headers} - {"/*"}):
            public = prefix + path.removesuffix("*").rstrip("/")
            if any(f"{public}/".startswith(f"{other}/") for other in others):
                continue
            match = self.match(path.removesuffix("/*"))
            if path.endswith("/*"):
                yield path, match, len(match)
            else:
                yield path, self.exact_match(public), len(match) + 1

    def exact_match(self, public: str) -> str:
        if not public:
            return f"Host(`{self._host.domain}`) && Path(`/`)"
        return f"Host(`{self._host.domain}`) && (Path(`{public}`) || Path(`{public}/`))"

    def acme_route(self, headers: dict[int, Object]) -> Object:
        """The route for ACME challenges, which no redirect may intercept (D7). A solver's route takes precedence."""
        match = f"Host(`{self._host.domain}`) && PathPrefix(`{rule_syntax.ACME}/`)"
        middlewares = [*self.headers_for(headers, f"{rule_syntax.ACME}/*"), *self._serving]
        return _rule(self._host, match, middlewares, len(self.match("/.well-known")) + 2)


def _precedence(rule: HeaderRule) -> tuple[bool, int]:
    """Sort exact paths first, then longer ones. If two rules set the same header, the first one wins."""
    return rule.for_.endswith("/*"), -len(rule.for_)


def _covers(pattern: str, path: str) -> bool:
    """Whether the pattern matches everything that ``path`` matches. Either may end with ``/*``."""
    if pattern.endswith("/*"):
        return f"{path.removesuffix('*').rstrip('/')}/".startswith(pattern[:-1])
    return pattern.rstrip("/") == path.rstrip("/")


def _secret(host: VirtualHostSpec) -> str | None:
    return host.tls.secret_name if host.tls else None


def _rule(host: VirtualHostSpec, match: str, middlewares: list[Object], priority: int | None = None) -> Object:
    return {
        "match": match,
        "kind": "Rule",
        # The same as Traefik's default: a longer path comes before a shorter one.
        "priority": priority or len(match),
        "middlewares": [{"name": each["metadata"]["name"]} for each in middlewares],
        "services": [{"name": host.service.name, "port": host.service.port}],
    }


def _ingress_route(
    name: str, labels: dict[str, str], entry_points: list[str], routes: list[Object], secret: str | None = None
) -> Object:
    return {
        "apiVersion": _API_VERSION,
        "kind": "IngressRoute",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "entryPoints": entry_points,
            "routes": routes,
            **({"tls": {"secretName": secret}} if secret else {}),
        },
    }


def _middleware(name: str, labels: dict[str, str], spec: Object) -> Object:
    return {
        "apiVersion": _API_VERSION,
        "kind": "Middleware",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }
