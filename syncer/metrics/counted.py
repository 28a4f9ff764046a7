"""What the syncer counts while it works. Every label's values are ours, so that no tenant makes their number grow."""

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
    "Syncs of sites. result is published (visitors see something new), unchanged or failed; reason is the Synced "
    "condition's where it failed.",
    ("result", "reason"),
)
SYNC_SECONDS = Metric(
    "histogram",
    "pages_sync_duration_seconds",
    "Time from the beginning of a source's sync until a site's outcome was known, by result and reason.",
    ("result", "reason"),
    _SECONDS,
)
GIT_REQUESTS = Metric(
    "counter",
    "pages_git_requests_total",
    "Requests to git servers. kind is ask (where is the branch) or fetch; by is http (our own request) or git (where a "
    "server does not speak protocol 2); outcome is ok, or why it was of no use.",
    ("kind", "by", "outcome"),
)
GIT_SECONDS = Metric(
    "histogram",
    "pages_git_request_duration_seconds",
    "Time that a request to a git server took, by kind and by whom it was made.",
    ("kind", "by"),
    _SECONDS,
)
GIT_BYTES = Metric(
    "counter", "pages_git_received_bytes_total", "Bytes that git servers answered to our own requests, not to git's."
)
RELEASES_WRITTEN = Metric("counter", "pages_releases_written_total", "Releases that were written and went live.")
RELEASE_FILES = Metric(
    "counter",
    "pages_release_files_total",
    "Files of the releases that were written. how is written (new or changed), linked (taken over from the release "
    "before) or copied (taken over where the volume refuses hard links).",
    ("how",),
)
RELEASE_BYTES = Metric("counter", "pages_release_written_bytes_total", "Bytes of the files that were written.")
DAMAGED = Metric(
    "counter", "pages_releases_damaged_total", "Live releases that were found damaged on the volume and published anew."
)
RELEASES = Metric(
    "gauge",
    "pages_releases",
    "Releases on the volume at the last housekeeping. state is live (visitors see it) or kept (for a rollback, or for "
    "the grace time).",
    ("state",),
)
DISK_SIZE = Metric(
    "gauge", "pages_disk_size_bytes", "Size of the file system that the volume or the git cache is on.", ("disk",)
)
DISK_FREE = Metric(
    "gauge", "pages_disk_free_bytes", "Bytes that are free for us on the volume or in the git cache.", ("disk",)
)
DISK_INODES = Metric(
    "gauge", "pages_disk_inodes", "Files that the file system has room for; 0 where it has no such number.", ("disk",)
)
DISK_INODES_FREE = Metric(
    "gauge", "pages_disk_inodes_free", "Files that there is room for, of pages_disk_inodes.", ("disk",)
)
DELIVERIES = Metric(
    "counter",
    "pages_webhook_deliveries_total",
    "Webhook deliveries. outcome is queued, ignored, duplicate, refused (not signed as it must be), invalid (not "
    "understood), unavailable (this syncer is not the one at work) or failed.",
    ("forge", "outcome"),
)
COMMIT_STATUSES = Metric(
    "counter",
    "pages_commit_statuses_total",
    "Commit statuses that forges were told, by state; result is sent or failed (at that attempt).",
    ("state", "result"),
)
STATUS_WRITES = Metric(
    "counter",
    "pages_status_writes_total",
    "Writes of a StaticSite's status; result is written or failed (it is tried again).",
    ("result",),
)
EVENTS = Metric(
    "counter",
    "pages_events_total",
    "Kubernetes Events. result is written, failed (the API refused it), dropped (too many waited for the API) or "
    "withheld (too many of one site).",
    ("result",),
)
METRICS = (
    SYNCS,
    SYNC_SECONDS,
    GIT_REQUESTS,
    GIT_SECONDS,
    GIT_BYTES,
    RELEASES_WRITTEN,
    RELEASE_FILES,
    RELEASE_BYTES,
    DAMAGED,
    RELEASES,
    DISK_SIZE,
    DISK_FREE,
    DISK_INODES,
    DISK_INODES_FREE,
    DELIVERIES,
    COMMIT_STATUSES,
    STATUS_WRITES,
    EVENTS,
)


