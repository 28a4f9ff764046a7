"""What may be seen in a cluster of a site's way to its visitors: one look at each object."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.resources.core_v1 import Secret
from pydantic import ValidationError

from cli.diagnosis.facts import HIDDEN, Facts, Object, Seen, condition, status
from hooks import traefik
from pages import names
from pages.api import Route, VirtualHostSpec
from syncer.stores.kubernetes import PLATFORM, VIRTUAL_HOST

if TYPE_CHECKING:
    from cli.backends.cluster import Cluster

LEASE = create_namespaced_resource("coordination.k8s.io", "v1", "Lease", "leases")
LEASE_NAME = "pages-syncer"
INGRESS_ROUTE = create_namespaced_resource("traefik.io", "v1alpha1", "IngressRoute", "ingressroutes")
MIDDLEWARE = create_namespaced_resource("traefik.io", "v1alpha1", "Middleware", "middlewares")
CERTIFICATE = create_namespaced_resource("cert-manager.io", "v1", "Certificate", "certificates")
ISSUER = create_namespaced_resource("cert-manager.io", "v1", "Issuer", "issuers")
CLUSTER_ISSUER = create_global_resource("cert-manager.io", "v1", "ClusterIssuer", "clusterissuers")
_REQUEST = create_namespaced_resource("cert-manager.io", "v1", "CertificateRequest", "certificaterequests")
_ORDER = create_namespaced_resource("acme.cert-manager.io", "v1", "Order", "orders")
_CHALLENGE = create_namespaced_resource("acme.cert-manager.io", "v1", "Challenge", "challenges")


def collect(cluster: "Cluster", site: Object) -> Facts:
    """The facts, as far as our rights go; whatever is hidden is said to be."""
    platform = the_platform(cluster)
    host = _host(cluster, site, platform)
    tls = (host.object or {}).get("spec", {}).get("tls") or {}
    certificate, issuer = HIDDEN, HIDDEN
    issuing: tuple[str, ...] = ()
    if host.object and tls.get("issuerRef") and tls.get("secretName"):
        certificate = cluster.look(CERTIFICATE, tls["secretName"], cluster.system)
        issuer = look_at_issuer(cluster, tls["issuerRef"])
        if certificate.object and condition(certificate.object, "Ready").get("status") != "True":
            issuing = _issuing(cluster, tls["secretName"])
    return Facts(
        site,
        datetime.now(UTC),
        system=cluster.system,
        lease=cluster.look(LEASE, LEASE_NAME, cluster.system),
        platform=platform,
        host=host,
        generated=_generated(cluster, site, host.object) if host.object else (),
        certificate=certificate,
        issuer=issuer,
        issuing=issuing,
        secret=cluster.look(Secret, tls["secretName"], cluster.system) if tls.get("secretName") else HIDDEN,
    )


def the_platform(cluster: "Cluster") -> Seen:
    """The oldest, as the syncer takes it."""
    found = cluster.look_at_all(PLATFORM, cluster.system)
    if found is None:
        return HIDDEN
    return Seen(min(found, key=lambda each: str(each["metadata"]["creationTimestamp"]), default=None))


def look_at_issuer(cluster: "Cluster", reference: Object) -> Seen:
    """The issuer of certificates; those of other groups are not ours to know."""
    if reference.get("group", "cert-manager.io") != "cert-manager.io":
        return HIDDEN
    if reference.get("kind", "ClusterIssuer") == "ClusterIssuer":
        return cluster.look(CLUSTER_ISSUER, reference["name"])
    return cluster.look(ISSUER, reference["name"], cluster.system)


def _host(cluster: "Cluster", site: Object, platform: Seen) -> Seen:
    domain = (site["spec"].get("domain") or "").lower()
    if not domain:
        if platform.object is None:
            return Seen(hidden=platform.hidden)
        domain = names.default_domain(site["metadata"]["name"], platform.object["spec"]["pagesDomain"])
    return cluster.look(VIRTUAL_HOST, domain, cluster.system)


def _generated(cluster: "Cluster", site: Object, host: Object) -> tuple[tuple[Object, Seen], ...]:
    """What the hooks want for the site, beside what there is."""
    try:
        spec = VirtualHostSpec.model_validate(host["spec"])
    except ValidationError:
        return ()
    route = next((each for each in spec.routes if _is_of(each, site)), None)
    wanted = traefik.site_objects(spec, route) if route else []
    resources = {"IngressRoute": INGRESS_ROUTE, "Middleware": MIDDLEWARE}
    return tuple(
        (each, cluster.look(resources[each["kind"]], each["metadata"]["name"], cluster.system)) for each in wanted
    )


def _is_of(route: Route, site: Object) -> bool:
    return (route.site.namespace, route.site.name) == (site["metadata"]["namespace"], site["metadata"]["name"])


def _issuing(cluster: "Cluster", certificate: str) -> tuple[str, ...]:
    """What cert-manager says of its request, the order and the challenges: the last is the nearest to the cause."""
    said: list[str] = []
    owners = {certificate}
    for kind, resource in (("CertificateRequest", _REQUEST), ("Order", _ORDER), ("Challenge", _CHALLENGE)):
        found = cluster.look_at_all(resource, cluster.system) or []
        mine = [each for each in found if _owners(each) & owners]
        mine.sort(key=lambda each: str(each["metadata"].get("creationTimestamp")))
        said += [f"{kind} {each['metadata']['name']}: {text}" for each in mine if (text := _words(each))]
        owners |= {each["metadata"]["name"] for each in mine}
    return tuple(said)


def _owners(found: Object) -> set[str]:
    metadata = found["metadata"]
    named = {each["name"] for each in metadata.get("ownerReferences") or []}
    return named | {(metadata.get("annotations") or {}).get("cert-manager.io/certificate-name", "")} - {""}


def _words(found: Object) -> str:
    said = status(found)
    reason = said.get("reason") or condition(found, "Ready").get("message") or ""
    return ": ".join(filter(None, (str(said.get("state") or ""), str(reason))))
