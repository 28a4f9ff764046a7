"""The checks of `pages doctor`, from facts alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from cli.diagnosis.facts import HIDDEN, Lookup
from cli.diagnosis.installation import examine
from cli.diagnosis.installation_facts import Installation, Right
from cli.diagnosis.verdicts import State, Verdict
from tests.support.control_plane import ROOT

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
READY = {"conditions": [{"type": "Ready", "status": "True", "reason": "Ready"}]}


def crd(name: str, *, served: bool = True, without: str = "") -> Lookup:
    """A CRD of ours as it is in crds/, or as an older version had it."""
    manifest = yaml.safe_load((ROOT / f"crds/{name}.yaml").read_text())
    version = manifest["spec"]["versions"][0]
    version["served"] = served
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"].pop(without, None)
    return Lookup(manifest | {"status": {"conditions": [{"type": "Established", "status": "True"}]}})


def there(**spec: Any) -> Lookup:
    return Lookup({"spec": spec, "status": READY})


KINDS = {f"{name}s.pages.kup6s.com": crd(name) for name in ("staticsite", "platform", "virtualhost")}
OTHERS = (
    "compositecontrollers.metacontroller.k8s.io",
    "ingressroutes.traefik.io",
    "middlewares.traefik.io",
    "certificates.cert-manager.io",
)
PLATFORM: dict[str, Any] = {
    "apiVersion": "pages.kup6s.com/v1beta1",
    "kind": "Platform",
    "metadata": {"name": "platform", "namespace": "kup6s-pages", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Individual", "issuerRef": {"name": "letsencrypt"}}},
    "status": READY,
}
DEPLOYMENT = {"metadata": {"name": "pages-syncer"}, "spec": {"replicas": 1}, "status": {"readyReplicas": 1}}
CLAIM = {"metadata": {"name": "sites"}, "spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Bound"}}
TRAEFIK = {"metadata": {"name": "traefik"}, "spec": {"ports": [{"name": "web"}, {"name": "websecure"}]}}
RIGHT = Right("pages-syncer", "list", "staticsites.pages.kup6s.com", allowed=True)
LEASE = {"holderIdentity": "syncer-1", "renewTime": NOW.isoformat(), "leaseDurationSeconds": 15}
WELL = Installation(
    "kup6s-pages",
    NOW,
    kinds=KINDS | {name: there() for name in OTHERS},
    controllers={"pages-platform": there(), "pages-virtualhost": there()},
    rights=(RIGHT,),
    platforms=[PLATFORM],
    issuer=there(),
    deployments=[DEPLOYMENT],
    claims=[CLAIM],
    services=[TRAEFIK],
    lease=Lookup({"spec": LEASE}),
    wildcard=("192.0.2.7",),
    webhook=("192.0.2.7",),
)


def complaints(installation: Installation) -> list[Verdict]:
    return [each for each in examine(installation) if each.state is not State.OK]


def test_a_working_installation_passes_all_checks() -> None:
    assert complaints(WELL) == []


@pytest.mark.parametrize(
    ("change", "state", "check", "says"),
    [
        (
            {"kinds": WELL.kinds | {"staticsites.pages.kup6s.com": crd("staticsite", without="revision")}},
            State.BROKEN,
            "CRD",
            "it lacks spec.revision",
        ),
        (
            {"kinds": WELL.kinds | {"platforms.pages.kup6s.com": crd("platform", served=False)}},
            State.BROKEN,
            "CRD",
            "but not v1beta1",
        ),
        ({"kinds": WELL.kinds | {"staticsites.pages.kup6s.com": Lookup()}}, State.BROKEN, "CRD", "does not exist"),
        (
            {"kinds": WELL.kinds | {"middlewares.traefik.io": Lookup()}},
            State.BROKEN,
            "Traefik",
            "middlewares.traefik.io",
        ),
        ({"kinds": WELL.kinds | {OTHERS[0]: Lookup()}}, State.BROKEN, "Metacontroller", "CRDs do not exist"),
        ({"kinds": WELL.kinds | {OTHERS[3]: Lookup()}}, State.BROKEN, "cert-manager", "CRDs do not exist"),
        ({"rights": (replace(RIGHT, allowed=False),)}, State.BROKEN, "RBAC", "lacks permission to list staticsites"),
        ({"platforms": []}, State.BROKEN, "Platform", "there is no Platform"),
        (
            {"platforms": [PLATFORM | {"spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Individual"}}}]},
            State.BROKEN,
            "Platform",
            "needs tls.issuerRef",
        ),
        ({"platforms": [PLATFORM | {"status": {}}]}, State.BROKEN, "Platform", "have never processed it"),
        ({"platforms": [PLATFORM, PLATFORM]}, State.WARNING, "Platform", "there are 2"),
        ({"issuer": Lookup()}, State.BROKEN, "cert-manager", "names ClusterIssuer letsencrypt, which does not exist"),
        ({"deployments": [DEPLOYMENT | {"status": {}}]}, State.BROKEN, "Deployments", "pages-syncer: 0 of 1 ready"),
        ({"claims": [CLAIM | {"status": {"phase": "Pending"}}]}, State.BROKEN, "Volume", "not Bound"),
        ({"claims": [CLAIM | {"spec": {"accessModes": ["ReadWriteOnce"]}}]}, State.WARNING, "Volume", "on one node"),
        (
            {"services": [TRAEFIK | {"spec": {"ports": [{"name": "https"}]}}]},
            State.WARNING,
            "Traefik",
            "no Service of Traefik has a port websecure",
        ),
        (
            {"lease": Lookup({"spec": LEASE | {"renewTime": (NOW - timedelta(hours=1)).isoformat()}})},
            State.BROKEN,
            "Syncer",
            "last renewed the Lease kup6s-pages/pages-syncer 60 min ago, at 2026-11-24 11:00:00 UTC",
        ),
        ({"wildcard": ()}, State.BROKEN, "DNS", "*.pages.example.com does not resolve"),
        ({"webhook": ()}, State.WARNING, "DNS", "forges cannot send webhooks"),
    ],
)
def test_each_fault_is_named_with_its_remedy(change: dict[str, Any], state: State, check: str, says: str) -> None:
    (verdict,) = complaints(replace(WELL, **change))
    assert (verdict.state, verdict.name) == (state, check)
    assert says in verdict.text
    assert verdict.remedy


def test_hidden_objects_are_unknown_and_not_broken() -> None:
    hidden = Installation(
        "kup6s-pages", NOW, kinds=dict.fromkeys(WELL.kinds, HIDDEN), rights=(replace(RIGHT, allowed=None),)
    )
    assert {each.state for each in complaints(hidden)} == {State.UNKNOWN}


def test_of_several_platforms_the_oldest_counts_in_every_check() -> None:
    metadata = PLATFORM["metadata"] | {"name": "later", "creationTimestamp": "2026-06-01T00:00:00Z"}
    spec = {"pagesDomain": "other.example.com", "ingress": {"entryPoints": ["internal"]}, "tls": {"mode": "Off"}}
    verdicts = examine(replace(WELL, platforms=[PLATFORM | {"metadata": metadata, "spec": spec}, PLATFORM]))
    assert [each.reason for each in verdicts if each.state is not State.OK] == ["Several"]
    texts = "\n".join(each.text for each in verdicts)
    assert "the oldest one, platform, is used" in texts
    assert "*.pages.example.com points to" in texts and "entry points websecure" in texts
