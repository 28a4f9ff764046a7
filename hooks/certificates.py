"""The Secret that each domain uses for TLS, and the Certificates that fill these Secrets."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hooks.payload import spec, status
from pages import names
from pages.api import IssuerRef, Object, PlatformSpec


class Readiness(NamedTuple):
    """Whether a Certificate is ready (None: unknown), with the reason and the message for a condition."""

    ok: bool | None
    reason: str
    message: str


def is_possible(platform: PlatformSpec, domain: str) -> bool:
    """Whether the platform can get a certificate for the domain, or needs none."""
    tls = platform.tls
    return tls.mode == "Off" or tls.issuer_ref is not None or _is_below_wildcard(platform, domain)


def wildcard_secret(platform: PlatformSpec) -> str | None:
    """The Secret for ``*.{pagesDomain}``; None unless the mode is Wildcard."""
    if platform.tls.mode != "Wildcard":
        return None
    return platform.tls.wildcard_secret_name or names.wildcard_certificate(platform.pages_domain.lower())


def wildcard_certificate(platform: PlatformSpec) -> Object | None:
    """The Certificate for ``*.{pagesDomain}``; None if the administrator provides the Secret."""
    if platform.tls.mode != "Wildcard" or platform.tls.wildcard_secret_name or not platform.tls.issuer_ref:
        return None
    domain = platform.pages_domain.lower()
    name = names.wildcard_certificate(domain)
    return build(name, f"*.{domain}", platform.tls.issuer_ref, {names.LABEL_MANAGED: "true"})


def secrets(platform: PlatformSpec, domains: Iterable[str], observed: Mapping[str, Object]) -> dict[str, Object]:
    """The ``tls`` of each domain's VirtualHost; empty if TLS is off.

    A domain keeps the Secret that it has (``observed``: VirtualHosts by domain), because a new name would need a new
    certificate. Two domains never share a Secret of their own.
    """
    if platform.tls.mode == "Off":
        return {}
    wildcard = wildcard_secret(platform)
    chosen: dict[str, Object] = {}
    observed_first = sorted(domains, key=lambda domain: (domain not in observed, domain))
    taken = {name for name in (wildcard, *map(_secret_of, observed.values())) if name}
    for domain in observed_first:
        if _is_below_wildcard(platform, domain):
            chosen[domain] = {"secretName": wildcard}
        elif platform.tls.issuer_ref:
            name = _own_secret(observed.get(domain)) or names.certificate(domain, taken)
            taken.add(name)
            chosen[domain] = {"secretName": name, "issuerRef": platform.tls.issuer_ref.dump()}
    return chosen


def build(name: str, dns_name: str, issuer: IssuerRef, labels: dict[str, str]) -> Object:
    """A Certificate with a Secret of the same name."""
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": name, "labels": labels},
        "spec": {"secretName": name, "dnsNames": [dns_name], "issuerRef": issuer.dump()},
    }


def readiness(certificate: Mapping[str, Any] | None) -> Readiness:
    """The readiness that cert-manager reports for a Certificate. It is unknown while the Certificate is issued."""
    by_type = _conditions_by_type(certificate or {})
    ready, issuing = by_type.get("Ready", {}), by_type.get("Issuing", {})
    if ready.get("status") == "True":
        return Readiness(ok=True, reason="Issued", message="the certificate is valid")
    message = str(issuing.get("message") or ready.get("message") or "the certificate has been requested")
    if not ready or issuing.get("status") == "True":
        return Readiness(ok=None, reason="Issuing", message=message)
    reason = str(issuing.get("reason") or ready.get("reason") or "NotReady")
    return Readiness(ok=False, reason=reason, message=message)


def _conditions_by_type(certificate: Mapping[str, Any]) -> Object:
    reported = status(certificate).get("conditions")
    return {str(each.get("type")): each for each in reported or [] if isinstance(each, dict)}


def _is_below_wildcard(platform: PlatformSpec, domain: str) -> bool:
    """A wildcard certificate covers exactly one label."""
    label, _, parent = domain.partition(".")
    return platform.tls.mode == "Wildcard" and bool(label) and parent == platform.pages_domain.lower()


def _own_secret(host: Object | None) -> str | None:
    """The Secret of a VirtualHost that has a Certificate of its own; None otherwise."""
    tls = spec(host or {}).get("tls")
    return tls["secretName"] if isinstance(tls, dict) and tls.get("issuerRef") and tls.get("secretName") else None


def _secret_of(host: Object) -> str | None:
    tls = spec(host).get("tls")
    name = tls.get("secretName") if isinstance(tls, dict) else None
    return name if isinstance(name, str) else None
