"""What a look at the whole platform has found: plain values, for ``examine`` to judge."""

from dataclasses import dataclass, field
from datetime import datetime

from cli.diagnosis.facts import HIDDEN, Object, Seen


@dataclass(frozen=True)
class Right:
    """One thing that a ServiceAccount has to be allowed; ``allowed`` is None where we may not ask."""

    account: str
    verb: str
    resource: str  # staticsites.pages.kup6s.com, or with a subresource staticsites/status.pages.kup6s.com
    namespace: str = ""
    allowed: bool | None = None


@dataclass(frozen=True)
class Found:
    """Lists are None where they are hidden from us."""

    system: str
    now: datetime
    kinds: dict[str, Seen] = field(default_factory=dict)  # CRDs by name
    controllers: dict[str, Seen] = field(default_factory=dict)  # CompositeControllers by name
    rights: tuple[Right, ...] = ()
    platforms: list[Object] | None = None
    issuer: Seen = HIDDEN
    deployments: list[Object] | None = None
    claims: list[Object] | None = None  # PersistentVolumeClaims of the system namespace
    services: list[Object] | None = None  # of Traefik, anywhere
    lease: Seen = HIDDEN
    wildcard: tuple[str, ...] | None = None  # where names below pagesDomain lead; None: not looked at
    webhook: tuple[str, ...] | None = None
