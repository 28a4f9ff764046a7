"""The base classes of our kinds, and a type for each kind of field value."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic.alias_generators import to_camel

from pages import validation

GROUP = "pages.kup6s.com"
VERSION = "v1beta1"
API_VERSION: Literal["pages.kup6s.com/v1beta1"] = "pages.kup6s.com/v1beta1"

# Validation context key: accept file:// URLs and folders as repositories (`pages serve --allow-local`).
ALLOW_LOCAL = "allow_local"
# Annotation of a StaticSite: a new value, such as the current time, requests a sync.
REQUESTED_AT = "pages.kup6s.com/requestedAt"
MAX_REQUEST_LENGTH = 253

# A Kubernetes object as JSON, of any kind and not validated.
Object = dict[str, Any]


class SiteKey(NamedTuple):
    """The namespace and name of a StaticSite. A recreated site has the same key, but another uid."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Model(BaseModel):
    """Base of all models: camel-case JSON names, immutable, unknown fields are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    def dump(self) -> Object:
        """The object as the API server stores it: JSON names, no nulls."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


def _repo(value: str, info: ValidationInfo) -> str:
    local = bool(info.context and info.context.get(ALLOW_LOCAL))
    if local and (value.startswith(("file:///", "/")) and "\n" not in value):
        return value
    return validation.repo(value)


SiteName = Annotated[str, AfterValidator(validation.site_name)]
Repo = Annotated[str, AfterValidator(_repo)]
Branch = Annotated[str, AfterValidator(validation.branch)]
Revision = Annotated[str, AfterValidator(validation.revision)]
RepoPath = Annotated[str, AfterValidator(validation.path)]
PathPrefix = Annotated[str, AfterValidator(validation.path_prefix)]
Domain = Annotated[str, AfterValidator(validation.domain)]
Alias = Annotated[str, AfterValidator(validation.alias)]
DomainPattern = Annotated[str, AfterValidator(validation.domain_pattern)]
SecretName = Annotated[str, AfterValidator(validation.secret_name)]
SecretDataKey = Annotated[str, AfterValidator(validation.secret_key)]
SyncInterval = Annotated[str, AfterValidator(validation.sync_interval)]
ShortText = Annotated[str, Field(min_length=1, max_length=253)]


class ObjectMeta(Model):
    """The metadata that we read. ``uid`` and times are absent in manifests that people write."""

    name: str = Field(max_length=253)
    namespace: str = Field(default="default", max_length=63)
    uid: str = ""
    generation: int = 1
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class CustomResource(Model):
    """An object of one of the kinds of our API group."""

    KIND: ClassVar[str]

    api_version: Literal["pages.kup6s.com/v1beta1"] = API_VERSION
    kind: str
    metadata: ObjectMeta

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.metadata.namespace}/{self.metadata.name}"
