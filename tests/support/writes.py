"""The writes that an API server accepted, by its audit log. A watch does not show writes that change nothing.

Rejected requests do not count, for example those with an outdated resourceVersion.
"""

import json
from http import HTTPStatus
from typing import NamedTuple

from tests.support.control_plane import ControlPlane, Object

_OTHERS = ("staticsites", "certificates/status")


class Write(NamedTuple):
    """One request of a program."""

    verb: str
    kind: str  # plural, with the subresource: virtualhosts/status
    name: str


class Writes:
    """The writes since this object was created or ``forget`` was called, without those of tenants and cert-manager."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._log = cluster.audit_log
        self._start = 0
        self.forget()

    def forget(self) -> None:
        """Start counting again."""
        self._start = self._log.stat().st_size

    def all(self) -> list[Write]:
        """All writes, in order."""
        with self._log.open("rb") as log:
            log.seek(self._start)
            complete = log.read().rpartition(b"\n")[0].splitlines()
        taken = [
            event for event in map(json.loads, complete) if event["responseStatus"]["code"] < HTTPStatus.BAD_REQUEST
        ]
        return [each for each in map(_write, taken) if each.kind not in _OTHERS]


def _write(event: Object) -> Write:
    about = event["objectRef"]
    part = f"/{about['subresource']}" if "subresource" in about else ""
    return Write(event["verb"], about["resource"] + part, about.get("name", ""))
