"""What is read of the syncer when Prometheus looks: the queue, the sites' conditions, each site's last sync."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily

from pages import conditions
from pages.api import SiteKey, StaticSite, StaticSiteStatus
from pages.metrics import Metric
from syncer.schedule.lanes import Backlog

DEFAULT_MOST_SITES = 5_000
_CONDITIONS = ("Ready", "Synced", "IngressReady", "CertificateReady")
_STATUSES = ("True", "False", "Unknown")
_MOST_REASONS = 100  # all are ours or cert-manager's, so there are fewer
_OTHER = "Other"

LEADER = Metric(
    "gauge", "pages_syncer_leader", "1 where this syncer holds the Lease and is the one at work, 0 where it waits."
)
LAST_ROUND = Metric(
    "gauge",
    "pages_syncer_last_round_timestamp_seconds",
    "When the syncer last looked what there is to do; at most a minute ago while it is well.",
)
SOURCES = Metric("gauge", "pages_sources", "Repositories and branches that are followed; sites may share one.")
RUNNING = Metric("gauge", "pages_queue_running", "Sources that are being synced.")
DUE = Metric(
    "gauge", "pages_queue_depth", "Sources that are due and wait for a worker, or for their server to be asked again."
)
OLDEST = Metric(
    "gauge",
    "pages_queue_oldest_age_seconds",
    "For how long the oldest of the sources that wait has been due; 0 where none waits.",
)
WRITABLE = Metric(
    "gauge", "pages_volume_writable", "1 where the volume could be written when it was last tried, else 0."
)
SITES = Metric("gauge", "pages_sites", "StaticSites by the status of their conditions.", ("condition", "status"))
NOT_TRUE = Metric(
    "gauge",
    "pages_sites_not_true",
    "StaticSites of which a condition is False or Unknown, by its reason.",
    ("condition", "reason"),
)
SITE_SYNCED = Metric(
    "gauge",
    "pages_site_synced",
    "1 where the site's last sync went well, 0 where it failed; nothing while the first is awaited.",
    ("site_namespace", "site_name"),
)
SITE_LAST_SYNC = Metric(
    "gauge",
    "pages_site_last_success_timestamp_seconds",
    "When the site was last synced well, be there something new or not.",
    ("site_namespace", "site_name"),
)
OMITTED = Metric(
    "gauge", "pages_sites_omitted", "Sites without metrics of their own (--site-metrics-max, --no-site-metrics)."
)
METRICS = (
    LEADER,
    LAST_ROUND,
    SOURCES,
    RUNNING,
    DUE,
    OLDEST,
    WRITABLE,
    SITES,
    NOT_TRUE,
    SITE_SYNCED,
    SITE_LAST_SYNC,
    OMITTED,
)


class Observation(NamedTuple):
    """The work at one moment. ``statuses`` and ``synced`` are by the site's uid; times are of the day."""

    backlog: Backlog
    sites: Mapping[str, StaticSite]
    statuses: Mapping[str, StaticSiteStatus]
    synced: Mapping[str, float]
    last_round: float
    volume_writable: bool


@dataclass(frozen=True)
class Observed:
    """A collector. ``most_sites`` have metrics of their own, by name; ``look`` finds None where another works."""

    look: Callable[[], Observation | None]
    leads: Callable[[], bool]
    most_sites: int = DEFAULT_MOST_SITES

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What Prometheus is told."""
        yield LEADER.family(float(self.leads()))
        seen = self.look()
        if seen is None:
            return
        if seen.last_round:  # else the volume keeps it from going round at all, which WRITABLE says
            yield LAST_ROUND.family(seen.last_round)
        yield SOURCES.family(seen.backlog.keys)
        yield RUNNING.family(seen.backlog.running)
        yield DUE.family(seen.backlog.due)
        yield OLDEST.family(seen.backlog.oldest_seconds)
        yield WRITABLE.family(float(seen.volume_writable))
        yield from _by_condition(seen.statuses.values())
        yield from self._by_site(seen)

    def _by_site(self, seen: Observation) -> Iterator[GaugeMetricFamily]:
        synced, last_sync = SITE_SYNCED.family(), SITE_LAST_SYNC.family()
        for uid, site in sorted(seen.sites.items(), key=_name)[: self.most_sites]:
            labels = [site.metadata.namespace, site.metadata.name]
            status = seen.statuses.get(uid)
            known = conditions.find(status.conditions, "Synced") if status else None
            if known and known.status != "Unknown":
                synced.add_metric(labels, float(known.status == "True"))
            if moment := seen.synced.get(uid) or _last_sync(status):
                last_sync.add_metric(labels, moment)
        yield synced
        yield last_sync
        yield OMITTED.family(max(0, len(seen.sites) - self.most_sites))


def _by_condition(statuses: Iterable[StaticSiteStatus]) -> Iterator[GaugeMetricFamily]:
    counts: Counter[tuple[str, str]] = Counter({(each, status): 0 for each in _CONDITIONS for status in _STATUSES})
    reasons: Counter[tuple[str, str]] = Counter()
    for status in statuses:
        for each in status.conditions:
            counts[each.type, each.status] += 1
            if each.status != "True":
                reasons[each.type, each.reason] += 1
    sites, not_true = SITES.family(), NOT_TRUE.family()
    for (condition, state), number in counts.items():
        sites.add_metric([condition, state], number)
    for (condition, reason), number in _bounded(reasons).items():
        not_true.add_metric([condition, reason], number)
    yield sites
    yield not_true


def _bounded(reasons: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """The most frequent reasons; the rest together, should there ever be so many."""
    kept = Counter(dict(reasons.most_common(_MOST_REASONS)))
    for (condition, reason), number in reasons.items():
        if (condition, reason) not in kept:
            kept[condition, _OTHER] += number
    return kept


def _name(item: tuple[str, StaticSite]) -> SiteKey:
    return item[1].site_key


def _last_sync(status: StaticSiteStatus | None) -> float | None:
    return status.last_sync.timestamp() if status and status.last_sync else None
