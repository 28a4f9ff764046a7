"""Whether the platform is well: what was found in, checks out, nothing else."""

from datetime import timedelta

from pydantic import ValidationError

from cli.diagnosis.facts import Object, condition, moment, status
from cli.diagnosis.installation_facts import Found
from cli.diagnosis.verdicts import Link, broken, ok, unknown, warning
from pages import mistakes
from pages.api import Model, Platform, PlatformSpec, StaticSiteSpec, VirtualHostSpec

_MODELS: dict[str, type[Model]] = {
    "staticsites.pages.kup6s.com": StaticSiteSpec,
    "platforms.pages.kup6s.com": PlatformSpec,
    "virtualhosts.pages.kup6s.com": VirtualHostSpec,
}
_APPLY = "kubectl apply --server-side -f crds/   # of this version of kup6s-pages"


def examine(found: Found) -> list[Link]:
    """All checks, in the order in which a platform is built."""
    parts = (_kinds, _metacontroller, _rights, _traefik, _platform, _certificates, _deployments, _volume, _lease, _dns)
    return [check for part in parts for check in part(found)]


def _kinds(found: Found) -> list[Link]:
    return [_kind(found, name, model) for name, model in _MODELS.items()]


def _kind(found: Found, name: str, model: type[Model]) -> Link:
    seen = found.kinds[name]
    if seen.hidden:
        return unknown("CRD", f"{name} is not yours to see")
    if seen.object is None:
        return broken("CRD", "Missing", f"{name} is not there", _APPLY)
    if condition(seen.object, "Established").get("status") != "True":
        return broken("CRD", "NotEstablished", f"{name} is not established", f"kubectl describe crd {name}")
    versions = {each["name"]: each for each in seen.object["spec"]["versions"] if each.get("served")}
    if "v1beta1" not in versions:
        return broken("CRD", "OtherVersion", f"{name} does not serve v1beta1 but {', '.join(versions)}", _APPLY)
    schema = (versions["v1beta1"].get("schema") or {}).get("openAPIV3Schema") or {}
    known = ((schema.get("properties") or {}).get("spec") or {}).get("properties") or {}
    missing = sorted({info.alias or field for field, info in model.model_fields.items()} - known.keys())
    if missing:
        return broken(
            "CRD", "OtherVersion", f"{name} is of another version: it lacks spec.{', spec.'.join(missing)}", _APPLY
        )
    return ok("CRD", name)


def _metacontroller(found: Found) -> list[Link]:
    name, kind = "Metacontroller", found.kinds["compositecontrollers.metacontroller.k8s.io"]
    if kind.missing:
        return [broken(name, "Missing", "its CRDs are not there", "install Metacontroller 4.17 or newer")]
    checks = []
    for controller, seen in found.controllers.items():
        if seen.missing:
            text = f"there is no CompositeController {controller}: nothing is routed"
            checks.append(broken(name, "ControllerMissing", text, "kubectl apply -f metacontroller/"))
        elif seen.hidden:
            checks.append(unknown(name, f"CompositeController {controller} is not yours to see"))
        else:
            checks.append(ok(name, f"CompositeController {controller}"))
    return checks


def _rights(found: Found) -> list[Link]:
    checks = []
    for account in dict.fromkeys(each.account for each in found.rights):
        mine = [each for each in found.rights if each.account == account]
        lacking = [f"{each.verb} {each.resource}" for each in mine if each.allowed is False]
        if lacking:
            text = f"ServiceAccount {account} may not {', '.join(lacking)}"
            checks.append(broken("RBAC", "Forbidden", text, "helm upgrade: docs/how-to/upgrade.md"))
        elif any(each.allowed is None for each in mine):
            checks.append(unknown("RBAC", f"what ServiceAccount {account} may do is not yours to ask"))
        else:
            checks.append(ok("RBAC", f"ServiceAccount {account} may do what it has to"))
    return checks


def _traefik(found: Found) -> list[Link]:
    missing = [name for name, seen in found.kinds.items() if name.endswith(".traefik.io") and seen.missing]
    if missing:
        remedy = "install Traefik 3 with its CRDs (providers.kubernetesCRD)"
        return [broken("Traefik", "Missing", f"there is no {', '.join(missing)}", remedy)]
    return [ok("Traefik", "its kinds are there"), *_entry_points(found)]


