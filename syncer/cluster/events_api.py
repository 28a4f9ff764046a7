"""Kubernetes Events as `kubectl describe` and `kubectl events` show them (core/v1, with a count)."""

from collections.abc import Callable

import httpx2
from lightkube import Client
from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import EventSource, ObjectReference
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Event
from lightkube.types import PatchType

from pages.api import API_VERSION
from pages.conditions import format_time
from syncer.reporting.event_writer import ApiAway, EventNotWritten, Written
from syncer.retries import requested_pause

_NOT_FOUND, _TOO_MANY, _BROKEN = 404, 429, 500
_REPORTER = "pages-syncer"


class ClusterEvents:
    """Writes Events beside the StaticSites that they are about."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, written: Written) -> None:
        """Write a new one. Raises EventNotWritten, ApiAway."""
        about = ObjectReference(
            apiVersion=API_VERSION,
            kind="StaticSite",
            namespace=written.namespace,
            name=written.site_name,
            uid=written.site_uid,
        )
        event = Event(
            metadata=ObjectMeta(name=written.name, namespace=written.namespace),
            involvedObject=about,
            type=written.event.type,
            reason=written.event.reason,
            message=written.event.message,
            firstTimestamp=written.first.replace(microsecond=0),
            lastTimestamp=written.last.replace(microsecond=0),
            count=written.count,
            source=EventSource(component=_REPORTER),
            reportingComponent=_REPORTER,
        )
        if not _sent(lambda: self._client.create(event)):
            raise EventNotWritten("its namespace is gone")

    def count(self, written: Written) -> bool:
        """Raise the count of one that was written; False where it is gone. Raises EventNotWritten, ApiAway."""
        patch = {"count": written.count, "lastTimestamp": format_time(written.last)}
        return _sent(
            lambda: self._client.patch(
                Event, written.name, patch, namespace=written.namespace, patch_type=PatchType.MERGE
            )
        )


def _sent(send: Callable[[], object]) -> bool:
    """Whether what it is about is there."""
    try:
        send()
    except ApiError as error:
        code = error.status.code or 0
        if code == _NOT_FOUND:
            return False
        if code == _TOO_MANY or code >= _BROKEN:
            raise ApiAway(str(error), requested_pause(error)) from error
        raise EventNotWritten(str(error)) from error
    except httpx2.HTTPError as error:
        raise ApiAway(str(error) or type(error).__name__, requested_pause(error)) from error
    return True
