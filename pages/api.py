"""The API group ``pages.kup6s.com/v1beta1`` as models: StaticSite, Platform and VirtualHost.

Fields carry their JSON names as aliases. Defaults and limits equal those of ``crds/`` (a test compares them).
Unknown fields are ignored, as the API server prunes them; ``pages.manifests`` refuses them in files people write.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel

from pages import validation
from pages.conditions import Condition, Timestamp

GROUP = "pages.kup6s.com"
VERSION = "v1beta1"
API_VERSION: Literal["pages.kup6s.com/v1beta1"] = "pages.kup6s.com/v1beta1"

# Validation context key: admits file:// URLs and folders as repositories (`pages serve --allow-local`).
ALLOW_LOCAL = "allow_local"
# Annotation of a StaticSite: any new value, such as the time, asks for a sync now.
REQUESTED_AT = "pages.kup6s.com/requestedAt"
MAX_REQUEST_LENGTH = 253


class Model(BaseModel):
    """Camel-case JSON names, immutable, unknown fields ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    def dump(self) -> dict[str, Any]:
        """The object as the API knows it: JSON names, no nulls."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


def _checked(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(check)


def _repo(value: str, info: ValidationInfo) -> str:
    local = bool(info.context and info.context.get(ALLOW_LOCAL))
    if local and (value.startswith(("file:///", "/")) and "\n" not in value):
        return value
    return validation.repo(value)


SiteName = Annotated[str, _checked(validation.site_name)]
Repo = Annotated[str, AfterValidator(_repo)]
Branch = Annotated[str, _checked(validation.branch)]
Revision = Annotated[str, _checked(validation.revision)]
RepoPath = Annotated[str, _checked(validation.path)]
PathPrefix = Annotated[str, _checked(validation.path_prefix)]
Domain = Annotated[str, _checked(validation.domain)]
DomainPattern = Annotated[str, _checked(validation.domain_pattern)]
SecretName = Annotated[str, _checked(validation.secret_name)]
SecretKey = Annotated[str, _checked(validation.secret_key)]
SyncInterval = Annotated[str, _checked(validation.sync_interval)]
ShortText = Annotated[str, Field(min_length=1, max_length=253)]


class ObjectMeta(Model):
    """What we read of an object's metadata. ``uid`` and times are absent in manifests people write."""

    name: str = Field(max_length=253)
    namespace: str = Field(default="default", max_length=63)
    uid: str = ""
    generation: int = 1
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Object(Model):
    """A Kubernetes object of our group."""

    KIND: ClassVar[str]

    api_version: Literal["pages.kup6s.com/v1beta1"] = API_VERSION
    kind: str
    metadata: ObjectMeta

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.metadata.namespace}/{self.metadata.name}"


class TokenRef(Model):
    """An entry of a Secret in the StaticSite's own namespace."""

    name: SecretName
    key: SecretKey = "password"


class SecretRef(TokenRef):
    """A Secret in the StaticSite's own namespace."""

    username_key: SecretKey = "username"


ForgeKind = Literal["forgejo", "gitea", "github", "gitlab"]


class CommitStatus(Model):
    """Tells the forge what became of a commit. Without a ``secretRef``, with the site's own credential."""

    secret_ref: TokenRef | None = None
    forge: ForgeKind | None = None


class StaticSiteSpec(Model):
    """What a tenant writes."""

    repo: Repo
    branch: Branch = "main"
    revision: Revision | None = None
    path: RepoPath = "/"
    domain: Domain | None = None
    path_prefix: PathPrefix = ""
    secret_ref: SecretRef | None = None
    sync_interval: SyncInterval = "5m"
    commit_status: CommitStatus | None = None

    @model_validator(mode="after")
    def _prefix_needs_domain(self) -> Self:
        if self.path_prefix and not self.domain:
            raise ValueError("pathPrefix needs domain: add the domain below which the site is to be served")
        return self

    @model_validator(mode="after")
    def _commit_status_needs_a_token(self) -> Self:
        if self.commit_status and not (self.commit_status.secret_ref or self.secret_ref):
            raise ValueError("commitStatus needs secretRef: name the Secret with a token for the forge's API")
        return self

    @property
    def host(self) -> str | None:
        """The custom domain in canonical, lower-case form."""
        return self.domain.lower() if self.domain else None


