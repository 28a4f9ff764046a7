"""Whether an installation works: its facts in, a verdict for each check out."""

from pydantic import ValidationError

from cli.diagnosis import issuers, syncer_lease
from cli.diagnosis.facts import Lookup, Object, condition, status
from cli.diagnosis.installation_facts import Installation, Right
from cli.diagnosis.verdicts import Verdict, broken, ok, unknown, warning
from pages import mistakes
from pages.api import VERSION, Model, Platform, PlatformSpec, StaticSiteSpec, VirtualHostSpec

_MODELS: dict[str, type[Model]] = {
    "staticsites.pages.kup6s.com": StaticSiteSpec,
    "platforms.pages.kup6s.com": PlatformSpec,
    "virtualhosts.pages.kup6s.com": VirtualHostSpec,
}
_APPLY = "kubectl apply --server-side -f crds/   # of this version of kup6s-pages"
_SHOWN_REJECTIONS = 3


def examine(installation: Installation) -> list[Verdict]:
    """All checks, in the order in which an installation is built. To add a check, add it here."""
    checks = (kinds, metacontroller, rights, traefik, platform, certificates, deployments, volume, lease, dns)
    return [verdict for check in checks for verdict in check(installation)]


def kinds(installation: Installation) -> list[Verdict]:
    """Our CRDs, in this version."""
    return [_kind(name, installation.kinds[name], model) for name, model in _MODELS.items()]


def _kind(name: str, crd: Lookup, model: type[Model]) -> Verdict:
    if crd.hidden:
        return unknown("CRD", f"you lack permission to view {name}")
    if crd.object is None:
        return broken("CRD", "Missing", f"{name} does not exist", _APPLY)
    if not condition(crd.object, "Established").is_true:
        return broken("CRD", "NotEstablished", f"{name} is not established", f"kubectl describe crd {name}")
    served = {each["name"]: each for each in crd.object["spec"]["versions"] if each.get("served")}
    if VERSION not in served:
        return broken("CRD", "OtherVersion", f"{name} serves {', '.join(served)}, but not {VERSION}", _APPLY)
    if missing := _missing_fields(served[VERSION], model):
        text = f"{name} belongs to another version: it lacks spec.{', spec.'.join(missing)}"
        return broken("CRD", "OtherVersion", text, _APPLY)
    return ok("CRD", name)


def _missing_fields(version: Object, model: type[Model]) -> list[str]:
    schema = version
    for part in ("schema", "openAPIV3Schema", "properties", "spec", "properties"):
        schema = schema.get(part) or {}
    return sorted({info.alias or name for name, info in model.model_fields.items()} - schema.keys())


def metacontroller(installation: Installation) -> list[Verdict]:
    """Metacontroller, with our two controllers."""
    name = "Metacontroller"
    if installation.kinds["compositecontrollers.metacontroller.k8s.io"].missing:
        return [broken(name, "Missing", "its CRDs do not exist", "install Metacontroller 4.17 or newer")]
    return [_controller(name, own, lookup) for own, lookup in installation.controllers.items()]


def _controller(name: str, own: str, lookup: Lookup) -> Verdict:
    if lookup.missing:
        text = f"there is no CompositeController {own}: no site is routed"
        return broken(name, "ControllerMissing", text, "kubectl apply -f metacontroller/")
    if lookup.hidden:
        return unknown(name, f"you lack permission to view CompositeController {own}")
    return ok(name, f"CompositeController {own}")


def rights(installation: Installation) -> list[Verdict]:
    """The permissions of each of our ServiceAccounts."""
    accounts = dict.fromkeys(each.account for each in installation.rights)
    return [_account(own, [each for each in installation.rights if each.account == own]) for own in accounts]


def _account(own: str, needed: list[Right]) -> Verdict:
    name = "RBAC"
    if lacking := [f"{each.verb} {each.resource}" for each in needed if each.allowed is False]:
        text = f"ServiceAccount {own} lacks permission to {', '.join(lacking)}"
        return broken(name, "Forbidden", text, "apply the chart's RBAC again: docs/how-to/upgrade.md")
    if any(each.allowed is None for each in needed):
        return unknown(name, f"you lack permission to check the rights of ServiceAccount {own}")
    return ok(name, f"ServiceAccount {own} has the permissions it needs")


