"""What a visitor gets: the judgement of one HTTP request."""

from http import HTTPStatus

from cli.diagnosis import remedies
from cli.diagnosis.facts import Facts, Response, condition, status
from cli.diagnosis.verdicts import State, Verdict, broken, ok, unknown, waiting, warning

_NAME = "Request"
_TRAEFIK_NOT_FOUND = b"404 page not found"
_OUR_NOT_FOUND = b"There is no page at this address."
_LOCAL_UNKNOWN_HOST = b"No site is served at"


def request(facts: Facts) -> Verdict:
    """Whether the page comes, and if not, which server responds instead."""
    response = facts.response
    if response is None:
        return unknown(_NAME, "no request was made")
    match response.problem:
        case "":
            return responded(facts, response)
        case "dns":
            return no_address(response)
        case "connect":
            return elsewhere(response) or no_connection(facts, response)
        case "tls":
            return elsewhere(response) or bad_certificate(facts, response)
        case _:
            return no_http(response)


def no_address(response: Response) -> Verdict:
    """The name does not resolve."""
    host = _host(response)
    target = " or ".join(response.platform_addresses) or "the address of Traefik (ask the administrator)"
    return broken(
        _NAME,
        "DNSMissing",
        f"the name {host} does not resolve: {response.detail}",
        f"add a DNS record: {host} to {target}; a new record may take some time to spread",
    )


def no_connection(facts: Facts, response: Response) -> Verdict:
    """No server accepts the connection."""
    return broken(
        _NAME,
        "NoConnection",
        f"cannot connect to {', '.join(response.addresses)}: {response.detail}",
        "check that Traefik is running and that no firewall blocks it"
        if facts.served is None
        else "check that `pages serve` is running with this --port and --address",
    )


def bad_certificate(facts: Facts, response: Response) -> Verdict:
    """The certificate cannot be trusted."""
    host = _host(response)
    match response.certificate:
        case "expired":
            return broken(
                _NAME,
                "CertificateExpired",
                f"the certificate of {host} has expired",
                "cert-manager renews certificates in time where it can; ask the administrator to check the Certificate "
                f"(kubectl -n {facts.system} describe certificate)",
            )
        case "default":
            return default_certificate(facts, host)
        case "name":
            return broken(
                _NAME,
                "WrongCertificate",
                f"the certificate does not cover {host}: {response.detail}",
                "the name may point to another server: compare its DNS record; else ask the administrator which Secret "
                "Traefik uses",
            )
        case _:
            return broken(
                _NAME,
                "CertificateUntrusted",
                f"this machine does not trust the certificate of {host}: {response.detail}",
                "it comes from a test issuer (for example letsencrypt-staging), or from a CA that this machine does "
                "not have (set SSL_CERT_FILE to its file)",
            )


def default_certificate(facts: Facts, host: str) -> Verdict:
    """Traefik's default certificate, without one for the name."""
    if not condition(facts.site, "CertificateReady").is_true:
        return waiting(_NAME, "DefaultCertificate", f"Traefik has no certificate for {host} yet")
    return broken(
        _NAME,
        "DefaultCertificate",
        f"Traefik has no certificate for {host} and uses its default certificate",
        "the TLS Secret is missing, or Traefik does not watch its namespace: ask the administrator",
    )


def no_http(response: Response) -> Verdict:
    """The server does not speak HTTP."""
    return broken(
        _NAME,
        "NoHTTP",
        f"{', '.join(response.addresses)} does not respond with valid HTTP: {response.detail}",
        "check which program listens there, and whether this is the address of Traefik",
    )


def responded(facts: Facts, response: Response) -> Verdict:
    """There is a response, from our nginx or from another server."""
    summary = f"{response.url} returns {response.status}"
    if response.status == HTTPStatus.NOT_FOUND:
        return not_found(facts, response, summary)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return elsewhere(response) or bad_gateway(facts, summary)
    if not is_ours(response):
        return of_another(response, summary)
    verdict = of_ours(facts, response, summary)
    return doubted(verdict, response) if verdict.state is State.OK else verdict


def bad_gateway(facts: Facts, summary: str) -> Verdict:
    """Traefik, or the nginx of `pages serve`, cannot reach the sites."""
    if facts.served is not None:
        return broken(_NAME, "BadGateway", f"{summary}: the nginx of `pages serve` fails", "see its output")
    return broken(
        _NAME,
        "BadGateway",
        f"{summary}: Traefik gets no response from the nginx of the sites",
        f"kubectl -n {facts.system} get deployments,endpointslices   # of the Platform's spec.service",
    )


