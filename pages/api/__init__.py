"""The API group ``pages.kup6s.com/v1beta1`` as models: StaticSite, Platform and VirtualHost.

Fields carry their JSON names as aliases. Defaults and limits equal those of ``crds/`` (a test compares them).
Unknown fields are ignored, because the API server prunes them; ``pages.manifests`` rejects them in files.
"""

from pages.api.objects import (
    ALLOW_LOCAL,
    API_VERSION,
    GROUP,
    REQUESTED_AT,
    VERSION,
    CustomResource,
    Model,
    Object,
    ObjectMeta,
    SiteKey,
)
from pages.api.platform import (
    DomainPolicy,
    HeldRemoval,
    IssuerRef,
    Platform,
    PlatformSpec,
    PlatformStatus,
    Rejection,
    Service,
)
from pages.api.repositories import canonical_repo
from pages.api.rules import HeaderRule, Problem, Redirect, SiteRules
from pages.api.staticsite import (
    CommitStatus,
    ForgeKind,
    ReleaseStatus,
    Resources,
    SecretRef,
    StaticSite,
    StaticSiteSpec,
    StaticSiteStatus,
    TokenRef,
)
from pages.api.virtualhost import (
    RedirectTarget,
    Route,
    RouteStatus,
    SiteReference,
    VirtualHost,
    VirtualHostSpec,
    VirtualHostTLS,
)

__all__ = [
    "ALLOW_LOCAL",
    "API_VERSION",
    "GROUP",
    "REQUESTED_AT",
    "VERSION",
    "CommitStatus",
    "CustomResource",
    "DomainPolicy",
    "ForgeKind",
    "HeaderRule",
    "HeldRemoval",
    "IssuerRef",
    "Model",
    "Object",
    "ObjectMeta",
    "Platform",
    "PlatformSpec",
    "PlatformStatus",
    "Problem",
    "Redirect",
    "RedirectTarget",
    "Rejection",
    "ReleaseStatus",
    "Resources",
    "Route",
    "RouteStatus",
    "SecretRef",
    "Service",
    "SiteKey",
    "SiteReference",
    "SiteRules",
    "StaticSite",
    "StaticSiteSpec",
    "StaticSiteStatus",
    "TokenRef",
    "VirtualHost",
    "VirtualHostSpec",
    "VirtualHostTLS",
    "canonical_repo",
]
