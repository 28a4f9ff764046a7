"""What cert-manager does once its issuer has agreed: the Certificate's Secret, and a word that it is ready."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.certificates import self_signed
from tests.support.control_plane import SYSTEM, Cluster


def issue(cluster: Cluster, name: str) -> x509.Certificate:
    """A new certificate for a Certificate that the hooks made."""
    wanted = cluster.get("certificates", name)
    assert wanted
    (domain,) = wanted["spec"]["dnsNames"]
    certificate, key = self_signed(domain, days=90)
    public = certificate.public_bytes(Encoding.PEM)
    metadata = {"name": wanted["spec"]["secretName"], "namespace": SYSTEM}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls"}
    cluster.apply(secret | {"stringData": {"tls.crt": public.decode(), "tls.key": key.decode()}})
    ready = {"type": "Ready", "status": "True", "reason": "Ready", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    cluster.write_status("certificates", name, {"conditions": [ready]})
    return certificate
