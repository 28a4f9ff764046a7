"""Where the chain stops, from facts alone: what cannot be brought about with real parts in a test of seconds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.diagnosis.chain import judge
from cli.diagnosis.facts import HIDDEN, Facts, Seen
from cli.diagnosis.verdicts import Link, State, first_broken
from tests.support.objects import static_site

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TLS = {"secretName": "blog-tls", "issuerRef": {"name": "letsencrypt"}}


def time(**ago: float) -> str:
    return (NOW - timedelta(**ago)).isoformat()


def condition(type_: str, status: str = "True", reason: str = "Fine", message: str = "") -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": time(hours=2)}


def blog(*conditions: dict[str, Any], **spec: Any) -> dict[str, Any]:
    well = {each: condition(each) for each in ("Ready", "Synced", "IngressReady", "CertificateReady")}
    told = well | {each["type"]: each for each in conditions}
    status = {
        "conditions": list(told.values()),
        "observedGeneration": 1,
        "lastCommit": "c" * 40,
        "lastSync": time(minutes=5),
        "url": "https://blog.pages.example.com/",
        "resources": {"ingressRoute": "kup6s-pages/team--blog"},
    }
    metadata = {"creationTimestamp": time(days=3), "generation": 1}
    return static_site("blog", metadata=metadata, status=status, **{"syncInterval": "5m", **spec})


def lease(**ago: float) -> Seen:
    return Seen({"spec": {"holderIdentity": "syncer-1", "renewTime": time(**ago), "leaseDurationSeconds": 15}})


HOST = Seen(
    {
        "metadata": {"name": "blog.pages.example.com"},
        "spec": {
            "domain": "blog.pages.example.com",
            "tls": TLS,
            "routes": [{"site": {"namespace": "team", "name": "blog"}, "root": "/team/blog"}],
        },
    }
)
PLATFORM = Seen({"metadata": {"name": "platform"}, "spec": {"pagesDomain": "pages.example.com"}})
CERTIFICATE = Seen({"status": {"conditions": [condition("Ready")], "notAfter": time(days=-60)}})
ISSUER = Seen({"status": {"conditions": [condition("Ready")]}})
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
    secret=Seen({}),
)
TENANT = Facts(blog(), NOW)


def stop(facts: Facts) -> Link:
    found = first_broken(judge(facts))
    assert found, "nothing is broken"
    return found


@pytest.mark.parametrize("facts", [WELL, TENANT], ids=["administrator", "tenant"])
def test_nothing_is_found_where_all_is_well(facts: Facts) -> None:
    links = judge(facts)
    assert first_broken(links) is None
    assert [link.name for link in links] == [
        "StaticSite",
        "Syncer",
        "Git",
        "Release",
        "VirtualHost",
        "IngressRoute",
        "Certificate",
        "Request",
    ]


def test_what_a_tenant_may_not_see_is_said_to_be_judged_by_the_status() -> None:
    hidden = [link.name for link in judge(TENANT) if "not yours to see" in link.text]
    assert hidden == ["Syncer", "VirtualHost", "IngressRoute", "Certificate"]


@pytest.mark.parametrize(
    ("change", "link", "reason", "says"),
    [
        ({"site": blog(suspend=True)}, "StaticSite", "Suspended", '"suspend": false'),
        ({"lease": lease(minutes=9)}, "Syncer", "SyncerDown", "9 min ago"),
        ({"lease": Seen()}, "Syncer", "SyncerDown", "nobody holds the Lease"),
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
        ({"host": Seen()}, "VirtualHost", "HooksDown", "pages-operator"),
        ({"certificate": Seen()}, "Certificate", "CertificateMissing", "pages-operator"),
        ({"certificate": Seen(), "issuer": Seen()}, "Certificate", "IssuerMissing", "ClusterIssuer letsencrypt"),
        (
            {"certificate": Seen({"status": {"conditions": [condition("Ready", "False", "DoesNotExist"), FAILED]}})},
            "Certificate",
            "Failed",
            "NXDOMAIN looking up A",
        ),
        (
            {"certificate": Seen({"status": {"conditions": [condition("Ready")], "notAfter": time(days=1)}})},
            "Certificate",
            "CertificateExpired",
            "2026-11-23",
        ),
    ],
)
def test_an_administrator_is_told_the_cause(change: dict[str, Any], link: str, reason: str, says: str) -> None:
    found = stop(replace(WELL, **change))
    assert (found.name, found.reason, found.state) == (link, reason, State.BROKEN)
    assert says in found.text + found.remedy


def test_a_refused_alias_is_a_warning_and_a_refused_site_is_not() -> None:
    refusal = {"namespace": "team", "name": "blog", "reason": "DomainConflict", "message": "in use"}
    platform = {**(PLATFORM.object or {}), "status": {"rejections": [refusal | {"alias": "blog.example.org"}]}}
    links = judge(replace(WELL, platform=Seen(platform)))
    assert first_broken(links) is None
    assert [link.state for link in links if "blog.example.org (DomainConflict" in link.text] == [State.WARNING]
    platform = {**(PLATFORM.object or {}), "status": {"rejections": [refusal]}}
    assert stop(replace(WELL, platform=Seen(platform))).reason == "DomainConflict"


def test_rules_that_are_left_out_are_a_warning_in_the_syncers_words() -> None:
    said = "commit cccccccccccc is live; rules that do not work: _redirects line 1: 200 is not supported"
    broken = blog(condition("Synced", reason="Synced", message=said))
    broken["status"]["rules"] = {"problems": [{"file": "_redirects", "line": 1, "message": "200 is not supported"}]}
    links = judge(replace(WELL, site=broken))
    assert first_broken(links) is None
    assert [(link.name, link.text) for link in links if link.state is State.WARNING] == [("Release", said)]


def test_a_password_that_the_hooks_have_not_taken_over_is_waited_for() -> None:
    found = stop(replace(WELL, site=blog(basicAuth={"secretRef": {"name": "visitors"}})))
    assert (found.name, found.state) == ("VirtualHost", State.WAITING)
    assert "spec.basicAuth" in found.text and "pages-operator" in found.remedy


@pytest.mark.parametrize("changed", [{"generation": 2}, {"creationTimestamp": time(seconds=5)}])
def test_a_change_of_just_now_is_no_proof_that_the_hooks_are_down(changed: dict[str, Any]) -> None:
    moved = blog(domain="www.example.org")
    moved["metadata"] |= changed
    if "creationTimestamp" in changed:
        del moved["status"]["conditions"][2]  # IngressReady
    assert stop(replace(WELL, site=moved, host=Seen())).state is State.WAITING


def test_the_order_of_a_certificate_says_more_than_the_certificate() -> None:
    certificate = Seen({"status": {"conditions": [condition("Ready", "False", "Pending", "being issued"), FAILED]}})
    found = stop(replace(WELL, certificate=certificate, issuing=("Challenge blog-1: invalid: 404 at /.well-known",)))
    assert "Challenge blog-1: invalid: 404 at /.well-known" in found.text


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
def test_a_tenant_is_told_the_cause_by_the_status(changed: dict[str, Any], link: str, reason: str) -> None:
    found = stop(replace(TENANT, site=changed, lease=HIDDEN))
    assert (found.name, found.reason) == (link, reason)
    assert found.text


def test_what_is_new_is_waited_for_and_not_blamed() -> None:
    new = blog() | {"status": {}}
    new["metadata"] = new["metadata"] | {"creationTimestamp": time(seconds=5)}
    assert stop(replace(TENANT, site=new)).state is State.WAITING


def test_a_pinned_site_says_so() -> None:
    assert "pinned to v1.2" in judge(replace(WELL, site=blog(revision="v1.2")))[0].text
