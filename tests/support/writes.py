"""What has been written at an API server, by its audit log: also what changed nothing, which no watch tells of.

What the server refused, such as a change of an object that has changed meanwhile, is not written.
"""

import json
from http import HTTPStatus
from typing import NamedTuple

from tests.support.control_plane import ControlPlane, Object

_OTHERS = ("staticsites", "certificates/status")


class Write(NamedTuple):
    """One request of a program."""

    verb: str
    kind: str  # in the plural, with the part: virtualhosts/status
    name: str


class Writes:
    """What was written since this was made or ``forget`` was called, but for what tenants and cert-manager write."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._log = cluster.audit_log
        self._start = 0
        self.forget()

    def forget(self) -> None:
        """Begin again."""
        self._start = self._log.stat().st_size

    def all(self) -> list[Write]:
        """Each of them, in their order."""
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