class Resources(Model):
    """The generated objects of a site, as ``namespace/name``."""

    ingress_route: str | None = None
    middleware: str | None = None
    strip_middleware: str | None = None
    certificate: str | None = None


class ReleaseStatus(Model):
    """What was live once, or is. ``available``: still on the volume, so that it goes live again at once."""

    commit: str
    author_date: Timestamp | None = None
    subject: str = ""
    time: Timestamp
    files: int = 0
    bytes: int = 0
    live: bool = False
    available: bool = False


class StaticSiteStatus(Model):
    """What the syncer, its only writer, says of a site."""

    observed_generation: int | None = None
    phase: Literal["Pending", "Syncing", "Ready", "Error"] = "Pending"
    message: str = ""
    url: str | None = None
    last_sync: Timestamp | None = None
    last_commit: str | None = None
    last_handled_request: str | None = None
    sync_token: str | None = None
    releases: list[ReleaseStatus] = []
    conditions: list[Condition] = []
    resources: Resources | None = None


class StaticSite(Object):
    """One web site, published from one folder of one branch of one repository."""

    KIND = "StaticSite"

    kind: Literal["StaticSite"] = "StaticSite"
    spec: StaticSiteSpec
    status: StaticSiteStatus | None = None

    @model_validator(mode="after")
    def _name_is_a_label(self) -> Self:
        try:
            validation.site_name(self.metadata.name)
        except ValueError as error:
            raise ValueError(f"metadata.name {error}") from None
        return self

    @property
    def requested_at(self) -> str:
        """The sync that was asked for last, by annotation."""
        return self.metadata.annotations.get(REQUESTED_AT, "")[:MAX_REQUEST_LENGTH]


class LabelSelectorRequirement(Model):
    """One expression of a label selector."""

    key: ShortText
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = []


class LabelSelector(Model):
    """A Kubernetes label selector; empty matches everything."""

    match_labels: dict[str, str] = {}
    match_expressions: list[LabelSelectorRequirement] = []

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
    """A StaticSite that is not routed, and why."""

    namespace: str
    name: str
    reason: str
    message: str


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
    rejections: list[Rejection] = []
    held_removal: HeldRemoval | None = None
    conditions: list[Condition] = []


class Platform(Object):
    """The administrator's settings; everything generated is owned by it and stands in its namespace."""

    KIND = "Platform"

    kind: Literal["Platform"] = "Platform"
    spec: PlatformSpec
    status: PlatformStatus | None = None


class SiteReference(Model):
    """The StaticSite behind a route. ``uid`` tells a recreated site from the one before."""

    namespace: str = Field(max_length=63)
    name: str = Field(max_length=63)
    uid: str = Field(default="", max_length=63)


class Route(Model):
    """One site on a domain: below ``pathPrefix`` (empty: the root), served from ``root`` on the volume."""

    site: SiteReference
    path_prefix: str = Field(default="", max_length=validation.MAX_PREFIX_LENGTH)
    root: str = Field(max_length=130)


class VirtualHostTLS(Model):
    """The Secret that Traefik serves, and the issuer of its Certificate where we make one for this domain."""

    secret_name: str | None = Field(default=None, max_length=253)
    issuer_ref: IssuerRef | None = None


class VirtualHostSpec(Model):
    """Everything stage two needs to route one domain. No ``tls`` means plain HTTP."""

    domain: Domain
    tls: VirtualHostTLS | None = None
    entry_points: list[ShortText]
    redirect_entry_points: list[ShortText] = []
    service: Service
    routes: list[Route] = Field(min_length=1, max_length=1024)


class RouteStatus(Model):
    """The generated objects of one route."""

    site: SiteReference
    resources: Resources


class VirtualHostStatus(Model):
    """What stage two observed."""

    observed_generation: int | None = None
    conditions: list[Condition] = []
    routes: list[RouteStatus] = []


class VirtualHost(Object):
    """Generated by stage one, named after its domain; nobody edits it."""

    KIND = "VirtualHost"

    kind: Literal["VirtualHost"] = "VirtualHost"
    spec: VirtualHostSpec
    status: VirtualHostStatus | None = None


def canonical_repo(url: str) -> str:
    """One spelling per repository URL: host in lower case, no default port, no final slash; rebuilt from its parts."""
    if url.startswith("/"):
        return f"file://{url}"
    parts = urlsplit(url)
    default_port = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"
