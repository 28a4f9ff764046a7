"""The facts about a site and everything between it and its visitors: plain values, for `pages why` to judge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]  # a Kubernetes object, or a part of one, as the API has it


@dataclass(frozen=True)
class Lookup:
    """The result of getting an object: it exists, it is ``missing``, or (``hidden``) we lack permission to view it."""

    object: Object | None = None
    hidden: bool = False

    @property
    def missing(self) -> bool:
        """We have permission to view it, and it does not exist."""
        return self.object is None and not self.hidden


HIDDEN = Lookup(hidden=True)


@dataclass(frozen=True)
class Condition:
    """A condition of an object; all fields are empty where the object has none of that type."""

    status: str = ""
    reason: str = ""
    message: str = ""
    since: datetime | None = None
    observed_generation: int | None = None

    @property
    def is_true(self) -> bool:
        """Whether the status is True."""
        return self.status == "True"

    @property
    def is_false(self) -> bool:
        """Whether the status is False, not Unknown."""
        return self.status == "False"

    @property
    def is_decided(self) -> bool:
        """Whether the status is True or False."""
        return self.is_true or self.is_false


@dataclass(frozen=True)
class Response:
    """The result of one HTTP request. ``problem`` is dns, connect, tls or http where there was no response."""

    url: str
    addresses: tuple[str, ...] = ()
    platform_addresses: tuple[str, ...] = ()  # of the names below pagesDomain
    problem: str = ""
    detail: str = ""
    certificate: str = ""  # with problem tls: expired, name, default or untrusted
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)  # by name in lower case
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Facts:
    """Everything known about a site. ``served`` is None in a cluster, else whether `pages serve` is running."""

    site: Object
    now: datetime
    system: str = "kup6s-pages"
    served: bool | None = None
    lease: Lookup = HIDDEN
    platform: Lookup = HIDDEN
    host: Lookup = HIDDEN
    generated: tuple[tuple[Object, Lookup], ...] = ()  # the objects that Traefik should have, each with what exists
    certificate: Lookup = HIDDEN
    issuer: Lookup = HIDDEN
    issuing: tuple[str, ...] = ()  # cert-manager's messages about the order, the latest last
    secret: Lookup = HIDDEN
    has_index: bool | None = None  # of the live release; None where its files cannot be read
    response: Response | None = None

    @property
    def name(self) -> str:
        """``namespace/name``."""
        return f"{self.site['metadata']['namespace']}/{self.site['metadata']['name']}"


def status(item: Object | None) -> Object:
    """An object's status, or an empty one."""
    return (item or {}).get("status") or {}


def condition(item: Object | None, type_: str) -> Condition:
    """The object's condition of this type, or an empty one."""
    conditions: list[Object] = status(item).get("conditions") or []
    raw = next((each for each in conditions if each.get("type") == type_), Object())
    return Condition(
        raw.get("status", ""),
        raw.get("reason", ""),
        raw.get("message", ""),
        moment(raw.get("lastTransitionTime")),
        raw.get("observedGeneration"),
    )


def moment(text: object) -> datetime | None:
    """A time as the API writes it."""
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def oldest(platforms: Iterable[Object]) -> Object | None:
    """The Platform that the syncer uses, where there are several."""
    return min(platforms, key=_age, default=None)


def _age(item: Object) -> tuple[str, str]:
    return str(item["metadata"].get("creationTimestamp") or ""), str(item["metadata"].get("uid") or "")
