"""Whether there is a certificate for the site's domain."""

from cli.diagnosis import remedies
from cli.diagnosis.facts import Facts, Object, condition, moment, status
from cli.diagnosis.verdicts import HIDDEN, Link, broken, ok, waiting

_NAME = "Certificate"


def certificate(facts: Facts) -> Link:
    """What cert-manager says, or the site's status where that is hidden."""
    host = facts.host.object
    if facts.served is not None:
        return ok(_NAME, "none is needed: `pages serve` speaks plain HTTP")
    if host is None or (facts.certificate.hidden and host["spec"].get("tls", {}).get("issuerRef")):
        return _by_status(facts)
    tls = host["spec"].get("tls")
    if not tls:
        return ok(_NAME, "none is needed: the platform serves plain HTTP")
    return _own(facts, tls) if tls.get("issuerRef") else _wildcard(facts, tls.get("secretName", ""))


def _by_status(facts: Facts) -> Link:
    said = condition(facts.site, "CertificateReady")
    text = f"{said.get('message') or 'nothing is known'} ({HIDDEN})"
    if said.get("status") == "True":
        return ok(_NAME, text)
    if said.get("status") == "False":
        return broken(_NAME, said.get("reason", ""), text, "ask the administrator: the certificate was not issued")
    return waiting(_NAME, said.get("reason") or "Pending", text)


def _wildcard(facts: Facts, secret: str) -> Link:
    if not facts.secret.missing:
        return ok(_NAME, f"Secret {secret} covers the domain")
    return broken(
        _NAME,
        "SecretMissing",
        f"there is no Secret {facts.system}/{secret}, which has to hold the wildcard certificate",
        "create it, or correct the Platform's tls.wildcardSecretName:\n"
        f"kubectl -n {facts.system} get secrets,certificates",
    )


def _own(facts: Facts, tls: Object) -> Link:
    """A Certificate of the domain's own; without its issuer nothing can come of it."""
    found, called = facts.certificate.object, f"Certificate {facts.system}/{tls['secretName']}"
    if found and condition(found, "Ready").get("status") == "True":
        return _valid(facts, found, called, tls)
    if problem := _issuer(facts, tls, called):
        return problem
    if found is None:
        text = f"{called} is not there: Metacontroller has not made it"
        return broken(_NAME, "CertificateMissing", text, remedies.look_at_hooks(facts))
    return _not_ready(facts, found, called, tls)


def _valid(facts: Facts, found: Object, called: str, tls: Object) -> Link:
    ends = moment(status(found).get("notAfter"))
    if ends and ends < facts.now:
        text = f"{called} ended at {ends:%Y-%m-%d %H:%M} UTC"
        return broken(_NAME, "CertificateExpired", text, _inspect(facts, tls))
    return ok(_NAME, f"{called} is valid" + (f" until {ends:%Y-%m-%d}" if ends else ""))


def _issuer(facts: Facts, tls: Object, called: str) -> Link | None:
    issuer = f"{tls['issuerRef'].get('kind', 'ClusterIssuer')} {tls['issuerRef']['name']}"
    if facts.issuer.missing:
        return broken(
            _NAME,
            "IssuerMissing",
            f"there is no {issuer}, which has to sign {called}",
            "create it, or correct the Platform's tls.issuerRef:\nkubectl get clusterissuers,issuers -A",
        )
    ready = condition(facts.issuer.object, "Ready")
    if ready.get("status") == "False":
        text = f"{issuer}, which has to sign {called}, is not ready: {ready.get('message', '')}"
        return broken(_NAME, "IssuerNotReady", text, f"kubectl describe {issuer.lower().replace(' ', '/')}")
    return None


def _not_ready(facts: Facts, found: Object, called: str, tls: Object) -> Link:
    ready, issuing = condition(found, "Ready"), condition(found, "Issuing")
    said = issuing.get("message") or ready.get("message") or "it has been asked for"
    told = f"{called}: {said}" + (f"; {facts.issuing[-1]}" if facts.issuing else "")
    if ready and issuing.get("status") != "True":
        return broken(_NAME, issuing.get("reason") or ready.get("reason") or "NotReady", told, _inspect(facts, tls))
    return waiting(_NAME, "Issuing", told, _inspect(facts, tls))


def _inspect(facts: Facts, tls: Object) -> str:
    return (
        "the usual cause is a name that does not lead here: look at the domain's DNS record; cert-manager tries again\n"
        f"kubectl -n {facts.system} describe certificate {tls['secretName']}\n"
        f"kubectl -n {facts.system} get certificaterequests,orders,challenges"
    )
