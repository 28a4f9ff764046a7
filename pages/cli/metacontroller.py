"""Metacontroller's part on one machine: asks the hooks what there should be and takes it for made.

Objects are as the API has them, in plain dicts. Both stages are asked once for what they want and once more with that
in place, because their status speaks of the objects that exist.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hooks import platform as stage_one
from hooks import virtualhost as stage_two

Object = dict[str, Any]


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
) -> Reconciled:
    """Ask both stages. ``observed`` are the VirtualHosts of the last time, whose domains their sites keep."""
    namespace = platform["metadata"]["namespace"]
    related = _by_kind([*sites, *namespaces])
    first = _ask_stage_one(platform, observed, related, now)
    # A removal is always meant here: it is the person at the keyboard who deleted the manifests.
    children = [_in_namespace(child, namespace) for child in first["children"]]
    before = {host["metadata"]["name"]: host for host in observed}
    hosts, objects = [], [child for child in children if child["kind"] != "VirtualHost"]
    for child in children:
        if child["kind"] == "VirtualHost":
            host, made = _reconcile_host(child, before.get(child["metadata"]["name"]), now)
            hosts.append(host)
            objects += made
    settled = _ask_stage_one(platform | {"status": first["status"]}, children, related, now)
    return Reconciled(settled["status"], hosts, objects)


def _ask_stage_one(platform: Object, children: Sequence[Object], related: Object, now: datetime) -> Object:
    request = {
        "controller": {},
        "parent": platform,
        "children": _by_kind(children, "VirtualHost.pages.kup6s.com/v1beta1", "Certificate.cert-manager.io/v1"),
        "related": related,
        "finalizing": False,
    }
    return stage_one.sync(request, now=now, hold=timedelta(0))


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
    kinds = (
        "Certificate.cert-manager.io/v1",
        "IngressRoute.traefik.io/v1alpha1",
        "Middleware.traefik.io/v1alpha1",
    )
    request = {
        "controller": {},
        "parent": host,
        "children": _by_kind(children, *kinds),
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