def _entry_points(found: Found) -> list[Link]:
    """By the names of the ports of Traefik's Services, which its chart gives them."""
    if not found.platforms:
        return []
    spec = found.platforms[0].get("spec", {})
    tls_off = (spec.get("tls") or {}).get("mode") == "Off"
    wanted = (spec.get("ingress") or {}).get("entryPoints") or ["web" if tls_off else "websecure"]
    if not found.services:
        why = "hidden from you" if found.services is None else "not found (label app.kubernetes.io/name=traefik)"
        return [unknown("Traefik", f"its Service is {why}: compare the entry points {', '.join(wanted)} yourself")]
    ports = {port.get("name") for each in found.services for port in each["spec"].get("ports") or []}
    if lacking := [name for name in wanted if name not in ports]:
        text = f"no Service of Traefik has a port called {', '.join(lacking)}, which the Platform names as entry point"
        return [
            warning(
                "Traefik", "EntryPointMissing", text, "correct the Platform's ingress.entryPoints, or Traefik's ports"
            )
        ]
    return [ok("Traefik", f"entry points {', '.join(wanted)}")]


def _platform(found: Found) -> list[Link]:
    name = "Platform"
    if found.platforms is None:
        return [unknown(name, f"Platforms in {found.system} are not yours to see")]
    if not found.platforms:
        remedy = f"kubectl -n {found.system} apply -f platform.yaml   # with pagesDomain and tls"
        return [
            broken(name, "Missing", f"there is no Platform in namespace {found.system}: no site has a domain", remedy)
        ]
    platform = min(found.platforms, key=lambda each: str(each["metadata"].get("creationTimestamp")))
    own, checks = platform["metadata"]["name"], []
    if len(found.platforms) > 1:
        text = f"there are {len(found.platforms)}; the syncer takes the oldest, {own}"
        checks.append(warning(name, "Several", text, "delete the others"))
    return [*checks, _valid(name, own, platform), *_rejections(name, platform)]


def _valid(name: str, own: str, platform: Object) -> Link:
    try:
        Platform.model_validate(platform)
    except ValidationError as error:
        return broken(name, "InvalidSpec", f"{own}: {mistakes.explain(error)[0][1]}", "mend this field")
    ready = condition(platform, "Ready")
    if not ready:
        text = f"{own} has no status: the hooks have never been asked about it"
        return broken(name, "HooksDown", text, "look at Metacontroller, and at the container of the hooks beside it")
    if ready["status"] != "True":
        return broken(name, ready.get("reason", ""), f"{own}: {ready.get('message', '')}", "mend the Platform")
    said = status(platform)
    return ok(name, f"{own}: {said.get('sites', 0)} sites on {said.get('virtualHosts', 0)} domains")


def _rejections(name: str, platform: Object) -> list[Link]:
    rejected = status(platform).get("rejections") or []
    if not rejected:
        return []
    first = "; ".join(f"{each['namespace']}/{each['name']}: {each['reason']}" for each in rejected[:3])
    more = f" and {len(rejected) - 3} more" if len(rejected) > 3 else ""  # noqa: PLR2004 - enough to see
    return [warning(name, "Rejections", f"not routed: {first}{more}", "pages why NAMESPACE/NAME")]


def _certificates(found: Found) -> list[Link]:
    name = "cert-manager"
    tls = (found.platforms[0].get("spec", {}).get("tls") or {}) if found.platforms else {}
    if not tls.get("issuerRef"):
        return []
    if found.kinds["certificates.cert-manager.io"].missing:
        return [
            broken(
                name, "Missing", "its CRDs are not there", "install cert-manager, or set the Platform's tls.mode to Off"
            )
        ]
    issuer = f"{tls['issuerRef'].get('kind', 'ClusterIssuer')} {tls['issuerRef']['name']}"
    if found.issuer.missing:
        return [
            broken(
                name,
                "IssuerMissing",
                f"there is no {issuer}, which the Platform names",
                "create it, or correct tls.issuerRef",
            )
        ]
    if found.issuer.hidden:
        return [unknown(name, f"{issuer} is not yours to see")]
    ready = condition(found.issuer.object, "Ready")
    if ready.get("status") != "True":
        text = f"{issuer} is not ready: {ready.get('message', 'it says nothing')}"
        return [broken(name, "IssuerNotReady", text, f"kubectl describe {issuer.lower().replace(' ', '/')}")]
    return [ok(name, f"{issuer} is ready")]


