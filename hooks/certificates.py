"""Which Secret a domain's TLS uses, and the Certificates that fill them."""

from collections.abc import Iterable, Mapping
from typing import Any

from hooks.payload import Object, spec
from pages import names
from pages.api import IssuerRef, PlatformSpec


def is_possible(platform: PlatformSpec, domain: str) -> bool:
    """Whether there is a way to TLS for the domain, or none is wanted."""
    tls = platform.tls
    return tls.mode == "Off" or tls.issuer_ref is not None or _is_below_wildcard(platform, domain)


def wildcard_secret(platform: PlatformSpec) -> str | None:
    """The Secret for ``*.{pagesDomain}`` in Wildcard mode."""
    if platform.tls.mode != "Wildcard":
        return None
    return platform.tls.wildcard_secret_name or names.wildcard_certificate(platform.pages_domain.lower())


def wildcard_certificate(platform: PlatformSpec) -> Object | None:
    """The Certificate for ``*.{pagesDomain}``, unless the administrator brings the Secret."""
    if platform.tls.mode != "Wildcard" or platform.tls.wildcard_secret_name or not platform.tls.issuer_ref:
        return None
    domain = platform.pages_domain.lower()
    name = names.wildcard_certificate(domain)
    return build(name, f"*.{domain}", platform.tls.issuer_ref, {names.LABEL_MANAGED: "true"})


def secrets(platform: PlatformSpec, domains: Iterable[str], observed: Mapping[str, Object]) -> dict[str, Object]:
    """The ``tls`` of each domain's VirtualHost; none where TLS is off.

    A Secret's name once given stays with its domain (``observed``: VirtualHosts by domain), for a new name would mean
    a new certificate; two domains never share one.
    """
    if platform.tls.mode == "Off":
        return {}
    wildcard = wildcard_secret(platform)
    issuer = platform.tls.issuer_ref.dump() if platform.tls.issuer_ref else None
    chosen: dict[str, Object] = {}
    wanted = sorted(domains, key=lambda domain: (domain not in observed, domain))
    taken = {name for name in (wildcard, *map(_secret_of, observed.values())) if name}
    for domain in wanted:
        if _is_below_wildcard(platform, domain):
            chosen[domain] = {"secretName": wildcard}
        elif issuer:
            name = _own_secret(observed.get(domain)) or names.certificate(domain, taken)
            taken.add(name)
            chosen[domain] = {"secretName": name, "issuerRef": issuer}
    return chosen


def build(name: str, dns_name: str, issuer: IssuerRef, labels: dict[str, str]) -> Object:
    """A Certificate with a Secret of the same name."""
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": name, "labels": labels},
        "spec": {"secretName": name, "dnsNames": [dns_name], "issuerRef": issuer.dump()},
    }


def readiness(certificate: Mapping[str, Any] | None) -> tuple[bool | None, str, str]:
    """What cert-manager says of a Certificate, as ok, reason and message; unknown while it is being issued."""
    status = (certificate or {}).get("status")
    given = status.get("conditions") if isinstance(status, dict) else None
    found = {each.get("type"): each for each in given or [] if isinstance(each, dict)}
    ready = found.get("Ready", {})
    if ready.get("status") == "True":
        return True, "Issued", "the certificate is valid"
    issuing = found.get("Issuing", {})
    message = str(issuing.get("message") or ready.get("message") or "the certificate has been asked for")
    if not ready or issuing.get("status") == "True":
        return None, "Issuing", message
    return False, str(issuing.get("reason") or ready.get("reason") or "NotReady"), message


def _is_below_wildcard(platform: PlatformSpec, domain: str) -> bool:
    """A wildcard certificate covers one label, no more."""
    label, _, parent = domain.partition(".")
    return platform.tls.mode == "Wildcard" and bool(label) and parent == platform.pages_domain.lower()


def _own_secret(host: Object | None) -> str | None:
    """The Secret of a VirtualHost whose Certificate is its own."""
    tls = spec(host or {}).get("tls")
    return tls["secretName"] if isinstance(tls, dict) and tls.get("issuerRef") and tls.get("secretName") else None


def _secret_of(host: Object) -> str | None:
    tls = spec(host).get("tls")
    name = tls.get("secretName") if isinstance(tls, dict) else None
    return name if isinstance(name, str) else None
