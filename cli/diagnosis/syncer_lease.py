"""Whether a syncer holds the Lease: the one judgement of `pages why` and `pages doctor`."""

from datetime import datetime, timedelta

from cli.diagnosis.facts import Object, moment
from cli.diagnosis.verdicts import Verdict, broken, ok
from pages import spans

_NAME = "Syncer"
_DEFAULT_SECONDS = 15


def syncer(lease: Object | None, system: str, now: datetime) -> Verdict:
    """The Lease of the system namespace, None where there is none."""
    spec = (lease or {}).get("spec") or {}
    holder, renewed = spec.get("holderIdentity"), moment(spec.get("renewTime"))
    if not holder or renewed is None:
        return _down(f"no syncer is running: the Lease {system}/pages-syncer has no holder", system)
    if renewed + 2 * timedelta(seconds=spec.get("leaseDurationSeconds") or _DEFAULT_SECONDS) < now:
        text = (
            f"the syncer is down: {holder} last renewed the Lease {system}/pages-syncer {spans.show(now - renewed)} "
            f"ago, at {renewed:%Y-%m-%d %H:%M:%S} UTC"
        )
        return _down(text, system)
    return ok(_NAME, f"{holder} is running and holds the Lease")


def _down(text: str, system: str) -> Verdict:
    remedy = (
        f"kubectl -n {system} get pods -l app.kubernetes.io/name=pages-syncer\n"
        f"kubectl -n {system} logs -l app.kubernetes.io/name=pages-syncer --tail=50"
    )
    return broken(_NAME, "SyncerDown", text, remedy)