def traefik(installation: Installation) -> list[Verdict]:
    """Traefik's CRDs, and the entry points that the Platform names."""
    name = "Traefik"
    missing = [kind for kind, crd in installation.kinds.items() if kind.endswith(".traefik.io") and crd.missing]
    if missing:
        remedy = "install Traefik 3 with its CRDs (providers.kubernetesCRD)"
        return [broken(name, "Missing", f"there is no {', '.join(missing)}", remedy)]
    entry_points = [_entry_points(installation, name)] if installation.platforms else []
    return [ok(name, "its CRDs exist"), *entry_points]


def _entry_points(installation: Installation, name: str) -> Verdict:
    """By the ports of Traefik's Services: its chart names them after the entry points."""
    default = "web" if installation.platform_tls.get("mode") == "Off" else "websecure"
    entry_points = (installation.platform_spec.get("ingress") or {}).get("entryPoints") or [default]
    if installation.services is None:
        text = "you lack permission to list its Services"
        return unknown(name, f"{text}: check that it has the entry points {', '.join(entry_points)}")
    if not installation.services:
        text = "it has no Service with the label app.kubernetes.io/name=traefik"
        return unknown(name, f"{text}: check that it has the entry points {', '.join(entry_points)}")
    ports = _port_names(installation.services)
    if missing := [each for each in entry_points if each not in ports]:
        text = f"no Service of Traefik has a port {', '.join(missing)}, which the Platform names as an entry point"
        remedy = "correct the Platform's ingress.entryPoints, or Traefik's ports"
        return warning(name, "EntryPointMissing", text, remedy)
    return ok(name, f"entry points {', '.join(entry_points)}")


def _port_names(services: list[Object]) -> set[str]:
    return {port.get("name", "") for each in services for port in each["spec"].get("ports") or []}


def platform(installation: Installation) -> list[Verdict]:
    """The Platform, and the sites that it rejects."""
    name, system = "Platform", installation.system
    if installation.platforms is None:
        return [unknown(name, f"you lack permission to view Platforms in {system}")]
    used = installation.platform
    if used is None:
        remedy = f"kubectl -n {system} apply -f platform.yaml   # with pagesDomain and tls"
        return [broken(name, "Missing", f"there is no Platform in namespace {system}: no site has a domain", remedy)]
    verdicts = [_valid(name, used), *_rejections(name, used)]
    if len(installation.platforms) > 1:
        text = f"there are {len(installation.platforms)}; the oldest one, {used['metadata']['name']}, is used"
        verdicts.insert(0, warning(name, "Several", text, "delete the others"))
    return verdicts


def _valid(name: str, used: Object) -> Verdict:
    own, ready = used["metadata"]["name"], condition(used, "Ready")
    try:
        Platform.model_validate(used)
    except ValidationError as error:
        return broken(name, "InvalidSpec", f"{own}: {mistakes.explain(error)[0][1]}", "correct this field")
    if not ready.status:
        text = f"{own} has no status: the hooks have never processed it"
        return broken(name, "HooksDown", text, "check Metacontroller, and the container of the hooks next to it")
    if not ready.is_true:
        return broken(name, ready.reason, f"{own}: {ready.message}", "correct the Platform")
    counts = status(used)
    return ok(name, f"{own}: {counts.get('sites', 0)} sites on {counts.get('virtualHosts', 0)} domains")


def _rejections(name: str, used: Object) -> list[Verdict]:
    rejected = [
        f"{each['namespace']}/{each['name']}: {each['reason']}" for each in status(used).get("rejections") or []
    ]
    if not rejected:
        return []
    shown, rest = rejected[:_SHOWN_REJECTIONS], len(rejected) - _SHOWN_REJECTIONS
    text = f"not routed: {'; '.join(shown)}{f' and {rest} more' if rest > 0 else ''}"
    return [warning(name, "Rejections", text, "pages why NAMESPACE/NAME")]


