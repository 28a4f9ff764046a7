"""What Metacontroller sends (hook version v2), read leniently: only what we use has to be there.

::

    {"parent": {…}, "children": {"VirtualHost.pages.kup6s.com/v1beta1": {"namespace/name": {…}}}, "related": {…}}
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypedDict

import msgspec
from pydantic import ValidationError

from pages.conditions import Condition

Object = dict[str, Any]

VIRTUAL_HOST = "VirtualHost.pages.kup6s.com/v1beta1"
STATIC_SITE = "StaticSite.pages.kup6s.com/v1beta1"
NAMESPACE = "Namespace.v1"
CERTIFICATE = "Certificate.cert-manager.io/v1"
INGRESS_ROUTE = "IngressRoute.traefik.io/v1alpha1"
MIDDLEWARE = "Middleware.traefik.io/v1alpha1"


class NotAHookRequest(ValueError):
    """The request is not what Metacontroller sends; the text says what is missing."""


class _Metadata(TypedDict, total=False):
    """What we use of it: ``managedFields`` alone would be most of a request's memory."""

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
    """What of a request's body we use. Raises NotAHookRequest."""
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotAHookRequest(f"the body is not what Metacontroller sends: {error}") from error


def parent(request: object, kind: str) -> Object:
    """The parent object, which has to be of that kind."""
    if not isinstance(request, Mapping):
        raise NotAHookRequest("a hook request is a JSON object")
    found = request.get("parent")
    if not isinstance(found, dict):
        raise NotAHookRequest("a hook request has an object as its parent")
    if found.get("kind") != kind:
        raise NotAHookRequest(f"the parent must be a {kind}, not {found.get('kind')!r}")
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise NotAHookRequest("the parent has no metadata.name")
    return found


def objects(request: Mapping[str, Any], field: str, kind: str) -> list[Object]:
    """The children or related objects of a kind, in the order of their names.

    What is no object is passed over; a field that is not there, or is no mapping, makes it no hook request: to take
    it for empty would be to answer with too few children.
    """
    groups = request.get(field)
    if not isinstance(groups, Mapping):
        raise NotAHookRequest(f"a hook request has an object as its {field}")
    group = groups.get(kind) or {}
    if not isinstance(group, Mapping):
        raise NotAHookRequest(f"{field}.{kind} must be an object of objects")
    return [group[name] for name in sorted(group) if isinstance(group[name], dict)]


def metadata(found: Mapping[str, Any]) -> Object:
    """An object's metadata; empty where there is none."""
    given = found.get("metadata")
    return given if isinstance(given, dict) else {}


def spec(found: Mapping[str, Any]) -> Object:
    """An object's spec; empty where there is none."""
    given = found.get("spec")
    return given if isinstance(given, dict) else {}


def status(found: Mapping[str, Any]) -> Object:
    """An object's status; empty where there is none."""
    given = found.get("status")
    return given if isinstance(given, dict) else {}


def conditions(found: Mapping[str, Any]) -> list[Condition]:
    """The conditions of an object's status, those that are well-formed."""
    given = status(found).get("conditions")
    well_formed = []
    for each in given if isinstance(given, list) else []:
        with suppress(ValidationError):
            well_formed.append(Condition.model_validate(each))
    return well_formed


def bare(found: Mapping[str, Any]) -> Object:
    """An observed object as we would answer it: without what the API server and other controllers added."""
    kept = {key: metadata(found)[key] for key in ("name", "namespace", "labels") if key in metadata(found)}
    return {"apiVersion": found.get("apiVersion"), "kind": found.get("kind"), "metadata": kept, "spec": spec(found)}
