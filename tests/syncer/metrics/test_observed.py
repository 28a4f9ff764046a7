"""What is read of the syncer when Prometheus looks, with sites and reasons without end."""

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest

from pages.api import StaticSiteStatus
from pages.conditions import condition
from syncer.metrics.observed import Observation, Observed
from syncer.schedule.lanes import Backlog
from tests.support import metrics
from tests.support.objects import parsed_site

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BACKLOG = Backlog(keys=9, running=2, due=3, oldest_seconds=42.5)


def status(synced: bool | None, reason: str = "Synced", last_sync: datetime | None = None) -> StaticSiteStatus:
    return StaticSiteStatus(conditions=[condition("Synced", synced, reason)], last_sync=last_sync)


def look(
    statuses: dict[str, StaticSiteStatus], synced: dict[str, float] | None = None, most: int = 100
) -> metrics.Page:
    sites = {name: parsed_site(name) for name in statuses}
    seen = Observation(BACKLOG, sites, statuses, synced or {}, 1_700_000_000.0, volume_writable=True)
    registry = CollectorRegistry()
    registry.register(Observed(lambda: seen, lambda: True, most))
    return metrics.Page(generate_latest(registry).decode())


def test_the_queue() -> None:
    page = look({})
    assert page.value("pages_sources") == 9
    assert page.value("pages_queue_running") == 2
    assert page.value("pages_queue_depth") == 3
    assert page.value("pages_queue_oldest_age_seconds") == 42.5
    assert page.value("pages_syncer_last_round_timestamp_seconds") == 1_700_000_000


def test_the_last_sync_is_ours_or_what_the_status_says_since_before_we_started() -> None:
    page = look({"a": status(True, last_sync=NOW), "b": status(False, "GitFailed", NOW), "c": status(None)}, {"a": 5.0})
    name = "pages_site_last_success_timestamp_seconds"
    assert page.value(name, site_namespace="team", site_name="a") == 5
    assert page.value(name, site_namespace="team", site_name="b") == NOW.timestamp()
    assert page.value(name, site_namespace="team", site_name="c") is None
    assert page.value("pages_site_synced", site_namespace="team", site_name="c") is None


def test_of_too_many_sites_the_same_ones_are_shown_each_time() -> None:
    statuses = {f"site-{number:02}": status(True) for number in reversed(range(30))}
    page = look(statuses, most=10)
    shown = [labels["site_name"] for name, labels, _ in page.series() if name == "pages_site_synced"]
    assert shown == [f"site-{number:02}" for number in range(10)]
    assert page.value("pages_sites_omitted") == 20
    assert page.value("pages_sites", condition="Synced", status="True") == 30


def test_reasons_without_end_are_summed_up() -> None:
    page = look({f"s{number}": status(False, f"Reason{number}") for number in range(500)})
    found = [value for name, _, value in page.series() if name == "pages_sites_not_true"]
    assert (len(found), sum(found)) == (101, 500)
    assert metrics.mistakes(page.text) == []


def test_one_that_waits_for_the_lease_says_only_that() -> None:
    registry = CollectorRegistry()
    registry.register(Observed(lambda: None, lambda: False))
    assert metrics.Page(generate_latest(registry).decode()).names() == {"pages_syncer_leader"}
