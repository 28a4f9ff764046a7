"""Metacontroller's part on one machine: calls the hooks, and treats the desired objects as created.

Objects are plain dicts, as the API has them. Each stage is called once for its desired objects and once more with these
as existing objects, because its status describes what exists.
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
    """The result: the Platform's status, the VirtualHosts with theirs, and all other generated objects."""

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
    reader: SiteReader | None = None,
) -> Reconciled:
    """Call both stages. ``observed`` are the VirtualHosts of the previous call, whose sites keep their domains.

    A caller that reconciles again and again passes the same ``reader``, which validates only the changed sites.
    """
    related = _by_kind([*sites, *namespaces], *_RELATED)
    ask = partial(_ask_stage_one, related=related, now=now, reader=reader or SiteReader())
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
    platform: Object, children: Sequence[Object], *, related: Object, now: datetime, reader: SiteReader
) -> Object:
    request = {
        "controller": {},
        "parent": platform,
        "children": _by_kind(children, VIRTUAL_HOST, CERTIFICATE),
        "related": related,
        "finalizing": False,
    }
    # Removals are not held back, because the user has deleted the manifests on this machine.
    return stage_one.sync(request, now=now, hold=timedelta(0), reader=reader)


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
    """``{"Kind.group/version": {"namespace/name": object}}``, as in hook version v2; these kinds are always present."""
    grouped: dict[str, dict[str, Object]] = {kind: {} for kind in kinds}
    for each in objects:
        metadata = each["metadata"]
        name = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
        grouped.setdefault(f"{each['kind']}.{each['apiVersion']}", {})[name] = each
    return grouped
