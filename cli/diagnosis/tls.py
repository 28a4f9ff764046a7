"""Whether there is a certificate for the site's domain."""

from cli.diagnosis import issuers, remedies
from cli.diagnosis.facts import Facts, Object, condition, moment, status
from cli.diagnosis.verdicts import BY_STATUS, State, Verdict, broken, ok, waiting

_NAME = "Certificate"


def certificate(facts: Facts) -> Verdict:
    """Judge by cert-manager's objects, or by the site's status where those are hidden."""
    if facts.served is not None:
        return ok(_NAME, "not needed: `pages serve` serves plain HTTP")
    if facts.host.object is None:
        return _by_status(facts)
    tls = facts.host.object["spec"].get("tls")
    if not tls:
        return ok(_NAME, "not needed: the Platform serves plain HTTP")
    if not tls.get("issuerRef"):
        return _wildcard(facts, tls.get("secretName", ""))
    return _own(facts, tls)


def _by_status(facts: Facts) -> Verdict:
    ready = condition(facts.site, "CertificateReady")
    text = f"{ready.message or 'its state is not known yet'} ({BY_STATUS})"
    if ready.is_true:
        return ok(_NAME, text)
    if ready.is_false:
        return broken(_NAME, ready.reason, text, "ask the administrator why the certificate was not issued")
    return waiting(_NAME, ready.reason or "Pending", text)


def _wildcard(facts: Facts, secret: str) -> Verdict:
    if not facts.secret.missing:
        return ok(_NAME, f"Secret {secret} covers the domain")
    return broken(
        _NAME,
        "SecretMissing",
        f"the Secret {facts.system}/{secret} with the wildcard certificate does not exist",
        "create it, or correct the Platform's tls.wildcardSecretName:\n"
        f"kubectl -n {facts.system} get secrets,certificates",
    )


def _own(facts: Facts, tls: Object) -> Verdict:
    """The domain has a Certificate of its own, which is never issued without a working issuer."""
    if facts.certificate.hidden:
        return _by_status(facts)
    current, title = facts.certificate.object, f"Certificate {facts.system}/{tls['secretName']}"
    if current and condition(current, "Ready").is_true:
        return _issued(facts, current, title, tls)
    issuer = issuers.issuer(_NAME, tls["issuerRef"], facts.issuer)
    if issuer.state is State.BROKEN:
        return issuer
    if current is None:
        text = f"{title} does not exist: Metacontroller has not created it"
        return broken(_NAME, "CertificateMissing", text, remedies.look_at_hooks(facts))
    return _not_ready(facts, current, title, tls)


def _issued(facts: Facts, current: Object, title: str, tls: Object) -> Verdict:
    expires = moment(status(current).get("notAfter"))
    if expires and expires < facts.now:
        text = f"{title} expired at {expires:%Y-%m-%d %H:%M} UTC"
        return broken(_NAME, "CertificateExpired", text, _inspect(facts, tls))
    return ok(_NAME, f"{title} is valid" + (f" until {expires:%Y-%m-%d}" if expires else ""))


def _not_ready(facts: Facts, current: Object, title: str, tls: Object) -> Verdict:
    ready, issuing = condition(current, "Ready"), condition(current, "Issuing")
    message = issuing.message or ready.message or "it has been requested"
    text = f"{title}: {message}" + (f"; {facts.issuing[-1]}" if facts.issuing else "")
    if ready.status and not issuing.is_true:
        return broken(_NAME, issuing.reason or ready.reason or "NotReady", text, _inspect(facts, tls))
    return waiting(_NAME, "Issuing", text, _inspect(facts, tls))


def _inspect(facts: Facts, tls: Object) -> str:
    return (
        "the usual cause is a domain that does not point to the platform: check its DNS record; cert-manager retries\n"
        f"kubectl -n {facts.system} describe certificate {tls['secretName']}\n"
        f"kubectl -n {facts.system} get certificaterequests,orders,challenges"
    )
