"""The facts about a site in a cluster: one request for each object between it and its visitors."""

from datetime import UTC, datetime

from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.resources.core_v1 import Secret
from pydantic import ValidationError

from cli.backends.kubernetes_api import KubernetesAPI
from cli.diagnosis.facts import HIDDEN, Facts, Lookup, Object, condition, oldest, status
from hooks import traefik
from pages import names
from pages.api import Route, VirtualHostSpec
from syncer.stores.kubernetes import PLATFORM, VIRTUAL_HOST

LEASE = create_namespaced_resource("coordination.k8s.io", "v1", "Lease", "leases")
LEASE_NAME = "pages-syncer"
INGRESS_ROUTE = create_namespaced_resource("traefik.io", "v1alpha1", "IngressRoute", "ingressroutes")
MIDDLEWARE = create_namespaced_resource("traefik.io", "v1alpha1", "Middleware", "middlewares")
_CERT_MANAGER = "cert-manager.io"
CERTIFICATE = create_namespaced_resource(_CERT_MANAGER, "v1", "Certificate", "certificates")
ISSUER = create_namespaced_resource(_CERT_MANAGER, "v1", "Issuer", "issuers")
CLUSTER_ISSUER = create_global_resource(_CERT_MANAGER, "v1", "ClusterIssuer", "clusterissuers")
_REQUEST = create_namespaced_resource(_CERT_MANAGER, "v1", "CertificateRequest", "certificaterequests")
_ORDER = create_namespaced_resource("acme.cert-manager.io", "v1", "Order", "orders")
_CHALLENGE = create_namespaced_resource("acme.cert-manager.io", "v1", "Challenge", "challenges")


def collect(api: KubernetesAPI, site: Object) -> Facts:
    """The facts, as far as our permissions go; the rest is marked as hidden."""
    platform = used_platform(api)
    host = _host(api, site, platform)
    tls = (host.object or {}).get("spec", {}).get("tls") or {}
    secret, reference = tls.get("secretName"), tls.get("issuerRef")
    certificate, issuer = HIDDEN, HIDDEN
    if secret and reference:
        certificate, issuer = api.get(CERTIFICATE, secret, api.system), issuer_of(api, reference)
    return Facts(
        site,
        datetime.now(UTC),
        system=api.system,
        lease=api.get(LEASE, LEASE_NAME, api.system),
        platform=platform,
        host=host,
        generated=_generated(api, site, host.object) if host.object else (),
        certificate=certificate,
        issuer=issuer,
        issuing=_issuing(api, certificate.object) if certificate.object else (),
        secret=api.get(Secret, secret, api.system) if secret else HIDDEN,
    )


def used_platform(api: KubernetesAPI) -> Lookup:
    """The Platform that the syncer uses."""
    platforms = api.list_all(PLATFORM, api.system)
    return HIDDEN if platforms is None else Lookup(oldest(platforms))


def issuer_of(api: KubernetesAPI, reference: Object) -> Lookup:
    """The issuer of an ``issuerRef``; one of another group has no kind that we know, and counts as hidden."""
    if reference.get("group", _CERT_MANAGER) != _CERT_MANAGER:
        return HIDDEN
    if reference.get("kind", "ClusterIssuer") == "ClusterIssuer":
        return api.get(CLUSTER_ISSUER, reference["name"])
    return api.get(ISSUER, reference["name"], api.system)


def _host(api: KubernetesAPI, site: Object, platform: Lookup) -> Lookup:
    domain = (site["spec"].get("domain") or "").lower()
    if not domain:
        if platform.object is None:
            return Lookup(hidden=platform.hidden)
        domain = names.default_domain(site["metadata"]["name"], platform.object["spec"]["pagesDomain"])
    return api.get(VIRTUAL_HOST, domain, api.system)


def _generated(api: KubernetesAPI, site: Object, host: Object) -> tuple[tuple[Object, Lookup], ...]:
    """The objects that the hooks generate for the site, each with what exists."""
    try:
        spec = VirtualHostSpec.model_validate(host["spec"])
    except ValidationError:
        return ()
    route = next((each for each in spec.routes if _is_of(each, site)), None)
    desired = traefik.site_objects(spec, route) if route else []
    resources = {"IngressRoute": INGRESS_ROUTE, "Middleware": MIDDLEWARE}
    return tuple((each, api.get(resources[each["kind"]], each["metadata"]["name"], api.system)) for each in desired)


def _is_of(route: Route, site: Object) -> bool:
    return (route.site.namespace, route.site.name) == (site["metadata"]["namespace"], site["metadata"]["name"])


def _issuing(api: KubernetesAPI, certificate: Object) -> tuple[str, ...]:
    """The messages of the certificate's request, order and challenges: the last one is nearest to the cause."""
    if condition(certificate, "Ready").is_true:
        return ()
    messages: list[str] = []
    owners = {certificate["metadata"]["name"]}
    for kind, resource in (("CertificateRequest", _REQUEST), ("Order", _ORDER), ("Challenge", _CHALLENGE)):
        owned = [each for each in api.list_all(resource, api.system) or [] if _owners(each) & owners]
        owned.sort(key=lambda each: str(each["metadata"].get("creationTimestamp")))
        messages += [f"{kind} {each['metadata']['name']}: {text}" for each in owned if (text := _message(each))]
        owners |= {each["metadata"]["name"] for each in owned}
    return tuple(messages)


def _owners(item: Object) -> set[str]:
    metadata = item["metadata"]
    owners = {each["name"] for each in metadata.get("ownerReferences") or []}
    return owners | {(metadata.get("annotations") or {}).get("cert-manager.io/certificate-name", "")} - {""}


def _message(item: Object) -> str:
    state, reason = status(item).get("state"), status(item).get("reason") or condition(item, "Ready").message
    return ": ".join(str(each) for each in (state, reason) if each)
