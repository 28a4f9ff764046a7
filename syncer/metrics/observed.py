"""Metrics that are computed when Prometheus reads them: the queue, the conditions and last syncs of sites."""

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
_MOST_REASONS = 100  # fewer exist: all are our own or cert-manager's
_OTHER = "Other"

LEADER = Metric(
    "gauge", "pages_syncer_leader", "1 if this syncer holds the Lease and is running, 0 if it is on standby."
)
LAST_ROUND = Metric(
    "gauge",
    "pages_syncer_last_round_timestamp_seconds",
    "Time of the last scheduling round; at most a minute old while healthy.",
)
SOURCES = Metric("gauge", "pages_sources", "Sources: repositories with a branch or revision. Sites may share one.")
RUNNING = Metric("gauge", "pages_queue_running", "Sources currently being synced.")
DUE = Metric(
    "gauge", "pages_queue_depth", "Sources that are due and wait for a worker, or for a pause of their server to end."
)
OLDEST = Metric(
    "gauge",
    "pages_queue_oldest_age_seconds",
    "Time since the oldest waiting source became due; 0 if none is waiting.",
)
WRITABLE = Metric("gauge", "pages_volume_writable", "1 if the last test write to the volume succeeded, else 0.")
SITES = Metric("gauge", "pages_sites", "StaticSites by condition and status.", ("condition", "status"))
NOT_TRUE = Metric(
    "gauge",
    "pages_sites_not_true",
    "StaticSites with a condition that is False or Unknown, by reason.",
    ("condition", "reason"),
)
SITE_SYNCED = Metric(
    "gauge",
    "pages_site_synced",
    "1 if the site's last sync succeeded, 0 if it failed; absent before the first one.",
    ("site_namespace", "site_name"),
)
SITE_LAST_SYNC = Metric(
    "gauge",
    "pages_site_last_success_timestamp_seconds",
    "Time of the site's last successful sync, changed or not.",
    ("site_namespace", "site_name"),
)
OMITTED = Metric(
    "gauge", "pages_sites_omitted", "Sites without individual metrics (--site-metrics-max, --no-site-metrics)."
)
METRICS = tuple(each for each in list(vars().values()) if isinstance(each, Metric))


class Observation(NamedTuple):
    """The state of the syncer at one moment. Sites, ``statuses`` and ``synced`` are by uid; times are epoch seconds."""

    backlog: Backlog
    sites: Mapping[str, StaticSite]
    statuses: Mapping[str, StaticSiteStatus]
    synced: Mapping[str, float]
    last_round: float
    volume_writable: bool


@dataclass(frozen=True)
class Observed:
    """A collector. Up to ``most_sites`` have individual metrics; ``look`` returns None while on standby."""

    look: Callable[[], Observation | None]
    leads: Callable[[], bool]
    most_sites: int = DEFAULT_MOST_SITES

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """All metrics, computed now."""
        yield LEADER.family(float(self.leads()))
        observation = self.look()
        if observation is None:
            return
        if observation.last_round:  # 0 while the volume keeps rounds from starting, which WRITABLE shows
            yield LAST_ROUND.family(observation.last_round)
        yield SOURCES.family(observation.backlog.keys)
        yield RUNNING.family(observation.backlog.running)
        yield DUE.family(observation.backlog.due)
        yield OLDEST.family(observation.backlog.oldest_seconds)
        yield WRITABLE.family(float(observation.volume_writable))
        yield from _by_condition(observation.statuses.values())
        yield from self._by_site(observation)

    def _by_site(self, observation: Observation) -> Iterator[GaugeMetricFamily]:
        synced, last_sync = SITE_SYNCED.family(), SITE_LAST_SYNC.family()
        for uid, site in sorted(observation.sites.items(), key=_name)[: self.most_sites]:
            labels = [site.metadata.namespace, site.metadata.name]
            status = observation.statuses.get(uid)
            condition = conditions.find(status.conditions, "Synced") if status else None
            if condition and condition.status != "Unknown":
                synced.add_metric(labels, float(condition.status == "True"))
            if moment := observation.synced.get(uid) or _last_sync(status):
                last_sync.add_metric(labels, moment)
        yield synced
        yield last_sync
        yield OMITTED.family(max(0, len(observation.sites) - self.most_sites))


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
    """The most frequent reasons, with the others summed up."""
    kept = Counter(dict(reasons.most_common(_MOST_REASONS)))
    for (condition, reason), number in reasons.items():
        if (condition, reason) not in kept:
            kept[condition, _OTHER] += number
    return kept


def _name(item: tuple[str, StaticSite]) -> SiteKey:
    return item[1].site_key


def _last_sync(status: StaticSiteStatus | None) -> float | None:
    return status.last_sync.timestamp() if status and status.last_sync else None
