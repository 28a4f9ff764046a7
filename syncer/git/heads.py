"""The commits of a repository's branches and tags, by one ``ls-refs`` of git's protocol 2.

A kept connection and no process make it cost a tenth of ``git ls-remote`` (decision 10). Where a server does not answer
as protocol 2 requires, git asks instead, and its verdict counts.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog

from syncer.errors import (
    AuthFailed,
    BranchNotFound,
    Busy,
    EmptyRepo,
    RepoMoved,
    RepoNotFound,
    RevisionNotFound,
    SyncError,
    Unreachable,
)
from syncer.git import diagnosis
from syncer.git.commands import Git
from syncer.git.object_reader import OID
from syncer.git.remote import Remote
from syncer.git.smart_http import GitAnswer, SmartHTTP
from syncer.remembered import Remembered
from syncer.retries import pause_seconds

log = structlog.get_logger(__name__)

Tip = str | SyncError  # the commit, or why there is none
Tips = Mapping[str, Tip]  # by the full name of a branch or tag

_FLUSH, _DELIMITER = b"0000", b"0001"
_ASKED_AT_ONCE = 100  # refs in one request
_HEADS, _TAGS, _PEELED = "refs/heads/", "refs/tags/", b"peeled:"
_GIT_ASKS_SECONDS = 3600.0
_MAX_REMEMBERED = 10_000
_NO_REPOSITORY = "there is no git repository at that address: the server answers with other content; check spec.repo"


class Heads:
    """Asks for branches and tags: by HTTP where the server speaks protocol 2, else by git."""

    def __init__(self, git: Git, server: SmartHTTP | None = None) -> None:
        self._git = git
        self._server = server or git.server
        self._git_asks: Remembered[Remote, float] = Remembered(_MAX_REMEMBERED)  # until when
        self._lock = threading.Lock()

    def of(self, remote: Remote, refs: Sequence[str]) -> Tips:
        """The tips of the refs. Raises the SyncError that concerns the server or the repository as a whole."""
        tips: dict[str, Tip] = {}
        for start in range(0, len(refs), _ASKED_AT_ONCE):
            tips |= self._of(remote, refs[start : start + _ASKED_AT_ONCE])
        return tips

    def _of(self, remote: Remote, refs: Sequence[str]) -> Tips:
        if not remote.url.startswith("http") or self._git_has_to_ask(remote):
            return self._ask_git(remote, refs)
        try:
            with self._git.traffic.request("ask", "http"):
                commits = read_answer(self._server.post(remote, "git-upload-pack", question(refs)), remote)
        except NotUnderstood as answer:
            log.info("asked_by_git", repo=remote.url, answer=diagnosis.clean(str(answer), remote.secrets()))
            tips = self._ask_git(remote, refs)
            if isinstance(answer, OtherContent) and all(isinstance(tip, EmptyRepo) for tip in tips.values()):
                raise RepoNotFound(_NO_REPOSITORY) from None  # git takes a web page for an empty list
            self._remember(remote)
            return tips
        return {ref: commits.get(ref) or self._git.explain_missing(remote, ref) for ref in refs}

    def _ask_git(self, remote: Remote, refs: Sequence[str]) -> Tips:
        return {ref: self._ask_git_for(remote, ref) for ref in refs}

    def _ask_git_for(self, remote: Remote, ref: str) -> Tip:
        try:
            return self._git.ref_head(remote, ref)
        except (BranchNotFound, EmptyRepo, RevisionNotFound) as error:
            return error

    def _git_has_to_ask(self, remote: Remote) -> bool:
        with self._lock:
            return (self._git_asks.get(remote) or 0.0) > time.monotonic()

    def _remember(self, remote: Remote) -> None:
        with self._lock:
            self._git_asks.put(remote, time.monotonic() + _GIT_ASKS_SECONDS)


class NotUnderstood(Exception):
    """The answer is not one of protocol 2."""


class OtherContent(NotUnderstood):
    """The answer is not one of git's at all, but a web page for example."""


