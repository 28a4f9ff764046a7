"""Looks at the platform in a cluster."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click
from lightkube import ApiError
from lightkube.generic_resource import create_global_resource
from lightkube.models.authorization_v1 import ResourceAttributes, SubjectAccessReviewSpec
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.authorization_v1 import SubjectAccessReview
from lightkube.resources.core_v1 import PersistentVolumeClaim, Service

from cli.backends.cluster import Cluster, plain
from cli.backends.cluster_facts import LEASE, LEASE_NAME, look_at_issuer
from cli.backends.visit import resolve
from cli.diagnosis.facts import HIDDEN, Object
from cli.diagnosis.installation_facts import Found, Right
from syncer.stores.kubernetes import PLATFORM

OURS = ("staticsites.pages.kup6s.com", "platforms.pages.kup6s.com", "virtualhosts.pages.kup6s.com")
METACONTROLLER = "compositecontrollers.metacontroller.k8s.io"
TRAEFIK = ("ingressroutes.traefik.io", "middlewares.traefik.io")
CERT_MANAGER = ("certificates.cert-manager.io",)
CONTROLLERS = ("pages-platform", "pages-virtualhost")
_COMPOSITE = create_global_resource("metacontroller.k8s.io", "v1alpha1", "CompositeController", "compositecontrollers")
_PROBE = "pages-doctor"  # a site's name that nobody is likely to have


def look(cluster: Cluster) -> Found:
    """Everything, each by itself: what is hidden or missing keeps nothing else from being looked at."""
    found = Found(
        cluster.system,
        datetime.now(UTC),
        kinds={
            name: cluster.look(CustomResourceDefinition, name)
            for name in (*OURS, METACONTROLLER, *TRAEFIK, *CERT_MANAGER)
        },
        controllers={name: cluster.look(_COMPOSITE, name) for name in CONTROLLERS},
        rights=tuple(replace(each, allowed=_allowed(cluster, each)) for each in _rights(cluster.system)),
        platforms=cluster.look_at_all(PLATFORM, cluster.system),
        deployments=cluster.look_at_all(Deployment, cluster.system),
        claims=cluster.look_at_all(PersistentVolumeClaim, cluster.system),
        services=_traefik(cluster),
        lease=cluster.look(LEASE, LEASE_NAME, cluster.system),
    )
    return _follow_platform(cluster, found) if found.platforms else found


def _follow_platform(cluster: Cluster, found: Found) -> Found:
    """What the Platform names."""
    spec: Object = (found.platforms or [{}])[0].get("spec", {})
    domain, issuer = spec.get("pagesDomain", ""), (spec.get("tls") or {}).get("issuerRef")
    return replace(
        found,
        issuer=look_at_issuer(cluster, issuer) if issuer else HIDDEN,
        wildcard=resolve(f"{_PROBE}.{domain}"),
        webhook=resolve(f"webhook.{domain}"),
    )


def _traefik(cluster: Cluster) -> list[Object] | None:
    try:
        with cluster.asking("list services"):
            labels: Any = {"app.kubernetes.io/name": "traefik"}
            return [plain(each) for each in cluster.client.list(Service, namespace="*", labels=labels)]
    except click.ClickException:
        return None


def _rights(system: str) -> list[Right]:
    """The core of the chart's rights; the whole table is in its test."""
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


def _allowed(cluster: Cluster, right: Right) -> bool | None:
    resource, _, group = right.resource.partition(".")
    resource, _, subresource = resource.partition("/")
    attributes = ResourceAttributes(
        group=group,
        resource=resource,
        subresource=subresource or None,
        verb=right.verb,
        namespace=right.namespace or None,
    )
    user = f"system:serviceaccount:{cluster.system}:{right.account}"
    review = SubjectAccessReview(spec=SubjectAccessReviewSpec(user=user, resourceAttributes=attributes))
    with cluster.asking("ask who may do what"):
        try:
            answer = cluster.client.create(review)
        except ApiError:
            return None
    return bool(answer.status and answer.status.allowed)
