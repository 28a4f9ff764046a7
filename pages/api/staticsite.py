"""StaticSite: the spec that a tenant writes, and the status that the syncer writes."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pages import validation
from pages.api.objects import (
    MAX_REQUEST_LENGTH,
    REQUESTED_AT,
    Alias,
    Branch,
    CustomResource,
    Domain,
    Model,
    PathPrefix,
    Repo,
    RepoPath,
    Revision,
    SecretDataKey,
    SecretName,
    SiteKey,
    SyncInterval,
)
from pages.api.rules import MAX_HEADERS, MAX_REDIRECTS, HeaderRule, KnownRules, Redirect
from pages.conditions import Condition, Timestamp


class TokenRef(Model):
    """A key of a Secret in the namespace of the StaticSite, which holds a token."""

    name: SecretName
    key: SecretDataKey = "password"


class SecretRef(TokenRef):
    """A Secret in the namespace of the StaticSite, which holds a user name and a password or token."""

    username_key: SecretDataKey = "username"


ForgeKind = Literal["forgejo", "gitea", "github", "gitlab"]


class CommitStatus(Model):
    """Reports the result of each commit to the forge. Without a ``secretRef``, it uses the site's own credential."""

    secret_ref: TokenRef | None = None
    forge: ForgeKind | None = None


class UsersRef(Model):
    """A Secret in the namespace of the StaticSite, with an htpasswd file under the key ``users`` or ``auth``."""

    name: SecretName


class BasicAuth(Model):
    """Protects the site with user names and passwords."""

    secret_ref: UsersRef


class StaticSiteSpec(Model):
    """The desired state of a site, written by a tenant."""

    repo: Repo
    branch: Branch = "main"
    revision: Revision | None = None
    path: RepoPath = "/"
    domain: Domain | None = None
    path_prefix: PathPrefix = ""
    secret_ref: SecretRef | None = None
    sync_interval: SyncInterval = "5m"
    commit_status: CommitStatus | None = None
    aliases: list[Alias] = Field(default_factory=list, max_length=validation.MAX_ALIASES)
    redirects: list[Redirect] = Field(default_factory=list, max_length=MAX_REDIRECTS)
    headers: list[HeaderRule] = Field(default_factory=list, max_length=MAX_HEADERS)
    basic_auth: BasicAuth | None = None
    suspend: bool = Field(default=False, strict=True)

    @model_validator(mode="after")
    def _prefix_needs_domain(self) -> Self:
        if self.path_prefix and not self.domain:
            raise ValueError("pathPrefix needs domain; add the domain on which to serve the site")
        return self

    @model_validator(mode="after")
    def _commit_status_needs_a_token(self) -> Self:
        if self.commit_status and not (self.commit_status.secret_ref or self.secret_ref):
            raise ValueError("commitStatus needs secretRef; name the Secret with a token for the forge's API")
        return self

    @model_validator(mode="after")
    def _aliases_are_other_domains(self) -> Self:
        if not self.aliases:
            return self
        if len(set(self.aliases)) < len(self.aliases):
            raise ValueError("aliases must not name a domain twice; remove the duplicate")
        if self.domain in self.aliases:
            raise ValueError("aliases must not name the site's own domain; remove it")
        return self

    @property
    def host(self) -> str | None:
        """The custom domain in lower case, or None."""
        return self.domain.lower() if self.domain else None


class Resources(Model):
    """The generated objects of a site, as ``namespace/name``."""

    ingress_route: str | None = None
    middleware: str | None = None
    strip_middleware: str | None = None
    certificate: str | None = None


class ReleaseStatus(Model):
    """A release that is or was live. ``available``: it is still on the volume, so a rollback to it is immediate."""

    commit: str
    author_date: Timestamp | None = None
    subject: str = ""
    time: Timestamp
    files: int = 0
    bytes: int = 0
    live: bool = False
    available: bool = False


class StaticSiteStatus(Model):
    """The observed state of a site. Only the syncer writes it."""

    observed_generation: int | None = None
    phase: Literal["Pending", "Syncing", "Ready", "Error", "Suspended"] = "Pending"
    message: str = ""
    url: str | None = None
    last_sync: Timestamp | None = None
    last_commit: str | None = None
    last_handled_request: str | None = None
    sync_token: str | None = None
    releases: list[ReleaseStatus] = Field(default_factory=list)
    conditions: list[Condition] = Field(default_factory=list)
    resources: Resources | None = None
    rules: KnownRules = None


class StaticSite(CustomResource):
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
    def site_key(self) -> SiteKey:
        """The site's identity in all maps and on the volume."""
        return SiteKey(self.metadata.namespace, self.metadata.name)

    @property
    def requested_at(self) -> str:
        """The value of the annotation that requests a sync, or an empty string."""
        return self.metadata.annotations.get(REQUESTED_AT, "")[:MAX_REQUEST_LENGTH]
