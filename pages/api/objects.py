"""What the objects of the group have in common, and the fields that people write, as types."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic.alias_generators import to_camel

from pages import validation

GROUP = "pages.kup6s.com"
VERSION = "v1beta1"
API_VERSION: Literal["pages.kup6s.com/v1beta1"] = "pages.kup6s.com/v1beta1"

# Validation context key: admits file:// URLs and folders as repositories (`pages serve --allow-local`).
ALLOW_LOCAL = "allow_local"
# Annotation of a StaticSite: any new value, such as the time, asks for a sync now.
REQUESTED_AT = "pages.kup6s.com/requestedAt"
MAX_REQUEST_LENGTH = 253


class SiteKey(NamedTuple):
    """Which site: a StaticSite's namespace and name. Another one of the same name is told apart by its uid."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


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
Alias = Annotated[str, _checked(validation.alias)]
DomainPattern = Annotated[str, _checked(validation.domain_pattern)]
SecretName = Annotated[str, _checked(validation.secret_name)]
SecretDataKey = Annotated[str, _checked(validation.secret_key)]
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
