"""Counts what happens in the syncer. All label values are our own, so that tenants cannot multiply the series."""

from prometheus_client import CollectorRegistry

from pages.api import SiteKey, StaticSite
from pages.metrics import Metric
from syncer.disk.room import Disks
from syncer.git.traffic import Request
from syncer.outcome import Outcome, Published
from syncer.recorder import Recorder
from syncer.volume.writing import Changes
from syncer.webhooks.receiver import FORGES

DELIVERED = ("queued", "ignored", "duplicate", "refused", "invalid", "unavailable", "failed")
_SECONDS = (0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)

SYNCS = Metric(
    "counter",
    "pages_syncs_total",
    "Syncs of sites. result is published (visitors see something new), unchanged or failed; reason is that of the "
    "Synced condition of a failed sync.",
    ("result", "reason"),
)
SYNC_SECONDS = Metric(
    "histogram",
    "pages_sync_duration_seconds",
    "Time from the start of a source's sync to a site's outcome, by result and reason.",
    ("result", "reason"),
    _SECONDS,
)
GIT_REQUESTS = Metric(
    "counter",
    "pages_git_requests_total",
    "Requests to git servers. kind is ask (for the commit of a branch) or fetch; by is http (our own client) or git "
    "(for servers without protocol 2); outcome is ok or the reason of the failure.",
    ("kind", "by", "outcome"),
)
GIT_SECONDS = Metric(
    "histogram",
    "pages_git_request_duration_seconds",
    "Duration of requests to git servers, by kind and client.",
    ("kind", "by"),
    _SECONDS,
)
GIT_BYTES = Metric(
    "counter", "pages_git_received_bytes_total", "Bytes received by the syncer's own HTTP requests, excluding git's."
)
RELEASES_WRITTEN = Metric("counter", "pages_releases_written_total", "Releases written that went live.")
RELEASE_FILES = Metric(
    "counter",
    "pages_release_files_total",
    "Files of the releases written. how is written (new or changed), linked (unchanged, by hard link) or copied "
    "(unchanged, on a volume that refuses hard links).",
    ("how",),
)
RELEASE_BYTES = Metric("counter", "pages_release_written_bytes_total", "Bytes of new and changed files.")
DAMAGED = Metric(
    "counter", "pages_releases_damaged_total", "Live releases found damaged on the volume and published again."
)
RELEASES = Metric(
    "gauge",
    "pages_releases",
    "Releases on the volume at the last housekeeping. state is live (served to visitors) or kept (for rollbacks, or "
    "until the grace time ends).",
    ("state",),
)
DISK_SIZE = Metric(
    "gauge", "pages_disk_size_bytes", "Size of the file system of the volume or the git cache.", ("disk",)
)
DISK_FREE = Metric(
    "gauge", "pages_disk_free_bytes", "Free bytes available to the syncer on the volume or in the git cache.", ("disk",)
)
DISK_INODES = Metric(
    "gauge", "pages_disk_inodes", "Inodes of the file system; 0 where it has no fixed number.", ("disk",)
)
DISK_INODES_FREE = Metric("gauge", "pages_disk_inodes_free", "Free inodes, out of pages_disk_inodes.", ("disk",))
DELIVERIES = Metric(
    "counter",
    "pages_webhook_deliveries_total",
    "Webhook deliveries. outcome is queued, ignored, duplicate, refused (missing or wrong signature), invalid (not "
    "readable), unavailable (this syncer is on standby) or failed.",
    ("forge", "outcome"),
)
COMMIT_STATUSES = Metric(
    "counter",
    "pages_commit_statuses_total",
    "Commit statuses sent to forges, by state; result is sent or failed (this attempt).",
    ("state", "result"),
)
STATUS_WRITES = Metric(
    "counter",
    "pages_status_writes_total",
    "Status writes of StaticSites. result is written or failed (the syncer retries).",
    ("result",),
)
EVENTS = Metric(
    "counter",
    "pages_events_total",
    "Kubernetes Events. result is written, failed (the API refused it), dropped (too many were queued) or withheld "
    "(too many for one site).",
    ("result",),
)
METRICS = tuple(each for each in list(vars().values()) if isinstance(each, Metric))