class Counted(Recorder):
    """The metrics of one process, in a registry of its own by default. From any thread."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = into = CollectorRegistry() if registry is None else registry
        self._syncs = SYNCS.counter(into)
        self._sync_seconds = SYNC_SECONDS.histogram(into)
        self._git_requests = GIT_REQUESTS.counter(into)
        self._git_seconds = GIT_SECONDS.histogram(into)
        self._git_bytes = GIT_BYTES.counter(into)
        self._releases_written = RELEASES_WRITTEN.counter(into)
        self._release_files = RELEASE_FILES.counter(into)
        self._release_bytes = RELEASE_BYTES.counter(into)
        self._damaged = DAMAGED.counter(into)
        self._releases = RELEASES.gauge(into)
        self._disk_size = DISK_SIZE.gauge(into)
        self._disk_free = DISK_FREE.gauge(into)
        self._disk_inodes = DISK_INODES.gauge(into)
        self._disk_inodes_free = DISK_INODES_FREE.gauge(into)
        self._deliveries = DELIVERIES.counter(into)
        self._commit_statuses = COMMIT_STATUSES.counter(into)
        self._status_writes = STATUS_WRITES.counter(into)
        self._events = EVENTS.counter(into)
        self._begin_at_zero()

    def sync_finished(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002 - a Recorder's
        """Count it by its result."""
        if not isinstance(outcome, Published):
            labels = ("failed", outcome.reason)
        else:
            labels = ("published" if outcome.changed else "unchanged", "")
            if outcome.changes:
                self._published(outcome.changes)
        self._syncs.labels(*labels).inc()
        self._sync_seconds.labels(*labels).observe(seconds)

    def git_requested(self, request: Request) -> None:
        """Count it by its kind."""
        self._git_requests.labels(request.kind, request.by, request.outcome).inc()
        self._git_seconds.labels(request.kind, request.by).observe(request.seconds)

    def git_received(self, size: int) -> None:
        """Count the bytes."""
        self._git_bytes.inc(size)

    def release_damaged(self, site: SiteKey) -> None:  # noqa: ARG002 - a Recorder's
        """Count it."""
        self._damaged.inc()

    def disks_measured(self, disks: Disks) -> None:
        """Show them until the next housekeeping."""
        for disk, room in disks.rooms.items():
            self._disk_size.labels(disk).set(room.size)
            self._disk_free.labels(disk).set(room.free)
            self._disk_inodes.labels(disk).set(room.inodes)
            self._disk_inodes_free.labels(disk).set(room.inodes_free)
        self._releases.labels("live").set(disks.live)
        self._releases.labels("kept").set(disks.kept)

    def delivery_answered(self, forge: str, outcome: str) -> None:
        """Count it by its outcome."""
        self._deliveries.labels(forge, outcome).inc()

    def commit_status_sent(self, state: str, result: str) -> None:
        """Count it by its result."""
        self._commit_statuses.labels(state, result).inc()

    def status_written(self, result: str) -> None:
        """Count it by its result."""
        self._status_writes.labels(result).inc()

    def event_written(self, result: str) -> None:
        """Count it by its result."""
        self._events.labels(result).inc()

    def _published(self, changes: Changes) -> None:
        self._releases_written.inc()
        self._release_files.labels("written").inc(changes.written)
        self._release_files.labels("linked").inc(changes.linked)
        self._release_files.labels("copied").inc(changes.copied)
        self._release_bytes.inc(changes.bytes)

    def _begin_at_zero(self) -> None:
        """What has never happened is 0 and not nothing, so that its first time is an increase."""
        for how in ("written", "linked", "copied"):
            self._release_files.labels(how)
        for result in ("written", "failed"):
            self._status_writes.labels(result)
            self._events.labels(result)
        for result in ("dropped", "withheld"):
            self._events.labels(result)
        for result in ("published", "unchanged"):
            self._syncs.labels(result, "")
        for forge in FORGES:
            for outcome in DELIVERED:
                self._deliveries.labels(forge, outcome)
