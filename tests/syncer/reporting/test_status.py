from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import yaml

from pages import conditions
from pages.api import Platform, StaticSiteStatus, VirtualHost
from pages.conditions import Condition
from syncer.errors import BranchNotFound, SecretForbidden
from syncer.outcome import Published
from syncer.reporting import status
from syncer.reporting.observed_routes import Routing, Routings
from syncer.volume.records import Release
from tests.support.objects import parsed_site

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
COMMIT = "c" * 40
docs = partial(
    parsed_site,
    "docs",
    metadata={"uid": "u1", "generation": 3},
    repo="https://forge.example.com/team/docs",
    domain="docs.example.com",
    pathPrefix="/v1",
)


def published(**skipped: int) -> Published:
    release = Release("u1", "https://forge.example.com/team/docs", "main", COMMIT, "", "t" * 40, skipped=skipped)
    return Published(release, changed=True)


def platform(**platform_status: Any) -> Platform:
    return Platform.model_validate(
        {
            "metadata": {"name": "platform"},
            "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
            "status": platform_status,
        }
    )


def host(ready: str = "True", generation: int = 1, prefix: str = "/v1") -> VirtualHost:
    route = {"site": {"namespace": "team", "name": "docs", "uid": "u1"}, "pathPrefix": prefix, "root": "/team/docs"}
    states = [
        {"type": type_, "status": ready, "reason": "Seen", "message": f"{type_} is {ready}"}
        for type_ in ("IngressReady", "CertificateReady")
    ]
    resources = {"ingressRoute": "kup6s-pages/team--docs"}
    return VirtualHost.model_validate(
        {
            "metadata": {"namespace": "kup6s-pages", "name": "docs.example.com", "generation": generation},
            "spec": {
                "domain": "docs.example.com",
                "tls": {"secretName": "docs-example-com-tls"},
                "entryPoints": ["websecure"],
                "service": {},
                "routes": [route],
            },
            "status": {
                "observedGeneration": 1,
                "conditions": states,
                "routes": [{"site": route["site"], "resources": resources}],
            },
        }
    )


def routed(ready: str = "True") -> Routing:
    return Routings(platform(), [host(ready)]).of(docs())


def ready_of(built: StaticSiteStatus) -> Condition:
    found = conditions.find(built.conditions, "Ready")
    assert found
    return found


def test_a_published_and_routed_site_is_ready_at_its_url() -> None:
    built = status.build(docs(), published(), routed(), NOW)
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
    said = status.build(docs(), published(symlink=2), routed(), NOW).message
    assert "; not published: 2 symlinks (only those" in said


def test_a_failed_sync_keeps_what_the_last_good_one_wrote() -> None:
    good = status.build(docs(), published(), routed(), NOW)
    later = NOW + timedelta(minutes=5)
    failed = status.build(docs(status=good.dump()), BranchNotFound("the repository has no branch 'x'"), routed(), later)
    assert (failed.phase, failed.last_sync, failed.last_commit) == ("Error", NOW, COMMIT)
    assert ready_of(failed).reason == "BranchNotFound"
    assert failed.message == "the repository has no branch 'x'; the last good release stays live"


def test_a_rejected_domain_shows_at_the_site_with_the_reason() -> None:
    rejection = {"namespace": "team", "name": "docs", "reason": "PathConflict", "message": "taken"}
    routing = Routings(platform(rejections=[rejection])).of(docs())
    built = status.build(docs(), published(), routing, NOW)
    assert (built.phase, ready_of(built).reason, built.message, built.url) == ("Error", "PathConflict", "taken", None)


def test_a_new_site_waits_for_its_first_sync() -> None:
    built = status.build(docs(), None, Routing(platform()), NOW)
    assert (built.phase, ready_of(built).status) == ("Syncing", "Unknown")


def test_a_changed_site_is_not_ready_before_it_is_synced_again() -> None:
    good = status.build(docs(), published(), routed(), NOW)
    edited = docs(status=good.dump())
    edited = edited.model_copy(update={"metadata": edited.metadata.model_copy(update={"generation": 4})})
    built = status.build(edited, None, routed(), NOW)
    assert (built.phase, built.observed_generation, ready_of(built).status) == ("Syncing", 4, "Unknown")
    assert status.build(edited, published(), routed(), NOW).phase == "Ready"


@pytest.mark.parametrize(
    ("routing", "reason", "message"),
    [
        (Routing(), "NoPlatform", "ask the administrator"),
        (Routing(platform()), "Pending", "waiting for the route to docs.example.com/v1"),
        (
            Routing(
                platform(conditions=[{"type": "Ready", "status": "False", "reason": "InvalidSpec", "message": "x"}])
            ),
            "PlatformInvalid",
            "fix the Platform: x",
        ),
        (Routings(platform(), [host(prefix="/v2")]).of(docs()), "Pending", "waiting for the route"),
        (Routings(platform(), [host(generation=2)]).of(docs()), "Pending", "are being changed"),
    ],
)
def test_what_speaks_of_another_route_says_nothing_of_this_one(routing: Routing, reason: str, message: str) -> None:
    built = status.build(docs(), published(), routing, NOW)
    assert (built.phase, ready_of(built).status, ready_of(built).reason) == ("Pending", "Unknown", reason)
    assert message in built.message


def test_what_to_apply_stands_at_the_end_of_the_message() -> None:
    before = status.build(docs(), published(), routed(), NOW)
    forbidden = SecretForbidden("team", "token", "kup6s-pages")
    message = status.build(docs(status=before.dump()), forbidden, routed(), NOW).message
    sentence, _, remedy = message.partition("\n")
    assert sentence.endswith("the last good release stays live")
    assert [each["kind"] for each in yaml.safe_load_all(remedy)] == ["Role", "RoleBinding"]


def test_a_certificate_that_is_not_ready_shows() -> None:
    built = status.build(docs(), published(), routed("False"), NOW)
    assert built.phase == "Error"
    assert built.message == "IngressReady is False"


def test_the_transition_time_moves_only_when_the_condition_turns() -> None:
    good = status.build(docs(), published(), routed(), NOW)
    later = NOW + timedelta(hours=2)
    again = status.build(docs(status=good.dump()), published(), routed(), later)
    assert ready_of(again).last_transition_time == NOW
    failed = status.build(docs(status=good.dump()), BranchNotFound("gone"), routed(), later)
    assert ready_of(failed).last_transition_time == later


def test_only_news_and_a_heartbeat_are_worth_a_write() -> None:
    good = status.build(docs(), published(), routed(), NOW)
    soon = status.build(docs(status=good.dump()), published(), routed(), NOW + timedelta(minutes=5))
    late = status.build(docs(status=good.dump()), published(), routed(), NOW + status.HEARTBEAT)
    assert status.is_worth_writing(good, None)
    assert not status.is_worth_writing(soon, good)
    assert status.is_worth_writing(late, good)
    assert status.is_worth_writing(status.build(docs(), BranchNotFound("x"), routed(), NOW), good)