class Counted(Recorder):
    """The metrics of one process, in a registry of its own by default, counted from any thread."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._counters = {each: each.counter(self.registry) for each in METRICS if each.kind == "counter"}
        self._gauges = {each: each.gauge(self.registry) for each in METRICS if each.kind == "gauge"}
        self._histograms = {each: each.histogram(self.registry) for each in METRICS if each.kind == "histogram"}
        self._begin_at_zero()

    def sync_finished(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002 - a Recorder's
        """Count the outcome of a site's sync."""
        if not isinstance(outcome, Published):
            labels = ("failed", outcome.reason)
        else:
            labels = ("published" if outcome.changed else "unchanged", "")
            if outcome.changes:
                self._published(outcome.changes)
        self._counters[SYNCS].labels(*labels).inc()
        self._histograms[SYNC_SECONDS].labels(*labels).observe(seconds)

    def git_requested(self, request: Request) -> None:
        """Count a request to a git server."""
        self._counters[GIT_REQUESTS].labels(request.kind, request.by, request.outcome).inc()
        self._histograms[GIT_SECONDS].labels(request.kind, request.by).observe(request.seconds)

    def git_received(self, size: int) -> None:
        """Count bytes of an answer."""
        self._counters[GIT_BYTES].inc(size)

    def release_damaged(self, site: SiteKey) -> None:  # noqa: ARG002 - a Recorder's
        """Count a live release that is damaged."""
        self._counters[DAMAGED].inc()

    def disks_measured(self, disks: Disks) -> None:
        """Show the disks as the housekeeping measured them."""
        for disk, room in disks.rooms.items():
            self._gauges[DISK_SIZE].labels(disk).set(room.size)
            self._gauges[DISK_FREE].labels(disk).set(room.free)
            self._gauges[DISK_INODES].labels(disk).set(room.inodes)
            self._gauges[DISK_INODES_FREE].labels(disk).set(room.inodes_free)
        self._gauges[RELEASES].labels("live").set(disks.live)
        self._gauges[RELEASES].labels("kept").set(disks.kept)

    def delivery_answered(self, forge: str, outcome: str) -> None:
        """Count the answer to a webhook's delivery."""
        self._counters[DELIVERIES].labels(forge, outcome).inc()

    def commit_status_sent(self, state: str, result: str) -> None:
        """Count an attempt to send a commit's status."""
        self._counters[COMMIT_STATUSES].labels(state, result).inc()

    def status_written(self, result: str) -> None:
        """Count an attempt to write a site's status."""
        self._counters[STATUS_WRITES].labels(result).inc()

    def event_written(self, result: str) -> None:
        """Count an Event by its result."""
        self._counters[EVENTS].labels(result).inc()

    def _published(self, changes: Changes) -> None:
        self._counters[RELEASES_WRITTEN].inc()
        self._counters[RELEASE_FILES].labels("written").inc(changes.written)
        self._counters[RELEASE_FILES].labels("linked").inc(changes.linked)
        self._counters[RELEASE_FILES].labels("copied").inc(changes.copied)
        self._counters[RELEASE_BYTES].inc(changes.bytes)

    def _begin_at_zero(self) -> None:
        """Show 0 for what has not happened yet, so that its first time is an increase."""
        for how in ("written", "linked", "copied"):
            self._counters[RELEASE_FILES].labels(how)
        for result in ("written", "failed"):
            self._counters[STATUS_WRITES].labels(result)
            self._counters[EVENTS].labels(result)
        for result in ("dropped", "withheld"):
            self._counters[EVENTS].labels(result)
        for result in ("published", "unchanged"):
            self._counters[SYNCS].labels(result, "")
        for forge in FORGES:
            for outcome in DELIVERED:
                self._counters[DELIVERIES].labels(forge, outcome)
