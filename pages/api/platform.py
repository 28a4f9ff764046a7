"""Platform: the administrator's settings for all sites, and the result of stage one."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pages.api.objects import CustomResource, Domain, DomainPattern, Model, SecretName, ShortText
from pages.conditions import Condition, Timestamp


class LabelSelectorRequirement(Model):
    """One expression of a label selector."""

    key: ShortText
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = Field(default_factory=list)


class LabelSelector(Model):
    """A Kubernetes label selector. An empty selector matches everything."""

    match_labels: dict[str, str] = Field(default_factory=dict)
    match_expressions: list[LabelSelectorRequirement] = Field(default_factory=list)

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether the selector matches these labels."""
        matches_labels = all(labels.get(key) == value for key, value in self.match_labels.items())
        return matches_labels and all(_expression_holds(each, labels) for each in self.match_expressions)


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
    """Which namespaces may claim which custom domains, and whether sites of different namespaces may share a domain."""

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
    from the issuer) and, if there is an issuer, one per custom domain. Off: plain HTTP.
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
    """Traefik's entry points. ``entryPoints`` defaults to websecure, or to web if TLS is Off."""

    entry_points: list[ShortText] | None = Field(default=None, min_length=1, max_length=16)
    redirect_http: bool = Field(default=False, alias="redirectHTTP", strict=True)
    http_entry_points: list[ShortText] = Field(default=["web"], min_length=1, max_length=16)


class Service(Model):
    """The Service of the one nginx that serves all sites."""

    name: ShortText = "static-sites-nginx"
    port: int = Field(default=80, ge=1, le=65535, strict=True)


class PlatformSpec(Model):
    """The administrator's settings for all sites."""

    pages_domain: Domain
    namespace_selector: LabelSelector | None = None
    domain_policies: list[DomainPolicy] = Field(default=[], max_length=256)
    reserved_domains: list[DomainPattern] = Field(default=[], max_length=256)
    tls: PlatformTLS
    ingress: PlatformIngress = PlatformIngress()
    service: Service = Service()


class Rejection(Model):
    """A StaticSite that is not routed, and why. With ``alias``, only that domain of the site is not routed."""

    namespace: str
    name: str
    reason: str
    message: str
    alias: str | None = None


class HeldRemoval(Model):
    """A mass removal on hold: a fingerprint and the number of its domains, and the time when the hold began."""

    fingerprint: str
    since: Timestamp
    domains: int


class PlatformStatus(Model):
    """The result of stage one."""

    observed_generation: int | None = None
    sites: int = 0
    virtual_hosts: int = 0
    rejected: int = 0
    rejections: list[Rejection] = Field(default_factory=list)
    held_removal: HeldRemoval | None = None
    conditions: list[Condition] = Field(default_factory=list)


class Platform(CustomResource):
    """The administrator's settings. It owns all generated objects, which are in its namespace."""

    KIND = "Platform"

    kind: Literal["Platform"] = "Platform"
    spec: PlatformSpec
    status: PlatformStatus | None = None
