"""What a visitor gets: the judgement of one HTTP request."""

from cli.diagnosis import remedies
from cli.diagnosis.facts import Answer, Facts, condition, status
from cli.diagnosis.verdicts import Link, State, broken, ok, unknown, waiting, warning

_NAME = "Request"
_GO_NOT_FOUND = b"404 page not found"  # Traefik's own
_OURS_NOT_FOUND = b"There is no page at this address."
_LOCAL_UNKNOWN = b"No site is served at"
_OK, _REDIRECT, _UNAUTHORIZED, _NOT_FOUND, _ERROR = 200, 300, 401, 404, 500


def request(facts: Facts) -> Link:
    """Whether the page comes, and if not, from whom something else comes."""
    answer = facts.answer
    if answer is None:
        return unknown(_NAME, "no request was made")
    if answer.problem == "dns":
        return _dns(answer)
    if answer.problem == "connect":
        return _elsewhere(answer) or _connect(facts, answer)
    if answer.problem == "tls":
        return _elsewhere(answer) or _tls(facts, answer)
    return _no_http(answer) if answer.problem else _answered(facts, answer)


def _dns(answer: Answer) -> Link:
    host = _host(answer)
    to = " or ".join(answer.platform_addresses) or "the address of Traefik (ask the administrator)"
    return broken(
        _NAME,
        "DNSMissing",
        f"the name {host} does not resolve: {answer.detail}",
        f"add a DNS record: {host} to {to}; what was just added may take its time",
    )


def _connect(facts: Facts, answer: Answer) -> Link:
    return broken(
        _NAME,
        "NoConnection",
        f"nobody answers at {', '.join(answer.addresses)}: {answer.detail}",
        "see that Traefik runs and that no firewall is in between"
        if facts.served is None
        else "see that `pages serve` runs at this port and --address",
    )


def _tls(facts: Facts, answer: Answer) -> Link:
    host = _host(answer)
    match answer.certificate:
        case "expired":
            return broken(
                _NAME,
                "CertificateExpired",
                f"the certificate of {host} has expired",
                "cert-manager renews in time where it can; ask the administrator to look at the Certificate "
                f"(kubectl -n {facts.system} describe certificate)",
            )
        case "default" if condition(facts.site, "CertificateReady").get("status") != "True":
            return waiting(_NAME, "DefaultCertificate", f"Traefik has no certificate for {host} yet")
        case "default":
            return broken(
                _NAME,
                "DefaultCertificate",
                f"Traefik shows its own default certificate: it has none for {host}",
                "the TLS Secret is missing, or Traefik does not watch its namespace: ask the administrator",
            )
        case "name":
            return broken(
                _NAME,
                "WrongCertificate",
                f"the certificate is for other names than {host}: {answer.detail}",
                "the name may lead to another server: compare its DNS record; else ask the administrator which Secret "
                "Traefik shows",
            )
        case _:
            return broken(
                _NAME,
                "CertificateUntrusted",
                f"the certificate of {host} is not trusted here: {answer.detail}",
                "a certificate of a test issuer (such as letsencrypt-staging), or of a CA that this machine does not "
                "know (name its file in SSL_CERT_FILE)",
            )


def _no_http(answer: Answer) -> Link:
    return broken(
        _NAME,
        "NoHTTP",
        f"{', '.join(answer.addresses)} does not speak HTTP as expected: {answer.detail}",
        "see what listens there; is this the address of Traefik?",
    )


def _answered(facts: Facts, answer: Answer) -> Link:
    told = f"{answer.url} answers {answer.status}"
    if answer.status == _NOT_FOUND:
        return _not_found(facts, answer, told)
    if answer.status >= _ERROR:
        return _elsewhere(answer) or _bad_gateway(facts, told)
    if not (_is_ours(answer) or (_is_redirect(answer) and _redirects_first_page(facts))):
        return _of_another(answer, told)
    found = _of_ours(facts, answer, told)
    return _doubted(found, answer) if found.state is State.OK else found


def _bad_gateway(facts: Facts, told: str) -> Link:
    if facts.served is not None:
        return broken(_NAME, "BadGateway", f"{told}: the nginx of `pages serve` fails", "its output says why")
    return broken(
        _NAME,
        "BadGateway",
        f"{told}: Traefik does not get an answer from the nginx of the sites",
        f"kubectl -n {facts.system} get deployments,endpointslices   # of the Platform's spec.service",
    )


