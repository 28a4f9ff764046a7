"""Kubernetes Events as `kubectl describe` and `kubectl events` show them (core/v1, with a count)."""

from http import HTTPStatus

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

_REPORTER = "pages-syncer"


class ClusterEvents:
    """Writes Events beside the StaticSites that they are about."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, written: Written) -> None:
        """Write a new Event. Raises EventNotWritten, ApiAway."""
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
        try:
            self._client.create(event)
        except httpx2.HTTPError as error:
            if _is_not_found(error):
                raise EventNotWritten("its namespace is gone") from error
            raise _explain(error) from error

    def count(self, written: Written) -> bool:
        """Raise the count of an Event that was written; False if it is gone. Raises EventNotWritten, ApiAway."""
        patch = {"count": written.count, "lastTimestamp": format_time(written.last)}
        try:
            self._client.patch(Event, written.name, patch, namespace=written.namespace, patch_type=PatchType.MERGE)
        except httpx2.HTTPError as error:
            if _is_not_found(error):
                return False
            raise _explain(error) from error
        return True


def _is_not_found(error: httpx2.HTTPError) -> bool:
    return isinstance(error, ApiError) and error.status.code == HTTPStatus.NOT_FOUND


def _explain(error: httpx2.HTTPError) -> ApiAway | EventNotWritten:
    if isinstance(error, ApiError):
        code = error.status.code or 0
        if code != HTTPStatus.TOO_MANY_REQUESTS and code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return EventNotWritten(str(error))
    return ApiAway(str(error) or type(error).__name__, requested_pause(error))
