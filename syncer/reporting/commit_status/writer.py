"""Commit statuses on their way to the forges, on threads of their own: a forge that is down delays no sync."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import structlog

from pages.api import CommitStatus, StaticSite, canonical_repo
from syncer import sources
from syncer.egress.addresses import Addresses
from syncer.egress.hosts import AllowedHosts
from syncer.errors import SyncError
from syncer.outcome import Outcome
from syncer.publishing import credentials
from syncer.publishing.credentials import Secrets
from syncer.recorder import Recorder
from syncer.reporting.commit_status import calls, commit_state
from syncer.reporting.commit_status.calls import Call
from syncer.reporting.commit_status.client import Client, NotAccepted
from syncer.reporting.commit_status.commit_state import CommitState

log = structlog.get_logger(__name__)

V = TypeVar("V")
_MOST_SITES = 10_000
_PAUSES = (5.0, 30.0, 120.0, 600.0)  # seconds before each further attempt


class Forges(Protocol):
    """Where commit statuses are sent."""

    def post(self, call: Call) -> None:
        """Send it. Raises NotAccepted, and a SyncError if the address is forbidden."""


@dataclass
class _Waiting:
    site: StaticSite
    spec: CommitStatus
    state: CommitState
    host: str
    due: float  # monotonic
    attempts: int = 0


class CommitStatuses(Recorder):
    """Tells forges about commits: the latest of each site, with a few retries; one request at a time for each host.

    The ``recorder`` hears of each attempt.
    """

    def __init__(
        self,
        secrets: Secrets,
        hosts: AllowedHosts,
        *,
        forges: Forges | None = None,
        recorder: Recorder | None = None,
        pauses: tuple[float, ...] = _PAUSES,
        threads: int = 4,
    ) -> None:
        self._secrets = secrets
        self._hosts = hosts
        self._forges = forges or Client(Addresses(hosts).of)
        self._recorder = recorder or Recorder()
        self._pauses = pauses
        self._states: OrderedDict[str, CommitState] = OrderedDict()  # by the site's uid: the latest
        self._results: OrderedDict[str, str] = OrderedDict()  # by the site's uid: of the last attempt
        self._waiting: dict[str, _Waiting] = {}  # by the site's uid
        self._busy: set[str] = set()  # hosts
        self._stopping = False
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._run, name="commit-status", daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Start the threads that send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more. A request under way is not waited for: its forge may hang."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def sync_started(self, site: StaticSite, commit: str) -> None:
        """Mark the commit as pending."""
        with self._changed:
            self._put(site, commit_state.started(site, commit, self._states.get(site.metadata.uid)))

    def outcome_reported(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002 - a Recorder's
        """Mark the commit as live or failed."""
        with self._changed:
            self._put(site, commit_state.ended(site, outcome, self._states.get(site.metadata.uid)))

    def result(self, uid: str) -> str | None:
        """The result of the last attempt for a site, in words."""
        with self._changed:
            return self._results.get(uid)

    def _put(self, site: StaticSite, state: CommitState | None) -> None:
        spec, uid = site.spec.commit_status, site.metadata.uid
        if spec is None or state is None:
            return
        _remember(self._states, uid, state)
        host = urlsplit(canonical_repo(site.spec.repo)).netloc
        self._waiting[uid] = _Waiting(site, spec, state, host, time.monotonic())
        self._changed.notify()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            try:
                self._send(taken)
            except Exception:  # a bug must not stop the others' statuses
                log.exception("commit_status_crashed", site=taken.site.key)
            finally:
                with self._changed:
                    self._busy.discard(taken.host)
                    self._changed.notify_all()

    def _take(self) -> _Waiting | None:
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                free = {uid: each for uid, each in self._waiting.items() if each.host not in self._busy}
                uid = min(free, key=lambda uid: free[uid].due, default=None)
                if uid is not None and free[uid].due <= now:
                    self._busy.add(free[uid].host)
                    return self._waiting.pop(uid)
                self._changed.wait(free[uid].due - now if uid is not None else None)
            return None

    def _send(self, each: _Waiting) -> None:
        try:
            self._forges.post(self._call(each))
        except NotAccepted as error:
            self._note(each, f"not sent: {error}")
            if error.again:
                self._retry(each)
        except SyncError as error:
            self._note(each, f"not sent: {error}")
        else:
            self._note(each, "sent")

    def _call(self, each: _Waiting) -> Call:
        site, repo = each.site, canonical_repo(each.site.spec.repo)
        self._hosts.check(repo)
        secret = each.spec.secret_ref or site.spec.secret_ref
        assert secret is not None, "the model requires one"  # noqa: S101 - for the type checker
        token = credentials.read(self._secrets, sources.secret_key(site.metadata.namespace, secret)).password
        kind = calls.kind_of(repo, each.spec.forge)
        return calls.call(repo, kind, each.state, f"pages/{site.key}", token)

    def _retry(self, each: _Waiting) -> None:
        if each.attempts >= len(self._pauses):
            return
        each.due = time.monotonic() + self._pauses[each.attempts]
        each.attempts += 1
        with self._changed:
            self._waiting.setdefault(each.site.metadata.uid, each)  # unless a newer one waits

    def _note(self, each: _Waiting, result: str) -> None:
        text = f"{each.state.state} on commit {each.state.commit[:12]}: {result}"
        level = log.info if result == "sent" else log.warning
        self._recorder.commit_status_sent(each.state.state, "sent" if result == "sent" else "failed")
        level("commit_status", site=each.site.key, state=each.state.state, commit=each.state.commit, result=result)
        with self._changed:
            _remember(self._results, each.site.metadata.uid, text)


def _remember(memory: OrderedDict[str, V], uid: str, value: V) -> None:
    memory[uid] = value
    memory.move_to_end(uid)
    if len(memory) > _MOST_SITES:
        memory.popitem(last=False)
