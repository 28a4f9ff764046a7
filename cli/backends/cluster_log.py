"""What happened with a site in a cluster: the syncer's own lines for who may read them, else Events and conditions."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from lightkube import ApiError
from lightkube.resources.core_v1 import Event, Pod

from cli.backends import LogWanted, key
from cli.diagnosis.facts import Object, moment, status
from cli.exits import Forbidden

if TYPE_CHECKING:
    from cli.backends.cluster import Cluster

LABELS = {"app.kubernetes.io/name": "pages-syncer"}
_CONTAINER = "syncer"
_LOOK_SECONDS = 2.0


def lines(cluster: "Cluster", site: Object, wanted: LogWanted) -> Iterator[str]:
    """One way or the other; which one is said on stderr."""
    try:
        yield from _pod_lines(cluster, site, wanted)
    except _NotOurs as error:
        click.echo(f"{error}: these are the Events and conditions of {key(site)}.", err=True)
        yield from _events(cluster, site, wanted)


class _NotOurs(Exception):
    """The syncer's log cannot be read by us."""


def concerns(line: str, site: str) -> bool:
    """Whether a line of the syncer's log is about the site."""
    try:
        told = json.loads(line)
    except ValueError:
        return False
    return isinstance(told, dict) and (told.get("site") == site or site in (told.get("sites") or []))


def _pod_lines(cluster: "Cluster", site: Object, wanted: LogWanted) -> Iterator[str]:
    try:
        pod = _pod(cluster)
        since = int(wanted.since.total_seconds()) if wanted.since else None
        known = list(_of_site(cluster, pod, site, since=since))
    except Forbidden:
        raise _NotOurs("The log of the syncer is not yours to read") from None
    yield from known if wanted.tail is None else known[max(0, len(known) - wanted.tail) :]
    if wanted.follow:
        yield from _of_site(cluster, pod, site, follow=True, tail_lines=0)


def _pod(cluster: "Cluster") -> Object:
    """The syncer's pod, one that runs before any other."""
    with cluster.asking(f"list pods in namespace {cluster.system}"):
        found = [each.to_dict() for each in cluster.client.list(Pod, namespace=cluster.system, labels=dict(LABELS))]
    if not found:
        raise _NotOurs(f"There is no pod of the syncer in namespace {cluster.system}")
    return min(found, key=lambda each: status(each).get("phase") != "Running")


def _of_site(cluster: "Cluster", pod: Object, site: Object, **which: Any) -> Iterator[str]:  # noqa: ANN401 - lightkube's
    """The lines about the site, without their ends."""
    name, containers = pod["metadata"]["name"], [each["name"] for each in pod["spec"]["containers"]]
    container = _CONTAINER if _CONTAINER in containers else containers[0]
    with cluster.asking(f"read the log of pod {cluster.system}/{name}"), cluster.patient() as client:
        for line in client.log(name, namespace=cluster.system, container=container, newlines=False, **which):
            if concerns(line, key(site)):
                yield line


def _events(cluster: "Cluster", site: Object, wanted: LogWanted) -> Iterator[str]:
    shown: set[str] = set()
    while True:
        told = sorted(_told(cluster, site))
        if wanted.since:
            begin = (datetime.now(UTC) - wanted.since).isoformat()
            told = [line for line in told if line >= begin]
        new = [line for line in told if line not in shown]
        if wanted.tail is not None and not shown:
            shown.update(new)
            new = new[len(new) - min(len(new), wanted.tail) :]
        shown.update(new)
        yield from new
        if not wanted.follow:
            return
        time.sleep(_LOOK_SECONDS)
        site = cluster.site(site["metadata"]["namespace"], site["metadata"]["name"]) or site


def _told(cluster: "Cluster", site: Object) -> Iterator[str]:
    for each in status(site).get("conditions", []):
        text = (each.get("message") or "").replace("\n", " ")
        yield f"{each.get('lastTransitionTime') or '-'} {each['type']}={each['status']} {each['reason']}: {text}"
    metadata = site["metadata"]
    try:
        with cluster.asking(f"list Events in namespace {metadata['namespace']}"):
            found = cluster.client.list(
                Event, namespace=metadata["namespace"], fields={"involvedObject.name": metadata["name"]}
            )
            events = [each for each in found if each.involvedObject.kind == "StaticSite"]
    except (click.ClickException, ApiError) as error:
        click.echo(f"No Events: {error}", err=True)
        return
    for event in events:
        at = moment(event.lastTimestamp or event.eventTime or event.firstTimestamp or event.metadata.creationTimestamp)
        text = (event.message or "").replace("\n", " ")
        yield f"{at.strftime('%Y-%m-%dT%H:%M:%SZ') if at else '-'} {event.type} {event.reason}: {text}"
