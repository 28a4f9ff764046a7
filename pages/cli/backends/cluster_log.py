"""What happened with a site in a cluster: the syncer's own lines for who may read them, else Events and conditions."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from lightkube import ApiError
from lightkube.resources.core_v1 import Event, Pod

from pages.cli.backends import LogWanted, key
from pages.cli.backends.facts import Object, moment, status

if TYPE_CHECKING:
    from pages.cli.backends.cluster import Cluster

LABELS = {"app.kubernetes.io/name": "pages-syncer"}
_CONTAINER = "syncer"
_LOOK_SECONDS = 2.0


def lines(cluster: "Cluster", site: Object, wanted: LogWanted) -> Iterator[str]:
    """One way or the other; which one is said on stderr."""
    pod = _pod(cluster)
    if pod is None:
        click.echo(
            f"The log of the syncer is not yours to read: these are the Events and conditions of {key(site)}.", err=True
        )
        return _events(cluster, site, wanted)
    return _pod_lines(cluster, pod, site, wanted)


def concerns(line: str, site: str) -> bool:
    """Whether a line of the syncer's log is about the site."""
    try:
        told = json.loads(line)
    except ValueError:
        return False
    return isinstance(told, dict) and (told.get("site") == site or site in (told.get("sites") or []))


def _pod(cluster: "Cluster") -> Object | None:
    """The syncer's pod, one that runs before any other."""
    try:
        with cluster.asking("list pods"):
            found = [each.to_dict() for each in cluster.client.list(Pod, namespace=cluster.system, labels=dict(LABELS))]
    except click.ClickException:
        return None
    return min(found, key=lambda each: status(each).get("phase") != "Running", default=None)


def _pod_lines(cluster: "Cluster", pod: Object, site: Object, wanted: LogWanted) -> Iterator[str]:
    containers = [each["name"] for each in pod["spec"]["containers"]]
    with cluster.asking(f"read the log of pod {cluster.system}/{pod['metadata']['name']}"):
        found = cluster.client.log(
            pod["metadata"]["name"],
            namespace=cluster.system,
            container=_CONTAINER if _CONTAINER in containers else containers[0],
            follow=wanted.follow,
            since=int(wanted.since.total_seconds()) if wanted.since else None,
            newlines=False,
        )
        mine = (line for line in found if concerns(line, key(site)))
        if wanted.tail is None or wanted.follow:
            yield from mine
        else:
            yield from list(mine)[-wanted.tail :] if wanted.tail else []


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
