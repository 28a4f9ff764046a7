"""Metacontroller's part on one machine: asks the hooks what there should be and takes it for made.

Objects are as the API has them, in plain dicts. Both stages are asked once for what they want and once more with that
in place, because their status speaks of the objects that exist.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hooks import platform as stage_one
from hooks import virtualhost as stage_two
from hooks.payload import CERTIFICATE, INGRESS_ROUTE, MIDDLEWARE, NAMESPACE, STATIC_SITE, VIRTUAL_HOST
from hooks.site_reader import SiteReader
from pages.api import Object

_RELATED = (STATIC_SITE, NAMESPACE)


@dataclass(frozen=True)
class Reconciled:
    """What there is now: the Platform's status, the VirtualHosts with theirs, and all other generated objects."""

    platform_status: Object
    virtual_hosts: list[Object]
    objects: list[Object]


def reconcile(
    platform: Object,
    sites: Sequence[Object],
    namespaces: Sequence[Object],
    observed: Sequence[Object],
    *,
    now: datetime,
    allow_local: bool = False,
) -> Reconciled:
    """Ask both stages. ``observed`` are the VirtualHosts of the last time, whose domains their sites keep."""
    ask = partial(_ask_stage_one, related=_by_kind([*sites, *namespaces], *_RELATED), now=now, allow_local=allow_local)
    namespace = platform["metadata"]["namespace"]
    first = ask(platform, observed)
    children = [_in_namespace(child, namespace) for child in first["children"]]
    before = {host["metadata"]["name"]: host for host in observed}
    hosts, objects = [], [child for child in children if child["kind"] != "VirtualHost"]
    for child in children:
        if child["kind"] == "VirtualHost":
            host, made = _reconcile_host(child, before.get(child["metadata"]["name"]), now)
            hosts.append(host)
            objects += made
    settled = ask(platform | {"status": first["status"]}, children)
    return Reconciled(settled["status"], hosts, objects)


def _ask_stage_one(
    platform: Object, children: Sequence[Object], *, related: Object, now: datetime, allow_local: bool
) -> Object:
    request = {
        "controller": {},
        "parent": platform,
        "children": _by_kind(children, VIRTUAL_HOST, CERTIFICATE),
        "related": related,
        "finalizing": False,
    }
    # No removal is held back: it is the person at the keyboard who deleted the manifests.
    return stage_one.sync(request, now=now, hold=timedelta(0), reader=SiteReader(allow_local=allow_local))


def _reconcile_host(host: Object, before: Object | None, now: datetime) -> tuple[Object, list[Object]]:
    namespace = host["metadata"]["namespace"]
    generation = 1
    if before:
        generation = before["metadata"].get("generation", 1) + (before["spec"] != host["spec"])
        host = host | {"status": before.get("status", {})}
    host = host | {"metadata": host["metadata"] | {"generation": generation}}
    made = [_in_namespace(child, namespace) for child in _ask_stage_two(host, [], now)["children"]]
    return host | {"status": _ask_stage_two(host, made, now)["status"]}, made


def _ask_stage_two(host: Object, children: Sequence[Object], now: datetime) -> Object:
    request = {
        "controller": {},
        "parent": host,
        "children": _by_kind(children, CERTIFICATE, INGRESS_ROUTE, MIDDLEWARE),
        "related": {},
        "finalizing": False,
    }
    return stage_two.sync(request, now=now)


def _in_namespace(child: Mapping[str, Any], namespace: str) -> Object:
    return {**child, "metadata": {"namespace": namespace, **child["metadata"]}}


def _by_kind(objects: Iterable[Object], *kinds: str) -> dict[str, dict[str, Object]]:
    """``{"Kind.group/version": {"namespace/name": object}}``, as hook version v2 has them; the kinds always there."""
    grouped: dict[str, dict[str, Object]] = {kind: {} for kind in kinds}
    for each in objects:
        metadata = each["metadata"]
        name = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
        grouped.setdefault(f"{each['kind']}.{each['apiVersion']}", {})[name] = each
    return grouped
