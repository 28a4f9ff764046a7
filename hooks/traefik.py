"""IngressRoutes and Middlewares: how Traefik brings a visitor of a site to its folder behind the one nginx."""

from collections.abc import Iterator, Sequence

from hooks import redirect_regexes
from hooks.payload import Object
from pages import names, rule_syntax
from pages.api import HeaderRule, Redirect, RedirectTarget, Route, VirtualHostSpec

_API_VERSION = "traefik.io/v1alpha1"


def rule(domain: str, path_prefix: str) -> str:
    """What a site matches: its path and all below it, never ``/pother``."""
    if not path_prefix:
        return f"Host(`{domain}`)"
    return f"Host(`{domain}`) && (Path(`{path_prefix}`) || PathPrefix(`{path_prefix}/`))"


def site_objects(host: VirtualHostSpec, route: Route) -> list[Object]:
    """The IngressRoute of a site and its Middlewares; of an alias, what sends its visitors to the site."""
    return _alias_objects(host, route, route.redirect_to) if route.redirect_to else _Site(host, route).objects()


def redirect_objects(host: VirtualHostSpec) -> list[Object]:
    """What sends a domain's plain HTTP to HTTPS, where that is wanted."""
    if not host.redirect_entry_points or not host.tls:
        return []
    name, labels = names.https_redirect(host.domain), names.domain_labels(host.domain)
    redirect = _middleware(name, labels, {"redirectScheme": {"scheme": "https", "permanent": True}})
    routes = [_rule(host, rule(host.domain, ""), [redirect])]
    return [_ingress_route(name, labels, host.redirect_entry_points, routes), redirect]


def _alias_objects(host: VirtualHostSpec, route: Route, target: RedirectTarget) -> list[Object]:
    site = route.site
    name = names.alias(site.namespace, site.name, host.domain)
    labels = names.site_labels(site.namespace, site.name, host.domain)
    scheme = "https" if host.tls else "http"
    regex = redirect_regexes.alias(target.domain.lower(), target.path_prefix, scheme)
    redirect = _middleware(name, labels, {"redirectRegex": regex})
    routes = [_rule(host, rule(host.domain, route.path_prefix), [redirect])]
    return [_ingress_route(name, labels, host.entry_points, routes, _secret(host)), redirect]


