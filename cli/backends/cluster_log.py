"""The log of a site in a cluster: the syncer's own lines for users who may read them, else Events and conditions."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
from lightkube.resources.core_v1 import Event, Pod

from cli.backends import LogSelection, key
from cli.backends.kubernetes_api import KubernetesAPI
from cli.diagnosis.facts import Object, moment, status
from cli.exits import Forbidden
from syncer.stores.kubernetes import STATIC_SITE

LABELS = {"app.kubernetes.io/name": "pages-syncer"}
_CONTAINER = "syncer"
_POLL_SECONDS = 2.0


class _Unavailable(Exception):
    """The syncer's log cannot be read."""


def lines(api: KubernetesAPI, site: Object, selection: LogSelection) -> Iterator[str]:
    """From either source; a line on stderr says if it is not the syncer's log."""
    try:
        yield from _pod_lines(api, site, selection)
    except _Unavailable as error:
        click.echo(f"{error}; showing the Events and conditions of {key(site)} instead.", err=True)
        yield from _event_lines(api, site, selection)


def concerns(line: str, site: str) -> bool:
    """Whether a line of the syncer's log is about the site."""
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and (entry.get("site") == site or site in (entry.get("sites") or []))


def _pod_lines(api: KubernetesAPI, site: Object, selection: LogSelection) -> Iterator[str]:
    try:
        pod = _pod(api)
        since = int(selection.since.total_seconds()) if selection.since else None
        entries = list(_of_site(api, pod, site, since=since))
    except Forbidden:
        raise _Unavailable("You lack permission to read the syncer's log") from None
    yield from selection.last(entries)
    if selection.follow:
        yield from _of_site(api, pod, site, follow=True, tail_lines=0)


def _pod(api: KubernetesAPI) -> Object:
    """A pod of the syncer, preferably one that is running."""
    with api.asking(f"list pods in namespace {api.system}"):
        pods = [each.to_dict() for each in api.client.list(Pod, namespace=api.system, labels=dict(LABELS))]
    if not pods:
        raise _Unavailable(f"There is no pod of the syncer in namespace {api.system}")
    return min(pods, key=lambda each: status(each).get("phase") != "Running")


def _of_site(api: KubernetesAPI, pod: Object, site: Object, **options: Any) -> Iterator[str]:  # noqa: ANN401 - lightkube's
    """The lines about the site."""
    name, containers = pod["metadata"]["name"], [each["name"] for each in pod["spec"]["containers"]]
    container = _CONTAINER if _CONTAINER in containers else containers[0]
    with api.asking(f"read the log of pod {api.system}/{name}"), api.patient() as client:
        for line in client.log(name, namespace=api.system, container=container, newlines=False, **options):
            if concerns(line, key(site)):
                yield line


def _event_lines(api: KubernetesAPI, site: Object, selection: LogSelection) -> Iterator[str]:
    since = (datetime.now(UTC) - selection.since).isoformat() if selection.since else ""
    shown = {line for line in _entries(api, site) if line >= since}
    yield from selection.last(sorted(shown))
    while selection.follow:
        time.sleep(_POLL_SECONDS)
        site = api.get(STATIC_SITE, site["metadata"]["name"], site["metadata"]["namespace"]).object or site
        new = {line for line in _entries(api, site) if line >= since} - shown
        shown |= new
        yield from sorted(new)


def _entries(api: KubernetesAPI, site: Object) -> Iterator[str]:
    for each in status(site).get("conditions", []):
        kind = f"{each['type']}={each['status']} {each['reason']}"
        yield _entry(each.get("lastTransitionTime") or "-", kind, each.get("message"))
    try:
        for event in _events(api, site):
            yield _entry(_time_of(event), f"{event.type} {event.reason}", event.message)
    except click.ClickException as error:
        click.echo(f"Events are not shown: {error}", err=True)


def _events(api: KubernetesAPI, site: Object) -> list[Any]:
    metadata = site["metadata"]
    with api.asking(f"list Events in namespace {metadata['namespace']}"):
        fields = {"involvedObject.name": metadata["name"]}
        events = list(api.client.list(Event, namespace=metadata["namespace"], fields=fields))
    return [each for each in events if each.involvedObject.kind == "StaticSite"]


def _time_of(event: Any) -> str:  # noqa: ANN401 - lightkube's
    at = moment(event.lastTimestamp or event.eventTime or event.firstTimestamp or event.metadata.creationTimestamp)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else "-"


def _entry(at: str, kind: str, message: str | None) -> str:
    return f"{at} {kind}: {(message or '').replace(chr(10), ' ')}"
