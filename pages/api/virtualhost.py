"""VirtualHost: one domain, its sites and their routes."""

from typing import Literal

from pydantic import Field

from pages import validation
from pages.api.objects import CustomResource, Domain, Model, ShortText, SiteKey
from pages.api.platform import IssuerRef, Service
from pages.api.staticsite import Resources
from pages.conditions import Condition


class SiteReference(Model):
    """The StaticSite of a route. ``uid`` distinguishes a recreated site from its predecessor."""

    namespace: str = Field(max_length=63)
    name: str = Field(max_length=63)
    uid: str = Field(default="", max_length=63)

    @property
    def site_key(self) -> SiteKey:
        """The namespace and name of the site."""
        return SiteKey(self.namespace, self.name)


class RedirectTarget(Model):
    """The domain and path that an alias redirects to."""

    domain: Domain
    path_prefix: str = Field(default="", max_length=validation.MAX_PREFIX_LENGTH)


class Route(Model):
    """One site on a domain, below ``pathPrefix`` (empty: the root), served from the folder ``root`` on the volume.

    With ``redirectTo``, the domain is an alias and serves no files. ``protected``: visitors need a password.
    """

    site: SiteReference
    path_prefix: str = Field(default="", max_length=validation.MAX_PREFIX_LENGTH)
    root: str = Field(max_length=130)
    redirect_to: RedirectTarget | None = None
    protected: bool = Field(default=False, strict=True)


class VirtualHostTLS(Model):
    """The Secret that Traefik uses, and the issuer if this domain has a Certificate of its own."""

    secret_name: str | None = Field(default=None, max_length=253)
    issuer_ref: IssuerRef | None = None


class VirtualHostSpec(Model):
    """Everything that stage two needs to route one domain. Without ``tls``, the domain is served over plain HTTP."""

    domain: Domain
    tls: VirtualHostTLS | None = None
    entry_points: list[ShortText]
    redirect_entry_points: list[ShortText] = Field(default_factory=list)
    service: Service
    routes: list[Route] = Field(min_length=1, max_length=1024)


class RouteStatus(Model):
    """The generated objects of one route."""

    site: SiteReference
    resources: Resources


class VirtualHostStatus(Model):
    """The result of stage two."""

    observed_generation: int | None = None
    conditions: list[Condition] = Field(default_factory=list)
    routes: list[RouteStatus] = Field(default_factory=list)


class VirtualHost(CustomResource):
    """One domain. Stage one generates it and names it after the domain; do not edit it."""

    KIND = "VirtualHost"

    kind: Literal["VirtualHost"] = "VirtualHost"
    spec: VirtualHostSpec
    status: VirtualHostStatus | None = None
