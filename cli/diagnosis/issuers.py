"""Whether the issuer of certificates is ready: the one judgement of `pages why` and `pages doctor`."""

from cli.diagnosis.facts import Lookup, Object, condition
from cli.diagnosis.verdicts import Verdict, broken, ok, unknown


def issuer(name: str, reference: Object, lookup: Lookup) -> Verdict:
    """The verdict, under this name, on the issuer of the Platform's ``tls.issuerRef``."""
    kind, own = reference.get("kind", "ClusterIssuer"), reference["name"]
    if lookup.hidden:
        return unknown(name, f"you lack permission to view {kind} {own}")
    if lookup.object is None:
        text = f"the Platform's tls.issuerRef names {kind} {own}, which does not exist"
        remedy = "create it, or correct tls.issuerRef:\nkubectl get clusterissuers,issuers -A"
        return broken(name, "IssuerMissing", text, remedy)
    ready = condition(lookup.object, "Ready")
    if not ready.is_true:
        text = f"{kind} {own} is not ready: {ready.message or 'its status has no message'}"
        return broken(name, "IssuerNotReady", text, f"kubectl describe {kind.lower()}/{own}")
    return ok(name, f"{kind} {own} is ready")
