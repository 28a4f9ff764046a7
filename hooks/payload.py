"""The requests that Metacontroller sends (hook version v2). Only the fields that we use are required.

::

    {"parent": {…}, "children": {"VirtualHost.pages.kup6s.com/v1beta1": {"namespace/name": {…}}}, "related": {…}}
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypedDict

import msgspec
from pydantic import ValidationError

from pages.api import Object
from pages.conditions import Condition

VIRTUAL_HOST = "VirtualHost.pages.kup6s.com/v1beta1"
STATIC_SITE = "StaticSite.pages.kup6s.com/v1beta1"
NAMESPACE = "Namespace.v1"
CERTIFICATE = "Certificate.cert-manager.io/v1"
INGRESS_ROUTE = "IngressRoute.traefik.io/v1alpha1"
MIDDLEWARE = "Middleware.traefik.io/v1alpha1"


class NotAHookRequest(ValueError):
    """The request does not come from Metacontroller; the text says what is missing."""


class _Metadata(TypedDict, total=False):
    """The fields that we use. Others are not decoded: ``managedFields`` alone would double the memory of a request."""

    name: Any
    namespace: Any
    uid: Any
    generation: Any
    labels: Any
    creationTimestamp: Any
    deletionTimestamp: Any


class _Object(TypedDict, total=False):
    apiVersion: Any
    kind: Any
    metadata: _Metadata
    spec: Any
    status: Any


class _Request(TypedDict, total=False):
    parent: _Object
    children: dict[str, dict[str, _Object]]
    related: dict[str, dict[str, _Object]]


_DECODER = msgspec.json.Decoder(_Request)


def decode(body: bytes) -> Mapping[str, Any]:
    """Decode the fields of a request that we use. Raises NotAHookRequest."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotAHookRequest(f"the body is not a request of Metacontroller: {error}") from error


def parent(request: object, kind: str) -> Object:
    """The parent object, which must be of that kind. Raises NotAHookRequest."""
    if not isinstance(request, Mapping):
        raise NotAHookRequest("the body must be a JSON object")
    parent_object = request.get("parent")
    if not isinstance(parent_object, dict):
        raise NotAHookRequest("the parent must be an object")
    if parent_object.get("kind") != kind:
        raise NotAHookRequest(f"the parent must be a {kind}, not {parent_object.get('kind')!r}")
    metadata = parent_object.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise NotAHookRequest("the parent has no metadata.name")
    return parent_object


def objects(request: Mapping[str, Any], field: str, kind: str) -> list[Object]:
    """The children or related objects of a kind, sorted by name. Raises NotAHookRequest.

    Entries that are not objects are skipped. A missing or malformed field is an error: if we treated it as empty, we
    would answer with too few children, and Metacontroller would delete the others.
    """
    groups = request.get(field)
    if not isinstance(groups, Mapping):
        raise NotAHookRequest(f"{field} must be an object")
    group = groups.get(kind) or {}
    if not isinstance(group, Mapping):
        raise NotAHookRequest(f"{field}.{kind} must be an object")
    return [group[name] for name in sorted(group) if isinstance(group[name], dict)]


def metadata(object_: Mapping[str, Any]) -> Object:
    """The metadata of an object, or an empty dictionary."""
    value = object_.get("metadata")
    return value if isinstance(value, dict) else {}


def spec(object_: Mapping[str, Any]) -> Object:
    """The spec of an object, or an empty dictionary."""
    value = object_.get("spec")
    return value if isinstance(value, dict) else {}


def status(object_: Mapping[str, Any]) -> Object:
    """The status of an object, or an empty dictionary."""
    value = object_.get("status")
    return value if isinstance(value, dict) else {}


def conditions(object_: Mapping[str, Any]) -> list[Condition]:
    """The well-formed conditions in the status of an object."""
    values = status(object_).get("conditions")
    well_formed = []
    for each in values if isinstance(values, list) else []:
        with suppress(ValidationError):
            well_formed.append(Condition.model_validate(each))
    return well_formed


def bare(observed: Mapping[str, Any]) -> Object:
    """An observed object as a child in our answer, without the fields that the API server and controllers add."""
    kept = {key: metadata(observed)[key] for key in ("name", "namespace", "labels") if key in metadata(observed)}
    return {
        "apiVersion": observed.get("apiVersion"),
        "kind": observed.get("kind"),
        "metadata": kept,
        "spec": spec(observed),
    }
