"""Traefik's objects, as far as its replacement supports them."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

TraefikObject = Mapping[str, Any]  # an IngressRoute or a Middleware, unchecked
SpecT = TypeVar("SpecT", bound=BaseModel)


class UnsupportedObject(ValueError):
    """An object that cannot be routed here; the message starts with its name."""

    def __init__(self, item: TraefikObject, problem: str) -> None:
        meta = item.get("metadata") or {}
        super().__init__(f"{item.get('kind')} {meta.get('namespace')}/{meta.get('name')}: {problem}")


class Strict(BaseModel):
    """Rejects unknown fields."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class StripPrefix(Strict):
    """Removes a prefix from the path."""

    prefixes: list[str]


class AddPrefix(Strict):
    """Adds a prefix to the path."""

    prefix: str


class Headers(Strict):
    """Sets headers of requests."""

    custom_request_headers: dict[str, str] = {}


class RedirectScheme(Strict):
    """Redirects to another scheme."""

    scheme: Literal["http", "https"]
    permanent: bool = False
    port: str = Field(default="", pattern=r"^([1-9][0-9]{0,4})?$")


class Reference(Strict):
    """Names a Middleware."""

    name: str
    namespace: str | None = None


class MiddlewareSpec(Strict):
    """A Middleware, which has exactly one of these."""

    strip_prefix: StripPrefix | None = None
    add_prefix: AddPrefix | None = None
    headers: Headers | None = None
    redirect_scheme: RedirectScheme | None = None


class RuleSpec(Strict):
    """A route of an IngressRoute."""

    match: str
    kind: Literal["Rule"] = "Rule"
    priority: int = 0
    middlewares: list[Reference] = []
    services: list[dict[str, Any]] = []


class IngressRouteSpec(Strict):
    """An IngressRoute."""

    entry_points: list[str] = []
    routes: list[RuleSpec]
    tls: dict[str, Any] | None = None


def key(item: TraefikObject) -> tuple[str, str]:
    """Namespace and name. Raises UnsupportedObject."""
    meta = item.get("metadata") or {}
    if not (meta.get("namespace") and meta.get("name")):
        raise UnsupportedObject(item, "it has no name or no namespace")
    return meta["namespace"], meta["name"]


def spec(item: TraefikObject, model: type[SpecT]) -> SpecT:
    """An object's spec. Raises UnsupportedObject."""
    try:
        return model.model_validate(item.get("spec"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("spec", *first["loc"])))
        raise UnsupportedObject(item, f"{where}: {first['msg']}") from error
