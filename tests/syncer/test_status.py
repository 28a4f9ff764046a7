from datetime import UTC, datetime, timedelta
from typing import Any

from pages import conditions
from pages.api import Platform, StaticSite, StaticSiteStatus, VirtualHost
from pages.conditions import Condition
from syncer import status
from syncer.errors import BranchNotFound
from syncer.releases import Release
from syncer.status import NOT_ROUTED, Routing
from syncer.sync import Published

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
COMMIT = "c" * 40


def site(**status_fields: Any) -> StaticSite:
    return StaticSite.model_validate(
        {
            "metadata": {"namespace": "team", "name": "docs", "uid": "u1", "generation": 3},
            "spec": {"repo": "https://forge.example.com/team/docs", "domain": "docs.example.com", "pathPrefix": "/v1"},
            "status": status_fields or None,
        }
    )


def published(**skipped: int) -> Published:
    release = Release("u1", "https://forge.example.com/team/docs", "main", COMMIT, "", "t" * 40, skipped=skipped)
    return Published(release, changed=True)


def host(ready: str = "True") -> VirtualHost:
    route = {"site": {"namespace": "team", "name": "docs", "uid": "u1"}, "pathPrefix": "/v1", "root": "/team/docs"}
    states = [
        {"type": type_, "status": ready, "reason": "Seen", "message": f"{type_} is {ready}"}
        for type_ in ("IngressReady", "CertificateReady")
    ]
    resources = {"ingressRoute": "kup6s-pages/team--docs"}
    return VirtualHost.model_validate(
        {
            "metadata": {"namespace": "kup6s-pages", "name": "docs.example.com"},
            "spec": {
                "domain": "docs.example.com",
                "tls": {"secretName": "docs-example-com-tls"},
                "entryPoints": ["websecure"],
                "service": {},
                "routes": [route],
            },
            "status": {"conditions": states, "routes": [{"site": route["site"], "resources": resources}]},
        }
    )


def routed(ready: str = "True") -> Routing:
    return status.routings(None, [host(ready)])["team", "docs"]


def ready_of(built: StaticSiteStatus) -> Condition:
    found = conditions.find(built.conditions, "Ready")
    assert found
    return found


def test_a_published_and_routed_site_is_ready_at_its_url() -> None:
    built = status.build(site(), published(), routed(), NOW)
    assert (built.phase, built.url) == ("Ready", "https://docs.example.com/v1/")
    assert (built.last_sync, built.last_commit, built.observed_generation) == (NOW, COMMIT, 3)
    assert built.resources and built.resources.ingress_route == "kup6s-pages/team--docs"
    assert [(each.type, each.status) for each in built.conditions] == [
        ("Ready", "True"),
        ("Synced", "True"),
        ("IngressReady", "True"),
        ("CertificateReady", "True"),
    ]


def test_what_is_left_out_of_a_release_is_said() -> None:
    assert status.build(site(), published(symlink=2), routed(), NOW).message.endswith("not published: 2 symlinks")


def test_a_failed_sync_keeps_what_the_last_good_one_wrote() -> None:
    good = status.build(site(), published(), routed(), NOW)
    later = NOW + timedelta(minutes=5)
    failed = status.build(site(**good.dump()), BranchNotFound("the repository has no branch 'x'"), routed(), later)
    assert (failed.phase, failed.last_sync, failed.last_commit) == ("Error", NOW, COMMIT)
    assert ready_of(failed).reason == "BranchNotFound"
    assert failed.message == "the repository has no branch 'x'; the last good release stays live"


def test_a_rejected_domain_shows_at_the_site_with_the_reason() -> None:
    platform = Platform.model_validate(
        {
            "metadata": {"name": "platform"},
            "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
            "status": {
                "rejections": [{"namespace": "team", "name": "docs", "reason": "PathConflict", "message": "taken"}]
            },
        }
    )
    routing = status.routings(platform, [])["team", "docs"]
    built = status.build(site(), published(), routing, NOW)
    assert (built.phase, ready_of(built).reason, built.message, built.url) == ("Error", "PathConflict", "taken", None)


def test_a_new_site_waits_for_its_first_sync() -> None:
    built = status.build(site(), None, NOT_ROUTED, NOW)
    assert (built.phase, ready_of(built).status) == ("Syncing", "Unknown")


def test_a_certificate_that_is_not_ready_shows() -> None:
    built = status.build(site(), published(), routed("False"), NOW)
    assert built.phase == "Error"
    assert built.message == "IngressReady is False"


def test_the_transition_time_moves_only_when_the_condition_turns() -> None:
    good = status.build(site(), published(), routed(), NOW)
    later = NOW + timedelta(hours=2)
    again = status.build(site(**good.dump()), published(), routed(), later)
    assert ready_of(again).last_transition_time == NOW
    failed = status.build(site(**good.dump()), BranchNotFound("gone"), routed(), later)
    assert ready_of(failed).last_transition_time == later


def test_only_news_and_a_heartbeat_are_worth_a_write() -> None:
    good = status.build(site(), published(), routed(), NOW)
    soon = status.build(site(**good.dump()), published(), routed(), NOW + timedelta(minutes=5))
    late = status.build(site(**good.dump()), published(), routed(), NOW + status.HEARTBEAT)
    assert status.says_something_new(good, None)
    assert not status.says_something_new(soon, good)
    assert status.says_something_new(late, good)
    assert status.says_something_new(status.build(site(), BranchNotFound("x"), routed(), NOW), good)
