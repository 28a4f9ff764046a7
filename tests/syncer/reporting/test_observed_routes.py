"""What a StaticSite's status says of its aliases, its rules and its suspension."""

from typing import Any

import pytest

from pages import conditions
from pages.api import Platform, SiteRules, StaticSite, VirtualHost
from pages.conditions import Condition
from syncer.errors import SiteClosed
from syncer.outcome import Published
from syncer.reporting import status
from syncer.reporting.observed_routes import Routing, Routings, aliases_ready
from syncer.volume.records import Release
from tests.syncer.reporting.test_status import COMMIT, NOW, docs, host, platform, published


def alias(domain: str, ready: str = "True", generation: int = 1) -> VirtualHost:
    route = {"site": {"namespace": "team", "name": "docs"}, "root": "/team/docs"}
    return VirtualHost.model_validate(
        {
            "metadata": {"namespace": "kup6s-pages", "name": domain, "generation": generation},
            "spec": {
                "domain": domain,
                "entryPoints": ["websecure"],
                "service": {},
                "routes": [route | {"redirectTo": {"domain": "docs.example.com", "pathPrefix": "/v1"}}],
            },
            "status": {
                "observedGeneration": 1,
                "conditions": [{"type": "Ready", "status": ready, "reason": "Seen", "message": "it was seen"}],
            },
        }
    )


def rejected(domain: str) -> Platform:
    rejection = {"namespace": "team", "name": "docs", "reason": "DomainConflict", "message": "choose another domain"}
    return platform(rejections=[rejection | {"alias": domain}])


def said(of: StaticSite, known: Platform, *hosts: VirtualHost) -> dict[str, Condition]:
    routing = Routings(known, [host(), *hosts]).of(of)
    built = status.build(of, published(), routing, NOW)
    assert built.url == "https://docs.example.com/v1/"
    return {each.type: each for each in built.conditions}


def test_a_site_without_aliases_says_nothing_of_them() -> None:
    assert "AliasesReady" not in said(docs(), platform())


def test_aliases_that_redirect_are_ready() -> None:
    found = said(
        docs(aliases=["a.example.org", "b.example.org"]), platform(), alias("a.example.org"), alias("b.example.org")
    )
    assert (found["AliasesReady"].status, found["AliasesReady"].reason) == ("True", "Routed")
    assert found["AliasesReady"].message == "a.example.org, b.example.org redirect here"


def test_an_alias_that_is_where_the_site_is_served_anyhow_is_not_awaited() -> None:
    own = docs(aliases=["docs.example.com"], domain=None, pathPrefix="")  # the platform gives it that domain
    routing = Routings(platform(), [host(prefix="")]).of(own)
    (found,) = aliases_ready(own, routing)
    assert (found.status, found.reason) == ("True", "Routed")


@pytest.mark.parametrize("hosts", [[], [alias("a.example.org", "Unknown")], [alias("a.example.org", generation=2)]])
def test_an_alias_that_is_awaited_says_so(hosts: list[VirtualHost]) -> None:
    found = said(docs(aliases=["a.example.org"]), platform(), *hosts)
    assert found["AliasesReady"].status == "Unknown"
    assert found["Ready"].status == "True"


def test_a_rejected_alias_is_said_and_spoils_nothing() -> None:
    found = said(docs(aliases=["a.example.org", "b.example.org"]), rejected("a.example.org"), alias("b.example.org"))
    assert (found["AliasesReady"].status, found["AliasesReady"].reason) == ("False", "DomainConflict")
    assert (found["Ready"].status, found["IngressReady"].status) == ("True", "True")
    assert "alias a.example.org is not served: choose another domain" in found["Ready"].message


def test_an_alias_whose_certificate_fails_is_said_and_spoils_nothing() -> None:
    found = said(docs(aliases=["a.example.org"]), platform(), alias("a.example.org", "False"))
    assert found["AliasesReady"].message == "alias a.example.org is not served: it was seen"
    assert found["Ready"].status == "True"


def with_rules(**rules: Any) -> Published:
    release = Release("u1", "https://forge.example.com/team/docs", "main", COMMIT, "", "t" * 40, rules=rules)
    return Published(release, changed=True)


def test_counts_and_problems_of_the_rules_stay_in_the_status() -> None:
    problem = {"file": "_redirects", "line": 3, "message": "there is no target"}
    built = status.build(docs(), with_rules(live=2, rejected=1, problems=[problem]), Routing(), NOW)
    assert built.dump()["rules"] == {"live": 2, "noEffect": 0, "rejected": 1, "problems": [problem]}
    synced = conditions.find(built.conditions, "Synced")
    assert synced and synced.status == "True"
    assert "_redirects:3 there is no target" in synced.message
    later = status.build(docs().model_copy(update={"status": built}), None, Routing(), NOW)
    assert later.rules == built.rules
    assert not status.is_worth_writing(later, built)
    assert status.build(docs(), with_rules(), Routing(), NOW).rules == SiteRules()


def test_rules_that_the_version_before_recorded_are_dropped() -> None:
    lists = {"redirects": [{"from": "/a", "to": "/b", "status": 302}], "headers": []}
    assert status.build(docs(), with_rules(**lists), Routing(), NOW).rules == SiteRules()
    recorded = docs(status={"lastCommit": COMMIT, "rules": lists})
    assert recorded.status and recorded.status.rules == SiteRules()


@pytest.mark.parametrize("rules", ["text", 7, [], {"live": "x"}, {"problems": "x"}])
def test_h2_invalid_rules_in_a_status_count_as_none(rules: Any) -> None:
    site = docs(status={"lastCommit": COMMIT, "rules": rules})
    assert site.status and site.status.rules is None
    assert site.status.last_commit == COMMIT


def test_a_suspended_site_says_so_whatever_else_there_is() -> None:
    live = status.build(
        docs(suspend=True, status={"lastCommit": COMMIT}), None, Routings(platform(), [host()]).of(docs()), NOW
    )
    synced = conditions.find(live.conditions, "Synced")
    assert synced and (synced.status, synced.reason) == ("True", "Suspended")
    assert "cccccccccccc stays live" in synced.message
    assert (live.phase, live.last_commit) == ("Suspended", COMMIT)
    never = status.build(docs(suspend=True), None, Routing(), NOW)
    synced = conditions.find(never.conditions, "Synced")
    assert synced and (synced.status, synced.reason, never.phase) == ("False", "Suspended", "Suspended")


def test_a_closed_site_does_not_say_that_its_release_stays_live() -> None:
    built = status.build(
        docs(status={"lastCommit": COMMIT}), SiteClosed("the site is closed: x", "kind: Role"), Routing(), NOW
    )
    synced = conditions.find(built.conditions, "Synced")
    assert synced and (synced.reason, synced.message) == ("SiteClosed", "the site is closed: x\nkind: Role")
    assert built.phase == "Error"