def _deployments(found: Found) -> list[Link]:
    name = "Deployments"
    if found.deployments is None:
        return [unknown(name, f"those in {found.system} are not yours to see")]
    if not found.deployments:
        return [
            warning(
                name,
                "Missing",
                f"there is none in namespace {found.system}",
                "install the chart, or look where it runs",
            )
        ]
    checks = []
    for each in found.deployments:
        own, wanted = each["metadata"]["name"], each["spec"].get("replicas", 1)
        ready = status(each).get("readyReplicas") or 0
        if ready < wanted:
            remedy = (
                f"kubectl -n {found.system} describe deployment {own}\n"
                f"kubectl -n {found.system} logs deployment/{own} --all-containers"
            )
            checks.append(broken(name, "NotReady", f"{own}: {ready} of {wanted} ready", remedy))
        else:
            checks.append(ok(name, f"{own}: {ready} of {wanted} ready"))
    return checks


def _volume(found: Found) -> list[Link]:
    name = "Volume"
    if found.claims is None:
        return [unknown(name, f"PersistentVolumeClaims in {found.system} are not yours to see")]
    if not found.claims:
        return [
            warning(
                name,
                "Missing",
                f"there is no PersistentVolumeClaim in namespace {found.system}",
                "sites need a volume that outlives pods",
            )
        ]
    return [_claim(found, name, each) for each in found.claims]


def _claim(found: Found, name: str, claim: Object) -> Link:
    own, phase = claim["metadata"]["name"], status(claim).get("phase")
    if phase != "Bound":
        return broken(
            name, "NotBound", f"{own} is {phase or 'new'}, not Bound", f"kubectl -n {found.system} describe pvc {own}"
        )
    modes = claim["spec"].get("accessModes") or []
    if "ReadWriteMany" not in modes:
        text = f"{own} is {', '.join(modes)}: syncer and nginx have to run on one node"
        return warning(name, "OneNode", text, "a storage class with ReadWriteMany, where there are several nodes")
    return ok(name, f"{own} is Bound, ReadWriteMany")


def _lease(found: Found) -> list[Link]:
    name = "Syncer"
    if found.lease.hidden:
        return [unknown(name, "its Lease is not yours to see")]
    remedy = f"kubectl -n {found.system} logs -l app.kubernetes.io/name=pages-syncer --tail=50"
    spec = (found.lease.object or {}).get("spec") or {}
    renewed = moment(spec.get("renewTime"))
    if not spec.get("holderIdentity") or not renewed:
        return [broken(name, "SyncerDown", f"nobody holds the Lease {found.system}/pages-syncer", remedy)]
    if renewed + 2 * timedelta(seconds=spec.get("leaseDurationSeconds") or 15) < found.now:
        return [
            broken(
                name,
                "SyncerDown",
                f"{spec['holderIdentity']} has not renewed its Lease since {renewed:%Y-%m-%d %H:%M:%S} UTC",
                remedy,
            )
        ]
    return [ok(name, f"{spec['holderIdentity']} is at work")]


def _dns(found: Found) -> list[Link]:
    if found.wildcard is None or not found.platforms:
        return []
    domain = found.platforms[0]["spec"]["pagesDomain"]
    checks = []
    if found.wildcard:
        checks.append(ok("DNS", f"*.{domain} leads to {', '.join(found.wildcard)}"))
    else:
        checks.append(
            broken(
                "DNS",
                "WildcardMissing",
                f"*.{domain} does not resolve",
                f"add a DNS record: *.{domain} to the address of Traefik",
            )
        )
    if found.webhook:
        checks.append(ok("DNS", f"webhook.{domain} leads to {', '.join(found.webhook)}"))
    else:
        text = f"webhook.{domain} does not resolve: forges cannot send webhooks there"
        checks.append(warning("DNS", "WebhookMissing", text, f"a record for it, or for *.{domain}"))
    return checks
