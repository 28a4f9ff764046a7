"""Platform: what an administrator decides for all sites, and what stage one found."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pages.api.objects import Domain, DomainPattern, Model, Object, SecretName, ShortText
from pages.conditions import Condition, Timestamp


class LabelSelectorRequirement(Model):
    """One expression of a label selector."""

    key: ShortText
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = Field(default_factory=list)


class LabelSelector(Model):
    """A Kubernetes label selector; empty matches everything."""

    match_labels: dict[str, str] = Field(default_factory=dict)
    match_expressions: list[LabelSelectorRequirement] = Field(default_factory=list)

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        wanted = all(labels.get(key) == value for key, value in self.match_labels.items())
        return wanted and all(_expression_holds(each, labels) for each in self.match_expressions)


def _expression_holds(expression: LabelSelectorRequirement, labels: dict[str, str]) -> bool:
    value = labels.get(expression.key)
    match expression.operator:
        case "In":
            return value in expression.values
        case "NotIn":
            return value not in expression.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None


class DomainPolicy(Model):
    """Which namespaces may claim which custom domains, and whether they may share one by path prefixes."""

    domains: list[DomainPattern] = Field(min_length=1, max_length=256)
    namespaces: list[ShortText] = Field(min_length=1, max_length=256)
    shared_paths: bool = Field(default=False, strict=True)


class IssuerRef(Model):
    """The cert-manager issuer that signs certificates."""

    name: ShortText
    kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"
    group: ShortText = "cert-manager.io"


class PlatformTLS(Model):
    """How sites get TLS.

    Individual: a Certificate per domain. Wildcard: one for ``*.{pagesDomain}`` (an existing Secret, or a Certificate
    from the issuer), and one per custom domain where there is an issuer. Off: plain HTTP.
    """

    mode: Literal["Individual", "Wildcard", "Off"] = "Individual"
    issuer_ref: IssuerRef | None = None
    wildcard_secret_name: SecretName | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.mode == "Individual" and not self.issuer_ref:
            raise ValueError("tls.mode Individual needs tls.issuerRef")
        if self.mode == "Wildcard" and not (self.issuer_ref or self.wildcard_secret_name):
            raise ValueError("tls.mode Wildcard needs tls.wildcardSecretName or tls.issuerRef")
        return self


class PlatformIngress(Model):
    """Traefik's entry points. ``entryPoints`` defaults to websecure, or to web where TLS is Off."""

    entry_points: list[ShortText] | None = Field(default=None, min_length=1, max_length=16)
    redirect_http: bool = Field(default=False, alias="redirectHTTP", strict=True)
    http_entry_points: list[ShortText] = Field(default=["web"], min_length=1, max_length=16)


class Service(Model):
    """The Service of the one nginx that serves all sites."""

    name: ShortText = "static-sites-nginx"
    port: int = Field(default=80, ge=1, le=65535, strict=True)


class PlatformSpec(Model):
    """What an administrator decides for all sites."""

    pages_domain: Domain
    namespace_selector: LabelSelector | None = None
    domain_policies: list[DomainPolicy] = Field(default=[], max_length=256)
    reserved_domains: list[DomainPattern] = Field(default=[], max_length=256)
    tls: PlatformTLS
    ingress: PlatformIngress = PlatformIngress()
    service: Service = Service()


class Rejection(Model):
    """A StaticSite that is not routed, and why; with ``alias``, that further domain of it alone."""

    namespace: str
    name: str
    reason: str
    message: str
    alias: str | None = None


class HeldRemoval(Model):
    """A mass removal that waits until it has been seen for a while: which domains, and since when."""

    fingerprint: str
    since: Timestamp
    domains: int


class PlatformStatus(Model):
    """What stage one found."""

    observed_generation: int | None = None
    sites: int = 0
    virtual_hosts: int = 0
    rejected: int = 0
    rejections: list[Rejection] = Field(default_factory=list)
    held_removal: HeldRemoval | None = None
    conditions: list[Condition] = Field(default_factory=list)


class Platform(Object):
    """The administrator's settings; everything generated is owned by it and stands in its namespace."""

    KIND = "Platform"

    kind: Literal["Platform"] = "Platform"
    spec: PlatformSpec
    status: PlatformStatus | None = None
