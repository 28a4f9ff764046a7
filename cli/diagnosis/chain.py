"""Where the chain from a StaticSite to its visitors stops: facts in, links out, nothing else."""

from datetime import timedelta

from cli.diagnosis import answers, remedies, tls, virtual_hosts
from cli.diagnosis.facts import Facts, condition, moment, status
from cli.diagnosis.verdicts import Link, broken, ok, waiting, warning
from cli.output import span
from pages import validation

# A syncer refreshes lastSync this often at the latest (`pages syncer --heartbeat`), and may be busy for as long again.
_HEARTBEAT = timedelta(hours=1)
_PATIENCE = timedelta(minutes=2)
# What fails after git has answered: in the published folder, on the volume, or of who may see it.
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


def judge(facts: Facts) -> list[Link]:
    """All links, in the order in which a change passes them."""
    steps = (
        _static_site,
        _syncer,
        _git,
        _release,
        virtual_hosts.virtual_host,
        virtual_hosts.ingress_route,
        tls.certificate,
        answers.request,
    )
    return [step(facts) for step in steps]


def _static_site(facts: Facts) -> Link:
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
    pinned = f", pinned to {spec['revision']} (spec.revision)" if spec.get("revision") else ""
    branch = f"branch {spec.get('branch', 'main')}" if not pinned else ""
    path = f", folder {spec['path']}" if spec.get("path", "/") != "/" else ""
    return ok(name, f"{facts.name}: {spec['repo']}, {branch}{pinned.lstrip(', ') if not branch else pinned}{path}")


def _syncer(facts: Facts) -> Link:
    """Whether anybody does anything at all."""
    name = "Syncer"
    if facts.served is not None:
        if facts.served:
            return ok(name, "`pages serve` is running")
        return broken(name, "NotRunning", "`pages serve` is not running", "start it again: pages serve …")
    return _lease(facts, name) or _by_its_status(facts, name)


def _lease(facts: Facts, name: str) -> Link | None:
    remedy = (
        f"kubectl -n {facts.system} get pods -l app.kubernetes.io/name=pages-syncer\n"
        f"kubectl -n {facts.system} logs -l app.kubernetes.io/name=pages-syncer --tail=50"
    )
    if facts.lease.hidden:
        return None
    spec = (facts.lease.object or {}).get("spec") or {}
    if not spec.get("holderIdentity"):
        return broken(
            name, "SyncerDown", f"no syncer is at work: nobody holds the Lease {facts.system}/pages-syncer", remedy
        )
    renewed = moment(spec.get("renewTime"))
    ended = renewed and renewed + 2 * timedelta(seconds=spec.get("leaseDurationSeconds") or 15)
    if renewed and ended and ended < facts.now:
        minutes = _ago(facts.now - renewed)
        return broken(
            name,
            "SyncerDown",
            f"the syncer is down: {spec['holderIdentity']} renewed its Lease {facts.system}/pages-syncer {minutes} ago",
            remedy,
        )
    return ok(name, f"{spec['holderIdentity']} is at work")


def _by_its_status(facts: Facts, name: str) -> Link:
    """For those who may not see the Lease: what the syncer has written, and what it has not."""
    ask = "ask the administrator whether the syncer runs (`pages doctor`)"
    said, metadata = status(facts.site), facts.site["metadata"]
    created = moment(metadata.get("creationTimestamp"))
    if not said.get("conditions"):
        if created and facts.now - created < _PATIENCE:
            return waiting(name, "NotSeen", "the syncer has not seen the site yet; it is new")
        return broken(name, "SyncerDown", "the syncer has never said anything of this site", ask)
    last = moment(said.get("lastSync"))
    interval = validation.duration(facts.site["spec"].get("syncInterval", "5m"))
    if condition(facts.site, "Synced").get("status") == "True" and last:
        late = facts.now - last - 2 * (_HEARTBEAT + interval)
        if late > timedelta(0):
            return broken(
                name, "SyncerStale", f"the last sync was {_ago(facts.now - last)} ago, and interval is {interval}", ask
            )
    if said.get("observedGeneration", 0) < metadata.get("generation", 0):
        return waiting(name, "NotSeen", "the syncer has not seen the last change of the StaticSite yet", ask)
    return ok(name, "it has seen the site as it is now (by its status; the Lease is not yours to see)")


def _git(facts: Facts) -> Link:
    name, synced = "Git", condition(facts.site, "Synced")
    reason, message = synced.get("reason", ""), synced.get("message", "")
    if synced.get("status") == "False" and reason not in _OF_RELEASE:
        return broken(name, reason, message, remedies.of_sync(facts, reason, message))
    if synced.get("status") not in {"True", "False"}:
        return waiting(name, reason or "Pending", message or "waiting for the first sync")
    last = moment(status(facts.site).get("lastSync"))
    return ok(
        name, f"{facts.site['spec']['repo']} answers" + (f"; looked at {_ago(facts.now - last)} ago" if last else "")
    )


def _release(facts: Facts) -> Link:
    name, synced, commit = "Release", condition(facts.site, "Synced"), status(facts.site).get("lastCommit")
    reason, message = synced.get("reason", ""), synced.get("message", "")
    if synced.get("status") == "False" and reason in _OF_RELEASE:
        return broken(name, reason, message, remedies.of_sync(facts, reason, message))
    if not commit:
        return waiting(name, "NoRelease", "nothing has been published yet")
    live = f"commit {commit[:12]} is live"
    if (facts.has_index is False or _is_empty(facts)) and not _page_came(facts):
        return broken(name, "NoIndex", f"{live}, and has no index.html at its top", remedies.no_index(facts))
    if (status(facts.site).get("rules") or {}).get("problems"):
        return warning(name, "RulesLeftOut", message)
    return ok(name, message if reason == "Synced" else live)


def _is_empty(facts: Facts) -> bool:
    return any(each.get("live") and each.get("files") == 0 for each in status(facts.site).get("releases") or [])


def _page_came(facts: Facts) -> bool:
    """A rule of the site may answer where there is no file."""
    return facts.answer is not None and 0 < facts.answer.status < 400  # noqa: PLR2004 - an error


def _ago(length: timedelta) -> str:
    return span(length, (" d", " h", " min", " s"))
