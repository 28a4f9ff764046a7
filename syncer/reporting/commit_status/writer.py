"""Commit statuses on their way to the forges, on threads of their own: a forge that is down delays no sync."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import structlog

from pages.api import CommitStatus, StaticSite, canonical_repo
from syncer import sources
from syncer.egress.addresses import Addresses
from syncer.egress.hosts import AllowedHosts
from syncer.errors import SyncError
from syncer.publishing import credentials
from syncer.publishing.credentials import ReadSecret
from syncer.publishing.release import Outcome
from syncer.reporting.commit_status import calls, said
from syncer.reporting.commit_status.calls import Call
from syncer.reporting.commit_status.client import Client, NotAccepted
from syncer.reporting.commit_status.said import Said

log = structlog.get_logger(__name__)

V = TypeVar("V")
_MOST_SITES = 10_000
_PAUSES = (5.0, 30.0, 120.0, 600.0)  # seconds before each further attempt


@dataclass
class _Waiting:
    site: StaticSite
    wanted: CommitStatus
    said: Said
    host: str
    due: float  # monotonic
    attempts: int = 0


class CommitStatuses:
    """Tells forges about commits: the latest of each site, tried a few times; one request at a time for each host."""

    def __init__(
        self,
        read_secret: ReadSecret,
        hosts: AllowedHosts,
        *,
        post: Callable[[Call], None] | None = None,
        pauses: tuple[float, ...] = _PAUSES,
        threads: int = 4,
        noted: Callable[[str, str], None] = lambda _state, _result: None,
    ) -> None:
        self._read_secret = read_secret
        self._hosts = hosts
        self._post = post or Client(Addresses(hosts)).post
        self._pauses = pauses
        self._noted = noted
        self._said: OrderedDict[str, Said] = OrderedDict()  # by uid: the last that there was to say
        self._results: OrderedDict[str, str] = OrderedDict()  # by uid: what became of it
        self._waiting: dict[str, _Waiting] = {}  # by uid
        self._busy: set[str] = set()  # hosts
        self._stopping = False
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._run, name="commit-status", daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more. A request that is under way is not waited for: its forge may hang."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def begun(self, site: StaticSite, commit: str) -> None:
        """A commit begins to be published."""
        with self._changed:
            self._put(site, said.begun(site, commit, self._said.get(site.metadata.uid)))

    def ended(self, site: StaticSite, outcome: Outcome) -> None:
        """A sync has ended; ``site`` knows its URL."""
        with self._changed:
            self._put(site, said.ended(site, outcome, self._said.get(site.metadata.uid)))

    def result(self, uid: str) -> str | None:
        """What became of the site's last commit status."""
        with self._changed:
            return self._results.get(uid)

    def _put(self, site: StaticSite, news: Said | None) -> None:
        wanted, uid = site.spec.commit_status, site.metadata.uid
        if wanted is None or news is None:
            return
        _remember(self._said, uid, news)
        host = urlsplit(canonical_repo(site.spec.repo)).netloc
        self._waiting[uid] = _Waiting(site, wanted, news, host, time.monotonic())
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
            self._post(self._call(each))
        except NotAccepted as error:
            self._note(each, f"not sent: {error}")
            if error.again:
                self._try_again(each)
        except SyncError as error:
            self._note(each, f"not sent: {error}")
        else:
            self._note(each, "sent")

    def _call(self, each: _Waiting) -> Call:
        site, repo = each.site, canonical_repo(each.site.spec.repo)
        self._hosts.check(repo)
        secret = each.wanted.secret_ref or site.spec.secret_ref
        assert secret is not None, "the model sees to it"  # noqa: S101 - for the type checker
        token = credentials.read(self._read_secret, sources.secret_key(site.metadata.namespace, secret)).password
        kind = calls.kind_of(repo, each.wanted.forge)
        return calls.call(repo, kind, each.said, f"pages/{site.key}", token)

    def _try_again(self, each: _Waiting) -> None:
        if each.attempts >= len(self._pauses):
            return
        each.due = time.monotonic() + self._pauses[each.attempts]
        each.attempts += 1
        with self._changed:
            self._waiting.setdefault(each.site.metadata.uid, each)  # unless there is something newer to say

    def _note(self, each: _Waiting, result: str) -> None:
        text = f"{each.said.state} on commit {each.said.commit[:12]}: {result}"
        level = log.info if result == "sent" else log.warning
        self._noted(each.said.state, "sent" if result == "sent" else "failed")
        level("commit_status", site=each.site.key, state=each.said.state, commit=each.said.commit, result=result)
        with self._changed:
            _remember(self._results, each.site.metadata.uid, text)


def _remember(memory: OrderedDict[str, V], uid: str, value: V) -> None:
    memory[uid] = value
    memory.move_to_end(uid)
    if len(memory) > _MOST_SITES:
        memory.popitem(last=False)