def question(refs: Sequence[str]) -> bytes:
    """The body of the request for the commits of these refs; for a tag, also the commit that it names."""
    peel = packet(b"peel\n") if any(ref.startswith(_TAGS) for ref in refs) else b""
    prefixes = b"".join(packet(f"ref-prefix {ref}\n".encode()) for ref in refs)
    return packet(b"command=ls-refs\n") + _DELIMITER + peel + prefixes + _FLUSH


def read_answer(answer: GitAnswer, remote: Remote) -> dict[str, str]:
    """The refs and their commits; also refs whose names only begin with a requested one.

    Raises the SyncError that the answer means, or NotUnderstood.
    """
    check_status(answer, remote)
    if not answer.whole:
        raise NotUnderstood("too long, or encoded")
    commits: dict[str, str] = {}
    for line in _lines(answer.body):
        oid, _, rest = line.rstrip(b"\n").partition(b" ")
        name, *attributes = rest.split(b" ")  # symref-target may follow
        if name.startswith(_TAGS.encode()):
            oid = next((each.removeprefix(_PEELED) for each in attributes if each.startswith(_PEELED)), oid)
        if not OID.fullmatch(oid) or not name:
            raise NotUnderstood("a line that is not a ref")
        if name.startswith((_HEADS.encode(), _TAGS.encode())):
            commits[name.decode("utf-8", "replace")] = oid.decode()
    return commits


def check_status(answer: GitAnswer, remote: Remote) -> None:
    """Raise the SyncError that the status means, or NotUnderstood where protocol 2 does not define it."""
    status = answer.status
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise _moved(answer, remote)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        sentence = diagnosis.REFUSED if remote.credential else diagnosis.ASKED
        raise AuthFailed(f"{sentence} (HTTP {status})")
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and answer.retry_after):
        seconds = pause_seconds(answer.retry_after, datetime.now(UTC))
        raise Busy(f"the git server is rate limiting the syncer; it retries in {seconds:.0f} seconds", seconds)
    # 501 is the answer of a server that takes no such requests, and no failure.
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED:
        raise Unreachable(f"the git server answers with an error (HTTP {status}); the syncer tries again later")
    if status != HTTPStatus.OK:  # 404 among them: a dumb server has no such path
        raise NotUnderstood(f"HTTP {status}, {diagnosis.clean(answer.content_type)}")
    if answer.content_type != "application/x-git-upload-pack-result":
        raise OtherContent(f"HTTP {status}, {diagnosis.clean(answer.content_type)}")


def _moved(answer: GitAnswer, remote: Remote) -> RepoMoved:
    """The error of a redirect, which is never followed: a credential would follow it (U10)."""
    host = _host(answer.location, remote)
    to = f" to {host}" if host else ""
    return RepoMoved(f"the repository has moved (the server redirects{to}); update spec.repo")


def _host(location: str, remote: Remote) -> str:
    """The host a redirect leads to, without anything that may be secret."""
    try:
        return diagnosis.clean(urlsplit(location).netloc.rpartition("@")[2], remote.secrets())
    except ValueError:
        return ""


def packet(data: bytes) -> bytes:
    """One packet of git's protocol."""
    return b"%04x%b" % (len(data) + 4, data)


def _lines(body: bytes) -> Iterator[bytes]:
    """The packets up to the flush, without which an answer is cut short and says nothing."""
    position = 0
    while (length := body[position : position + 4]) != _FLUSH:
        try:
            end = position + int(length, 16)
        except ValueError:
            raise NotUnderstood("not a packet") from None
        data = body[position + 4 : end]
        if end - position <= 4 or end > len(body) or data.startswith(b"ERR "):  # noqa: PLR2004 - the digits of the length
            raise NotUnderstood("cut short, or an error")
        yield data
        position = end
