"""The facts about a whole installation: plain values, for ``installation.examine`` to judge."""

from dataclasses import dataclass, field
from datetime import datetime

from cli.diagnosis.facts import HIDDEN, Lookup, Object, oldest


@dataclass(frozen=True)
class Right:
    """A permission that a ServiceAccount needs; ``allowed`` is None where we lack permission to ask."""

    account: str
    verb: str
    resource: str  # staticsites.pages.kup6s.com, or with a subresource staticsites/status.pages.kup6s.com
    namespace: str = ""
    allowed: bool | None = None


@dataclass(frozen=True)
class Installation:
    """Lists are None where we lack permission to view them."""

    system: str
    now: datetime
    kinds: dict[str, Lookup] = field(default_factory=dict)  # CRDs by name
    controllers: dict[str, Lookup] = field(default_factory=dict)  # CompositeControllers by name
    rights: tuple[Right, ...] = ()
    platforms: list[Object] | None = None
    issuer: Lookup = HIDDEN
    deployments: list[Object] | None = None
    claims: list[Object] | None = None  # PersistentVolumeClaims of the system namespace
    services: list[Object] | None = None  # of Traefik, in any namespace
    lease: Lookup = HIDDEN
    wildcard: tuple[str, ...] | None = None  # addresses of names below pagesDomain; None where not resolved
    webhook: tuple[str, ...] | None = None

    @property
    def platform(self) -> Object | None:
        """The Platform that is used."""
        return oldest(self.platforms or [])

    @property
    def platform_spec(self) -> Object:
        """Its spec; empty without a Platform."""
        return (self.platform or {}).get("spec") or {}

    @property
    def platform_tls(self) -> Object:
        """Its spec.tls; empty without one."""
        return self.platform_spec.get("tls") or {}