class _Site:
    """The objects of one site: a route for all of it, and one more for each path that has headers of its own."""

    def __init__(self, host: VirtualHostSpec, route: Route) -> None:
        self._host = host
        self._route = route
        self._site = (route.site.namespace, route.site.name)
        self._labels = names.site_labels(*self._site, host.domain)
        both = [each for each in (route.rules, route.file_rules) if each]
        ordered = [rule for each in both for rule in sorted(each.headers, key=_precedence)]
        self._headers = list(enumerate(ordered, 1))
        self._redirects = self._redirecting([rule for each in both for rule in each.redirects])
        self._serving = self._to_its_folder()

    def objects(self) -> list[Object]:
        headers = {number: self._header(number, each) for number, each in self._headers}
        routes = [_rule(self._host, self._match(""), self._middlewares(headers, "/*"))]
        routes += [
            _rule(self._host, match, self._middlewares(headers, path), priority)
            for path, match, priority in self._paths()
        ]
        if self._redirects and not self._route.path_prefix:
            routes.append(self._acme(headers))
        name = names.ingress_route(*self._site)
        ingress_route = _ingress_route(name, self._labels, self._host.entry_points, routes, _secret(self._host))
        return [ingress_route, *self._redirects, *headers.values(), *self._serving]

    def _match(self, path: str) -> str:
        return rule(self._host.domain, self._route.path_prefix + path)

    def _middlewares(self, headers: dict[int, Object], path: str) -> list[Object]:
        """The Middlewares of a route: headers, which redirects get too; redirects; then the site."""
        return [*self._covering(headers, path), *self._redirects, *self._serving]

    def _covering(self, headers: dict[int, Object], path: str) -> list[Object]:
        """The headers whose paths hold this one."""
        return [headers[number] for number, each in self._headers if _covers(each.for_, path)]

    def _to_its_folder(self) -> list[Object]:
        prefix, middlewares = self._route.path_prefix, []
        if prefix:
            strip = {"stripPrefix": {"prefixes": [prefix]}}
            middlewares.append(_middleware(names.strip_middleware(*self._site), self._labels, strip))
        # Overwrites what a visitor may have sent. nginx compares the site with the path, a second fence, and puts the
        # prefix back into its redirects (docs/decisions/0005-nginx-paths-and-headers.md).
        # And it asks for the password (docs/decisions/0017-passwords-are-asked-for-by-nginx.md).
        headers = {
            "X-Pages-Site": "/".join(self._site),
            "X-Pages-Prefix": prefix,
            "X-Pages-Auth": "required" if self._route.protected else "public",
            "X-Pages-Home": "",  # here is no alias
        }
        asked = {"headers": {"customRequestHeaders": headers}}
        return [
            *middlewares,
            _middleware(names.headers_middleware(*self._site), self._labels, asked),
            _middleware(
                names.prefix_middleware(*self._site), self._labels, {"addPrefix": {"prefix": self._route.root}}
            ),
        ]

    def _redirecting(self, wanted: Sequence[Redirect]) -> list[Object]:
        """One Middleware for each redirect.

        No `chain` holds them: Traefik 3.6 does not find what a chain names where that has two hyphens in a row.
        """
        return [
            _middleware(
                names.redirect_middleware(*self._site, number),
                self._labels,
                {"redirectRegex": redirect_regexes.redirect(each, self._route.path_prefix)},
            )
            for number, each in enumerate(wanted, 1)
        ]

    def _header(self, number: int, wanted: HeaderRule) -> Object:
        name = names.header_middleware(*self._site, number)
        return _middleware(name, self._labels, {"headers": {"customResponseHeaders": dict(wanted.values)}})

    def _paths(self) -> Iterator[tuple[str, str, int]]:
        """The paths that need a route, with its priority: the longest comes first, and one path before all below it.

        None is at or below another site's path on this domain, which it would take away (D6); a path above one has
        the shorter rule and so gives way.
        """
        others = [each.path_prefix for each in self._host.routes if each is not self._route]
        for path in sorted({each.for_.rstrip("/") or "/" for _, each in self._headers} - {"/*"}):
            public = self._route.path_prefix + path.removesuffix("*").rstrip("/")
            if any(
                f"{public}/".startswith(f"{other}/") for other in others if len(other) > len(self._route.path_prefix)
            ):
                continue
            match = self._match(path.removesuffix("/*"))
            if path.endswith("/*"):
                yield path, match, len(match)
            else:
                yield path, self._exactly(public), len(match) + 1

    def _exactly(self, public: str) -> str:
        if not public:
            return f"Host(`{self._host.domain}`) && Path(`/`)"
        return f"Host(`{self._host.domain}`) && (Path(`{public}`) || Path(`{public}/`))"

    def _acme(self, headers: dict[int, Object]) -> Object:
        """No redirect comes between a certificate authority and its answer (D7); a solver's own route has priority."""
        match = f"Host(`{self._host.domain}`) && PathPrefix(`{rule_syntax.ACME}/`)"
        middlewares = [*self._covering(headers, f"{rule_syntax.ACME}/*"), *self._serving]
        return _rule(self._host, match, middlewares, len(self._match("/.well-known")) + 2)


def _precedence(rule: HeaderRule) -> tuple[bool, int]:
    """One path first, then the longest: of two rules that set one header, the first has the last word."""
    return rule.for_.endswith("/*"), -len(rule.for_)


def _covers(pattern: str, path: str) -> bool:
    """Whether all that ``path`` stands for, one path or ``/*``, is what the pattern means."""
    if pattern.endswith("/*"):
        return f"{path.removesuffix('*').rstrip('/')}/".startswith(pattern[:-1])
    return pattern.rstrip("/") == path.rstrip("/")


def _secret(host: VirtualHostSpec) -> str | None:
    return host.tls.secret_name if host.tls else None


def _rule(host: VirtualHostSpec, match: str, middlewares: list[Object], priority: int | None = None) -> Object:
    return {
        "match": match,
        "kind": "Rule",
        # Traefik's own default, written out: a longer path comes before a shorter one.
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
