"""From the StaticSite to its release: what the site asks for, and what the syncer has reported about it."""

from datetime import timedelta
from http import HTTPStatus

from cli.diagnosis import remedies, syncer_lease
from cli.diagnosis.facts import Condition, Facts, condition, moment, status
from cli.diagnosis.verdicts import Verdict, broken, ok, waiting, warning
from pages import spans, validation

# The syncer refreshes lastSync at least this often (`pages syncer --heartbeat`), and may be busy for as long again.
_HEARTBEAT = timedelta(hours=1)
_NEW = timedelta(minutes=2)
# Failures after git has answered: in the published folder, on the volume, or in who may visit the site.
_OF_RELEASE = {
    "SiteClosed",
    "SubpathNotFound",
    "NotADirectory",
    "NothingToPublish",
    "LimitExceeded",
    "QuotaExceeded",
    "StorageFull",
    "StorageFailed",
}


def static_site(facts: Facts) -> Verdict:
    """Whether the StaticSite asks for anything to be published."""
    name, spec, metadata = "StaticSite", facts.site["spec"], facts.site["metadata"]
    if metadata.get("deletionTimestamp"):
        return broken(name, "Deleted", f"{facts.name} is being deleted")
    if spec.get("suspend"):
        return broken(
            name,
            "Suspended",
            f"{facts.name} is suspended (spec.suspend is true): nothing new is published",
            remedies.change(facts, '{"spec": {"suspend": false}}', "set spec.suspend to false"),
        )
    pinned = f"pinned to {spec['revision']} (spec.revision)" if spec.get("revision") else ""
    source = pinned or f"branch {spec.get('branch', 'main')}"
    path = f", folder {spec['path']}" if spec.get("path", "/") != "/" else ""
    return ok(name, f"{facts.name}: {spec['repo']}, {source}{path}")


def syncer(facts: Facts) -> Verdict:
    """Whether a syncer is running."""
    name = "Syncer"
    if facts.served:
        return ok(name, "`pages serve` is running")
    if facts.served is not None:
        return broken(name, "NotRunning", "`pages serve` is not running", "start it again: pages serve …")
    return (
        _by_status(facts, name)
        if facts.lease.hidden
        else syncer_lease.syncer(facts.lease.object, facts.system, facts.now)
    )


def _by_status(facts: Facts, name: str) -> Verdict:
    """For users who cannot view the Lease: judge by what the syncer has written."""
    ask = "ask the administrator whether the syncer is running (`pages doctor`)"
    if not status(facts.site).get("conditions"):
        return _not_reported(facts, name, ask)
    last = moment(status(facts.site).get("lastSync"))
    if condition(facts.site, "Synced").is_true and last:
        interval = validation.duration(facts.site["spec"].get("syncInterval", "5m"))
        if facts.now - last > 2 * (_HEARTBEAT + interval):
            text = f"the last sync was {spans.show(facts.now - last)} ago, although spec.syncInterval is {interval}"
            return broken(name, "SyncerStale", text, ask)
    if status(facts.site).get("observedGeneration", 0) < facts.site["metadata"].get("generation", 0):
        return waiting(name, "NotSeen", "the syncer has not processed the latest change of the StaticSite yet", ask)
    return ok(name, "the syncer has processed the latest change (you lack permission to view the Lease)")


def _not_reported(facts: Facts, name: str, ask: str) -> Verdict:
    created = moment(facts.site["metadata"].get("creationTimestamp"))
    if created and facts.now - created < _NEW:
        return waiting(name, "NotSeen", "the StaticSite is new, and the syncer has not reported on it yet")
    return broken(name, "SyncerDown", "the syncer has never reported on this site", ask)


def git(facts: Facts) -> Verdict:
    """Whether the repository has what the site asks for."""
    name, synced = "Git", condition(facts.site, "Synced")
    if synced.is_false and synced.reason not in _OF_RELEASE:
        return _failed(facts, name, synced)
    if not synced.is_decided:
        return waiting(name, synced.reason or "Pending", synced.message or "waiting for the first sync")
    last = moment(status(facts.site).get("lastSync"))
    ago = f"; last checked {spans.show(facts.now - last)} ago" if last else ""
    return ok(name, f"{facts.site['spec']['repo']} answers{ago}")


def release(facts: Facts) -> Verdict:
    """Whether a release is live, and has a first page."""
    name, synced, commit = "Release", condition(facts.site, "Synced"), status(facts.site).get("lastCommit")
    if synced.is_false and synced.reason in _OF_RELEASE:
        return _failed(facts, name, synced)
    if not commit:
        return waiting(name, "NoRelease", "nothing has been published yet")
    live = f"commit {commit[:12]} is live"
    if _has_no_index(facts):
        return broken(name, "NoIndex", f"{live}, but has no index.html at its top", remedies.no_index(facts))
    if (status(facts.site).get("rules") or {}).get("problems"):
        return warning(name, "RulesLeftOut", synced.message)
    return ok(name, synced.message if synced.reason == "Synced" else live)


def _failed(facts: Facts, name: str, synced: Condition) -> Verdict:
    return broken(name, synced.reason, synced.message, remedies.of_sync(facts, synced.reason, synced.message))


def _has_no_index(facts: Facts) -> bool:
    """Whether the first page is missing; a rule of the site may respond where there is no file."""
    if facts.response is not None and 0 < facts.response.status < HTTPStatus.BAD_REQUEST:
        return False
    live = [each for each in status(facts.site).get("releases") or [] if each.get("live")]
    return facts.has_index is False or any(each.get("files") == 0 for each in live)
