"""What is known of a site and of everything on its way to a visitor: plain values, for `pages why` to judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """An object that was looked for: there, not there, or (``hidden``) not ours to see."""

    object: Object | None = None
    hidden: bool = False

    @property
    def missing(self) -> bool:
        """We may see it, and it is not there."""
        return self.object is None and not self.hidden


HIDDEN = Seen(hidden=True)


@dataclass(frozen=True)
class Answer:
    """What became of one HTTP request. ``problem`` is dns, connect, tls or http where there was no answer."""

    url: str
    addresses: tuple[str, ...] = ()
    platform_addresses: tuple[str, ...] = ()  # where the names below pagesDomain lead
    problem: str = ""
    detail: str = ""
    certificate: str = ""  # of problem tls: expired, name, default, untrusted
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Facts:
    """Everything that was found. ``served`` is None in a cluster, else whether `pages serve` runs."""

    site: Object
    now: datetime
    system: str = "kup6s-pages"
    served: bool | None = None
    lease: Seen = HIDDEN
    platform: Seen = HIDDEN
    host: Seen = HIDDEN
    generated: tuple[tuple[Object, Seen], ...] = ()  # what Traefik should have of the site, and what it has
    certificate: Seen = HIDDEN
    issuer: Seen = HIDDEN
    issuing: tuple[str, ...] = ()  # what cert-manager says of the order, latest last
    secret: Seen = HIDDEN
    has_index: bool | None = None  # of the live release; None where it cannot be looked at
    answer: Answer | None = None

    @property
    def name(self) -> str:
        """``namespace/name``."""
        return f"{self.site['metadata']['namespace']}/{self.site['metadata']['name']}"


def status(found: Object | None) -> Object:
    """An object's status, or an empty one."""
    return (found or {}).get("status") or {}


def condition(found: Object | None, type_: str) -> Object:
    """A condition of an object, or an empty one."""
    return next((each for each in status(found).get("conditions", []) if each.get("type") == type_), {})


def moment(text: object) -> datetime | None:
    """A time of the API."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