def of_ours(facts: Facts, response: Response, summary: str) -> Verdict:
    """The response comes from our nginx."""
    if response.status == HTTPStatus.UNAUTHORIZED and facts.site["spec"].get("basicAuth"):
        return ok(_NAME, f"{summary}: it asks for the password of spec.basicAuth")
    if _is_redirect(response):
        return ok(_NAME, f"{summary}, a redirect to {response.headers.get('location', 'nowhere')}{_by_rule(response)}")
    if response.status != HTTPStatus.OK:
        text = f"{summary}{_by_rule(response)}"
        return broken(_NAME, "UnexpectedAnswer", text, "check the site's own rules for its first page")
    return ok(_NAME, f"{summary}, {response.headers.get('content-type', 'without a content type')}{_by_rule(response)}")


def _by_rule(response: Response) -> str:
    """The line of the site's rules that nginx followed."""
    rule = response.headers.get("x-pages-rule", "")
    return f", by {rule}" if rule.isprintable() and rule else ""


def of_another(response: Response, summary: str) -> Verdict:
    """The response comes from another server."""
    return elsewhere(response) or broken(
        _NAME,
        "AnotherServer",
        f"{summary}, but not from the nginx of the sites (Server: {response.headers.get('server', 'none')})",
        f"{_host(response)} points to {', '.join(response.addresses)}: check that this is Traefik, and that it has no "
        "other route for the name",
    )


def not_found(facts: Facts, response: Response, summary: str) -> Verdict:
    """The page does not exist, or the site is not routed."""
    if response.body.strip() == _TRAEFIK_NOT_FOUND:
        return elsewhere(response) or no_route(facts, response, summary)
    if response.body.startswith(_LOCAL_UNKNOWN_HOST):
        return broken(_NAME, "NotRouted", f"{summary}: `pages serve` has no site with this name", "see its output")
    if not (is_ours(response) or _OUR_NOT_FOUND in response.body):
        return of_another(response, summary)
    if not status(facts.site).get("lastCommit"):
        return waiting(_NAME, "NoRelease", f"{summary}: nothing has been published yet")
    return broken(_NAME, "NoIndex", f"{summary}: the release has no index.html at its top", remedies.no_index(facts))


def no_route(facts: Facts, response: Response, summary: str) -> Verdict:
    """Traefik has no route for the name."""
    if not condition(facts.site, "IngressReady").is_true:
        return waiting(_NAME, "TraefikKnowsNoRoute", f"{summary}: the site is not routed yet")
    return broken(
        _NAME,
        "TraefikKnowsNoRoute",
        f"{summary}: Traefik has no route for {_host(response)}",
        "Traefik does not watch the system namespace, or does not have the entry point: ask the administrator to "
        "compare the Platform's ingress.entryPoints with Traefik's, and to read Traefik's log",
    )


def elsewhere(response: Response) -> Verdict | None:
    """Broken, where the platform's own names point to other addresses than this name."""
    if not response.platform_addresses or set(response.addresses) & set(response.platform_addresses):
        return None
    host, platform = _host(response), response.platform_addresses
    return broken(
        _NAME,
        "DNSElsewhere",
        f"{host} points to {', '.join(response.addresses)}, but the platform is at {', '.join(platform)}",
        f"change the DNS record of {host} to {' or '.join(platform)}",
    )


def doubted(verdict: Verdict, response: Response) -> Verdict:
    """A server elsewhere that looks like ours may be a proxy in front of us, or the site's previous server."""
    if not (other := elsewhere(response)):
        return verdict
    text = f"{verdict.text}; but {other.text}: correct only if a proxy for the platform runs there"
    return warning(_NAME, other.reason, text, other.remedy)


def is_ours(response: Response) -> bool:
    """By headers that the nginx of the sites sends with every response (deploy/nginx/sites-server.conf).

    A site may replace the first one. It cannot set the others, but a proxy in front of us may change them.
    """
    headers = response.headers
    unchanged = headers.get("server") == "nginx" and "accept-encoding" in headers.get("vary", "").lower()
    return unchanged or headers.get("x-content-type-options", "").startswith("nosniff")


def _is_redirect(response: Response) -> bool:
    return HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST


def _host(response: Response) -> str:
    return response.url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
