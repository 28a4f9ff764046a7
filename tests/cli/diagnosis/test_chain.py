"""Broken links, from facts alone: those that real parts cannot produce within seconds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.diagnosis.chain import judge
from cli.diagnosis.facts import HIDDEN, Facts, Lookup
from cli.diagnosis.verdicts import State, Verdict, first_broken
from tests.support.objects import static_site

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TLS = {"secretName": "blog-tls", "issuerRef": {"name": "letsencrypt"}}


def time(**ago: float) -> str:
    return (NOW - timedelta(**ago)).isoformat()


def condition(type_: str, status: str = "True", reason: str = "Fine", message: str = "") -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": time(hours=2)}


def blog(*conditions: dict[str, Any], **spec: Any) -> dict[str, Any]:
    healthy = {each: condition(each) for each in ("Ready", "Synced", "IngressReady", "CertificateReady")}
    merged = healthy | {each["type"]: each for each in conditions}
    status = {
        "conditions": list(merged.values()),
        "observedGeneration": 1,
        "lastCommit": "c" * 40,
        "lastSync": time(minutes=5),
        "url": "https://blog.pages.example.com/",
        "resources": {"ingressRoute": "kup6s-pages/team--blog"},
    }
    metadata = {"creationTimestamp": time(days=3), "generation": 1}
    return static_site("blog", metadata=metadata, status=status, **{"syncInterval": "5m", **spec})


def lease(**ago: float) -> Lookup:
    return Lookup({"spec": {"holderIdentity": "syncer-1", "renewTime": time(**ago), "leaseDurationSeconds": 15}})


HOST = Lookup(
    {
        "metadata": {"name": "blog.pages.example.com"},
        "spec": {
            "domain": "blog.pages.example.com",
            "tls": TLS,
            "routes": [{"site": {"namespace": "team", "name": "blog"}, "root": "/team/blog"}],
        },
    }
)
PLATFORM = Lookup({"metadata": {"name": "platform"}, "spec": {"pagesDomain": "pages.example.com"}})
CERTIFICATE = Lookup({"status": {"conditions": [condition("Ready")], "notAfter": time(days=-60)}})
ISSUER = Lookup({"status": {"conditions": [condition("Ready")]}})
FAILED = condition("Issuing", "False", "Failed", "the order failed: NXDOMAIN looking up A for blog.pages.example.com")
WELL = Facts(
    blog(),
    NOW,
    lease=lease(seconds=3),
    platform=PLATFORM,
    host=HOST,
    generated=(),
    certificate=CERTIFICATE,
    issuer=ISSUER,
    secret=Lookup({}),
)
TENANT = Facts(blog(), NOW)


def stop(facts: Facts) -> Verdict:
    verdict = first_broken(judge(facts))
    assert verdict, "nothing is broken"
    return verdict


@pytest.mark.parametrize("facts", [WELL, TENANT], ids=["administrator", "tenant"])
def test_nothing_is_broken_where_everything_works(facts: Facts) -> None:
    verdicts = judge(facts)
    assert first_broken(verdicts) is None
    assert [verdict.name for verdict in verdicts] == [
        "StaticSite",
        "Syncer",
        "Git",
        "Release",
        "VirtualHost",
        "IngressRoute",
        "Certificate",
        "Request",
    ]


def test_objects_that_a_tenant_cannot_view_are_judged_by_the_status() -> None:
    hidden = [verdict.name for verdict in judge(TENANT) if "you lack permission to view" in verdict.text]
    assert hidden == ["Syncer", "VirtualHost", "IngressRoute", "Certificate"]


@pytest.mark.parametrize(
    ("change", "link", "reason", "says"),
    [
        ({"site": blog(suspend=True)}, "StaticSite", "Suspended", '"suspend": false'),
        ({"lease": lease(minutes=9)}, "Syncer", "SyncerDown", "9 min ago"),
        ({"lease": Lookup()}, "Syncer", "SyncerDown", "has no holder"),
        (
            {
                "site": blog(
                    condition("Synced", "False", "SecretMissing", "no key"), secretRef={"name": "t", "key": "k"}
                )
            },
            "Git",
            "SecretMissing",
            "create secret generic t --from-literal=username=USER --from-literal=k=TOKEN",
        ),
        (
            {"site": blog(condition("Synced", "False", "StorageFull", "the volume is full"))},
            "Release",
            "StorageFull",
            "the volume is full",
        ),
        (
            {
                "site": blog(
                    condition("Synced", "False", "SiteClosed", "there is no Secret 'visitors'"),
                    basicAuth={"secretRef": {"name": "visitors"}},
                )
            },
            "Release",
            "SiteClosed",
            "create secret generic visitors --from-file=users",
        ),
        ({"host": Lookup()}, "VirtualHost", "HooksDown", "pages-operator"),
        ({"certificate": Lookup()}, "Certificate", "CertificateMissing", "pages-operator"),
        ({"certificate": Lookup(), "issuer": Lookup()}, "Certificate", "IssuerMissing", "ClusterIssuer letsencrypt"),
        (
            {"certificate": Lookup({"status": {"conditions": [condition("Ready", "False", "DoesNotExist"), FAILED]}})},
            "Certificate",
            "Failed",
            "NXDOMAIN looking up A",
        ),
        (
            {"certificate": Lookup({"status": {"conditions": [condition("Ready")], "notAfter": time(days=1)}})},
            "Certificate",
            "CertificateExpired",
            "2026-11-23",
        ),
    ],
)
def test_an_administrator_gets_the_cause(change: dict[str, Any], link: str, reason: str, says: str) -> None:
    verdict = stop(replace(WELL, **change))
    assert (verdict.name, verdict.reason, verdict.state) == (link, reason, State.BROKEN)
    assert says in verdict.text + verdict.remedy


def test_a_refused_alias_is_a_warning_and_a_refused_site_is_not() -> None:
    refusal = {"namespace": "team", "name": "blog", "reason": "DomainConflict", "message": "in use"}
    platform = {**(PLATFORM.object or {}), "status": {"rejections": [refusal | {"alias": "blog.example.org"}]}}
    verdicts = judge(replace(WELL, platform=Lookup(platform)))
    assert first_broken(verdicts) is None
    assert [verdict.state for verdict in verdicts if "blog.example.org (DomainConflict" in verdict.text] == [
        State.WARNING
    ]
    platform = {**(PLATFORM.object or {}), "status": {"rejections": [refusal]}}
    assert stop(replace(WELL, platform=Lookup(platform))).reason == "DomainConflict"


def test_ignored_rules_are_a_warning_with_the_syncers_message() -> None:
    message = "commit cccccccccccc is live; rules that do not work: _redirects line 1: 200 is not supported"
    broken = blog(condition("Synced", reason="Synced", message=message))
    broken["status"]["rules"] = {"problems": [{"file": "_redirects", "line": 1, "message": "200 is not supported"}]}
    verdicts = judge(replace(WELL, site=broken))
    assert first_broken(verdicts) is None
    assert [(verdict.name, verdict.text) for verdict in verdicts if verdict.state is State.WARNING] == [
        ("Release", message)
    ]


def test_a_password_that_the_hooks_have_not_processed_is_pending() -> None:
    verdict = stop(replace(WELL, site=blog(basicAuth={"secretRef": {"name": "visitors"}})))
    assert (verdict.name, verdict.state) == ("VirtualHost", State.WAITING)
    assert "spec.basicAuth" in verdict.text and "pages-operator" in verdict.remedy


@pytest.mark.parametrize("changed", [{"generation": 2}, {"creationTimestamp": time(seconds=5)}])
def test_a_recent_change_does_not_prove_that_the_hooks_are_down(changed: dict[str, Any]) -> None:
    moved = blog(domain="www.example.org")
    moved["metadata"] |= changed
    if "creationTimestamp" in changed:
        del moved["status"]["conditions"][2]  # IngressReady
    assert stop(replace(WELL, site=moved, host=Lookup())).state is State.WAITING


def test_the_order_explains_more_than_its_certificate() -> None:
    certificate = Lookup({"status": {"conditions": [condition("Ready", "False", "Pending", "being issued"), FAILED]}})
    verdict = stop(replace(WELL, certificate=certificate, issuing=("Challenge blog-1: invalid: 404 at /.well-known",)))
    assert "Challenge blog-1: invalid: 404 at /.well-known" in verdict.text


@pytest.mark.parametrize(
    ("changed", "link", "reason"),
    [
        (blog(condition("IngressReady", "Unknown", "Pending", "waiting for the route")), "VirtualHost", "HooksDown"),
        (blog(condition("IngressReady", "False", "DomainConflict", "in use")), "VirtualHost", "DomainConflict"),
        (blog(condition("IngressReady", "Unknown", "NoPlatform", "no Platform")), "VirtualHost", "NoPlatform"),
        (blog(condition("CertificateReady", "False", "Failed", "NXDOMAIN")), "Certificate", "Failed"),
        (blog() | {"status": {}}, "Syncer", "SyncerDown"),
        (blog() | {"status": blog()["status"] | {"lastSync": time(days=2)}}, "Syncer", "SyncerStale"),
    ],
)
def test_a_tenant_gets_the_cause_from_the_status(changed: dict[str, Any], link: str, reason: str) -> None:
    verdict = stop(replace(TENANT, site=changed, lease=HIDDEN))
    assert (verdict.name, verdict.reason) == (link, reason)
    assert verdict.text


def test_a_new_site_is_pending_and_not_broken() -> None:
    new = blog() | {"status": {}}
    new["metadata"] = new["metadata"] | {"creationTimestamp": time(seconds=5)}
    assert stop(replace(TENANT, site=new)).state is State.WAITING


def test_a_pinned_site_shows_its_revision() -> None:
    assert "pinned to v1.2" in judge(replace(WELL, site=blog(revision="v1.2")))[0].text