def certificates(installation: Installation) -> list[Verdict]:
    """cert-manager and the Platform's issuer, where the Platform names one."""
    name, reference = "cert-manager", installation.platform_tls.get("issuerRef")
    if not reference:
        return []
    if installation.kinds["certificates.cert-manager.io"].missing:
        remedy = "install cert-manager, or set the Platform's tls.mode to Off"
        return [broken(name, "Missing", "its CRDs do not exist", remedy)]
    return [issuers.issuer(name, reference, installation.issuer)]


def deployments(installation: Installation) -> list[Verdict]:
    """The Deployments of the system namespace."""
    name, system = "Deployments", installation.system
    if installation.deployments is None:
        return [unknown(name, f"you lack permission to view Deployments in {system}")]
    if not installation.deployments:
        remedy = "install the chart, or name the namespace it is installed in with --system-namespace"
        return [warning(name, "Missing", f"there are no Deployments in namespace {system}", remedy)]
    return [_deployment(name, system, each) for each in installation.deployments]


def _deployment(name: str, system: str, deployment: Object) -> Verdict:
    own, replicas = deployment["metadata"]["name"], deployment["spec"].get("replicas", 1)
    ready = status(deployment).get("readyReplicas") or 0
    text = f"{own}: {ready} of {replicas} ready"
    if ready >= replicas:
        return ok(name, text)
    remedy = (
        f"kubectl -n {system} describe deployment {own}\nkubectl -n {system} logs deployment/{own} --all-containers"
    )
    return broken(name, "NotReady", text, remedy)


def volume(installation: Installation) -> list[Verdict]:
    """The PersistentVolumeClaims of the system namespace."""
    name, system = "Volume", installation.system
    if installation.claims is None:
        return [unknown(name, f"you lack permission to view PersistentVolumeClaims in {system}")]
    if not installation.claims:
        text = f"there is no PersistentVolumeClaim in namespace {system}"
        return [warning(name, "Missing", text, "give the sites a volume that outlives pods")]
    return [_claim(name, system, each) for each in installation.claims]


def _claim(name: str, system: str, claim: Object) -> Verdict:
    own, phase = claim["metadata"]["name"], status(claim).get("phase")
    if phase != "Bound":
        return broken(
            name, "NotBound", f"{own} is {phase or 'new'}, not Bound", f"kubectl -n {system} describe pvc {own}"
        )
    modes = claim["spec"].get("accessModes") or []
    if "ReadWriteMany" not in modes:
        text = f"{own} is {', '.join(modes)}: the syncer and nginx must run on one node"
        return warning(name, "OneNode", text, "for several nodes, use a storage class with ReadWriteMany")
    return ok(name, f"{own} is Bound, ReadWriteMany")


def lease(installation: Installation) -> list[Verdict]:
    """The syncer's Lease."""
    if installation.lease.hidden:
        return [unknown("Syncer", "you lack permission to view its Lease")]
    return [syncer_lease.syncer(installation.lease.object, installation.system, installation.now)]


def dns(installation: Installation) -> list[Verdict]:
    """The names below the Platform's pagesDomain."""
    name, domain = "DNS", installation.platform_spec.get("pagesDomain", "")
    if installation.wildcard is None or not domain:
        return []
    if installation.wildcard:
        wildcard = ok(name, f"*.{domain} points to {', '.join(installation.wildcard)}")
    else:
        remedy = f"add a DNS record: *.{domain} to the address of Traefik"
        wildcard = broken(name, "WildcardMissing", f"*.{domain} does not resolve", remedy)
    if installation.webhook:
        webhook = ok(name, f"webhook.{domain} points to {', '.join(installation.webhook)}")
    else:
        text = f"webhook.{domain} does not resolve: forges cannot send webhooks there"
        webhook = warning(name, "WebhookMissing", text, f"add a DNS record for it, or for *.{domain}")
    return [wildcard, webhook]