def _of_ours(facts: Facts, answer: Answer, told: str) -> Link:
    if answer.status == _UNAUTHORIZED and facts.site["spec"].get("basicAuth"):
        return ok(_NAME, f"{told}: it asks for the password of spec.basicAuth")
    if _is_redirect(answer):
        return ok(_NAME, f"{told}, to {answer.headers.get('location', 'nowhere')}")
    if answer.status != _OK:
        return broken(_NAME, "UnexpectedAnswer", told, "look at what the site's own rules say of its first page")
    return ok(_NAME, f"{told}, {answer.headers.get('content-type', 'of no type')}")


def _of_another(answer: Answer, told: str) -> Link:
    return _elsewhere(answer) or broken(
        _NAME,
        "AnotherServer",
        f"{told}, but not from the nginx of the sites (Server: {answer.headers.get('server', 'none')})",
        f"{_host(answer)} leads to {', '.join(answer.addresses)}: is that Traefik, and has it no other route?",
    )


def _not_found(facts: Facts, answer: Answer, told: str) -> Link:
    if answer.body.strip() == _GO_NOT_FOUND:
        if condition(facts.site, "IngressReady").get("status") != "True":
            return _elsewhere(answer) or waiting(_NAME, "TraefikKnowsNoRoute", f"{told}: it is not routed yet")
        return _elsewhere(answer) or broken(
            _NAME,
            "TraefikKnowsNoRoute",
            f"{told}: Traefik knows no route for {_host(answer)}",
            "Traefik does not watch the system namespace, or has no such entry point: ask the administrator to compare "
            "the Platform's ingress.entryPoints with Traefik's, and to look into its log",
        )
    if answer.body.startswith(_LOCAL_UNKNOWN):
        return broken(_NAME, "NotRouted", f"{told}: `pages serve` knows no such name", "its output says why")
    if _is_ours(answer) or _OURS_NOT_FOUND in answer.body:
        if not status(facts.site).get("lastCommit"):
            return waiting(_NAME, "NoRelease", f"{told}: nothing has been published yet")
        return broken(_NAME, "NoIndex", f"{told}: the release has no index.html at its top", remedies.no_index(facts))
    return _of_another(answer, told)


def _elsewhere(answer: Answer) -> Link | None:
    """Where the platform's own names lead is known, and it is not where this name leads."""
    if not answer.platform_addresses or set(answer.addresses) & set(answer.platform_addresses):
        return None
    host = _host(answer)
    return broken(
        _NAME,
        "DNSElsewhere",
        f"{host} leads to {', '.join(answer.addresses)}, and the platform is at {', '.join(answer.platform_addresses)}",
        f"change the DNS record of {host} to {' or '.join(answer.platform_addresses)}",
    )


def _doubted(well: Link, answer: Answer) -> Link:
    """Many a server looks like ours: where DNS leads elsewhere, it may be one in front of us, or where the site was."""
    if not (elsewhere := _elsewhere(answer)):
        return well
    text = f"{well.text}; but {elsewhere.text}: well if that server stands in front of the platform"
    return warning(_NAME, elsewhere.reason, text, elsewhere.remedy)


def _is_ours(answer: Answer) -> bool:
    """By what the nginx of the sites says with every answer (deploy/nginx/sites-server.conf).

    A site may replace the first header. The others are not its to set, but a server in front of us may change them.
    """
    said = answer.headers
    plain = said.get("server") == "nginx" and "accept-encoding" in said.get("vary", "").lower()
    return plain or said.get("x-content-type-options", "").startswith("nosniff")


def _is_redirect(answer: Answer) -> bool:
    return _REDIRECT <= answer.status < _REDIRECT + 100


def _redirects_first_page(facts: Facts) -> bool:
    """Whether the site has a redirect of its own there, which Traefik answers and not nginx."""
    of_files = (status(facts.site).get("rules") or {}).get("redirects") or []
    return any(each["from"] in {"/", "/*"} for each in [*(facts.site["spec"].get("redirects") or []), *of_files])


def _host(answer: Answer) -> str:
    return answer.url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
