"""The facts about an installation in a cluster."""

from dataclasses import replace
from datetime import UTC, datetime

import click
from lightkube import ApiError
from lightkube.generic_resource import create_global_resource
from lightkube.models.authorization_v1 import ResourceAttributes, SubjectAccessReviewSpec
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.authorization_v1 import SubjectAccessReview
from lightkube.resources.core_v1 import PersistentVolumeClaim, Service

from cli.backends.cluster_facts import LEASE, LEASE_NAME, issuer_of
from cli.backends.kubernetes_api import KubernetesAPI
from cli.backends.visit import resolve
from cli.diagnosis.facts import HIDDEN, Object
from cli.diagnosis.installation_facts import Installation, Right
from syncer.stores.kubernetes import PLATFORM

OURS = ("staticsites.pages.kup6s.com", "platforms.pages.kup6s.com", "virtualhosts.pages.kup6s.com")
METACONTROLLER = "compositecontrollers.metacontroller.k8s.io"
TRAEFIK = ("ingressroutes.traefik.io", "middlewares.traefik.io")
CERT_MANAGER = ("certificates.cert-manager.io",)
CONTROLLERS = ("pages-platform", "pages-virtualhost")
_COMPOSITE = create_global_resource("metacontroller.k8s.io", "v1alpha1", "CompositeController", "compositecontrollers")
_PROBE = "pages-doctor"  # no site is likely to have this name


def look(api: KubernetesAPI) -> Installation:
    """Each fact on its own: one that is hidden or missing does not affect the others."""
    crds = (*OURS, METACONTROLLER, *TRAEFIK, *CERT_MANAGER)
    installation = Installation(
        api.system,
        datetime.now(UTC),
        kinds={name: api.get(CustomResourceDefinition, name) for name in crds},
        controllers={name: api.get(_COMPOSITE, name) for name in CONTROLLERS},
        rights=tuple(replace(each, allowed=_is_allowed(api, each)) for each in _rights(api.system)),
        platforms=api.list_all(PLATFORM, api.system),
        deployments=api.list_all(Deployment, api.system),
        claims=api.list_all(PersistentVolumeClaim, api.system),
        services=_traefik_services(api),
        lease=api.get(LEASE, LEASE_NAME, api.system),
    )
    return _follow_platform(api, installation) if installation.platforms else installation


def _follow_platform(api: KubernetesAPI, installation: Installation) -> Installation:
    """Add the facts about what the Platform names."""
    domain, issuer = installation.platform_spec.get("pagesDomain", ""), installation.platform_tls.get("issuerRef")
    return replace(
        installation,
        issuer=issuer_of(api, issuer) if issuer else HIDDEN,
        wildcard=resolve(f"{_PROBE}.{domain}"),
        webhook=resolve(f"webhook.{domain}"),
    )


def _traefik_services(api: KubernetesAPI) -> list[Object] | None:
    try:
        return api.list_all(Service, "*", labels={"app.kubernetes.io/name": "traefik"})
    except click.ClickException:
        return None


def _rights(system: str) -> list[Right]:
    """The most important of the chart's permissions; its test has the whole table."""
    ours = ".pages.kup6s.com"
    return [
        Right("pages-syncer", "list", f"staticsites{ours}"),
        Right("pages-syncer", "patch", f"staticsites/status{ours}"),
        Right("pages-syncer", "list", f"virtualhosts{ours}", system),
        Right("pages-syncer", "list", f"platforms{ours}", system),
        Right("pages-syncer", "create", "leases.coordination.k8s.io", system),
        Right("pages-operator", "list", f"staticsites{ours}"),
        Right("pages-operator", "create", f"virtualhosts{ours}", system),
        Right("pages-operator", "patch", f"platforms/status{ours}", system),
        Right("pages-operator", "create", "ingressroutes.traefik.io", system),
        Right("pages-operator", "create", "middlewares.traefik.io", system),
        Right("pages-operator", "create", "certificates.cert-manager.io", system),
    ]


def _is_allowed(api: KubernetesAPI, right: Right) -> bool | None:
    resource, _, group = right.resource.partition(".")
    resource, _, subresource = resource.partition("/")
    attributes = ResourceAttributes(
        group=group,
        resource=resource,
        subresource=subresource or None,
        verb=right.verb,
        namespace=right.namespace or None,
    )
    user = f"system:serviceaccount:{api.system}:{right.account}"
    review = SubjectAccessReview(spec=SubjectAccessReviewSpec(user=user, resourceAttributes=attributes))
    with api.asking("review access"):
        try:
            reviewed = api.client.create(review)
        except ApiError:
            return None
    return bool(reviewed.status and reviewed.status.allowed)
