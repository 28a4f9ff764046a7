"""Which commits stand at a repository's branches and tags, asked cheaply: one ``ls-refs`` of git's protocol 2.

A kept connection and no process make it cost a tenth of ``git ls-remote`` (decision 10). Whatever does not answer as
protocol 2 says is asked by git, whose verdict counts.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
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
from syncer.git.smart_http import Answer, SmartHTTP
from syncer.retries import pause_seconds

log = structlog.get_logger(__name__)

# Of each branch or tag, by its full name, the commit that it stands at, or why there is none.
Tips = Mapping[str, "str | SyncError"]

_FLUSH, _DELIMITER = b"0000", b"0001"
_ASKED_AT_ONCE = 100  # refs in one request
_HEADS, _TAGS, _PEELED = "refs/heads/", "refs/tags/", b"peeled:"
_GIT_IS_ASKED_SECONDS = 3600.0
_MAX_REMEMBERED = 10_000
_NO_REPOSITORY = "there is no git repository at that address: the server answers with something else; check spec.repo"


class Heads:
    """Asks where branches and tags are: itself where the server speaks protocol 2, else by git."""

    def __init__(self, git: Git, server: SmartHTTP | None = None) -> None:
        self._git = git
        self._server = server or git.server
        self._git_is_asked: dict[Remote, float] = {}  # until when
        self._lock = threading.Lock()

    def of(self, remote: Remote, refs: Sequence[str]) -> Tips:
        """Where the refs are. Raises what is wrong with the server or the repository as a whole."""
        found: dict[str, str | SyncError] = {}
        for start in range(0, len(refs), _ASKED_AT_ONCE):
            found |= self._of(remote, refs[start : start + _ASKED_AT_ONCE])
        return found

    def _of(self, remote: Remote, refs: Sequence[str]) -> Tips:
        if not remote.url.startswith("http") or self._git_is_asked.get(remote, 0.0) > time.monotonic():
            return self._ask_git(remote, refs)
        try:
            with self._git.traffic.request("ask", "http"):
                commits = read_answer(self._server.post(remote, "git-upload-pack", question(refs)), remote)
        except NotUnderstood as answer:
            log.info("asked_by_git", repo=remote.url, answer=diagnosis.clean(str(answer), remote.secrets()))
            tips = self._ask_git(remote, refs)
            if isinstance(answer, OtherContent) and all(isinstance(tip, EmptyRepo) for tip in tips.values()):
                raise RepoNotFound(_NO_REPOSITORY) from None  # git takes a web page for a list of no branches
            self._remember(remote)
            return tips
        return {ref: commits.get(ref) or self._git.explain_missing(remote, ref) for ref in refs}

    def _ask_git(self, remote: Remote, refs: Sequence[str]) -> Tips:
        return {ref: self._ask_git_for(remote, ref) for ref in refs}

    def _ask_git_for(self, remote: Remote, ref: str) -> str | SyncError:
        try:
            return self._git.ref_head(remote, ref)
        except (BranchNotFound, EmptyRepo, RevisionNotFound) as error:
            return error

    def _remember(self, remote: Remote) -> None:
        now = time.monotonic()
        with self._lock:
            if len(self._git_is_asked) >= _MAX_REMEMBERED:
                self._git_is_asked.clear()
            self._git_is_asked[remote] = now + _GIT_IS_ASKED_SECONDS


class NotUnderstood(Exception):
    """That is no answer of protocol 2."""


class OtherContent(NotUnderstood):
    """That is no answer of git's at all, such as a web page."""


def question(refs: Sequence[str]) -> bytes:
    """The body of the request: which of the refs are there, and where they stand; of a tag, also what it stands for."""
    peel = packet(b"peel\n") if any(ref.startswith(_TAGS) for ref in refs) else b""
    prefixes = b"".join(packet(f"ref-prefix {ref}\n".encode()) for ref in refs)
    return packet(b"command=ls-refs\n") + _DELIMITER + peel + prefixes + _FLUSH


def read_answer(answer: Answer, remote: Remote) -> dict[str, str]:
    """The refs and their commits; those of which one asked for is the beginning may be among them.

    Raises the SyncError that the answer means, or NotUnderstood.
    """
    check_status(answer, remote)
    if not answer.whole:
        raise NotUnderstood("too long, or encoded")
    commits: dict[str, str] = {}
    for line in _lines(answer.body):
        oid, _, rest = line.rstrip(b"\n").partition(b" ")
        name, *attributes = rest.split(b" ")  # symref-target is another
        if name.startswith(_TAGS.encode()):
            oid = next((each.removeprefix(_PEELED) for each in attributes if each.startswith(_PEELED)), oid)
        if not OID.fullmatch(oid) or not name:
            raise NotUnderstood("a line that is no ref")
        if name.startswith((_HEADS.encode(), _TAGS.encode())):
            commits[name.decode("utf-8", "replace")] = oid.decode()
    return commits


def check_status(answer: Answer, remote: Remote) -> None:
    """Raise the SyncError that the status means, or NotUnderstood where it is none of protocol 2."""
    status = answer.status
    if 300 <= status < 400:  # noqa: PLR2004 - a redirect, which is never followed (U10)
        host = _host(answer.location, remote)
        to = f" to {host}" if host else ""
        raise RepoMoved(f"the repository has moved (the server redirects{to}); update spec.repo")
    if status in {401, 403}:
        sentence = diagnosis.REFUSED if remote.credential else diagnosis.ASKED
        raise AuthFailed(f"{sentence} (HTTP {status})")
    if status == 429 or (status == 503 and answer.retry_after):  # noqa: PLR2004 - as HTTP has them
        seconds = pause_seconds(answer.retry_after, datetime.now(UTC))
        raise Busy(f"the git server asks to be asked less often; it is left alone for {seconds:.0f} seconds", seconds)
    if status >= 500 and status != 501:  # noqa: PLR2004 - a server's own fault; 501 is that it takes no questions
        raise Unreachable(f"the git server answers with an error (HTTP {status}); it is tried again later")
    # 404 among them: a server of the old kind knows no such path.
    if status != 200 or answer.content_type != "application/x-git-upload-pack-result":  # noqa: PLR2004
        kind = OtherContent if status == 200 else NotUnderstood  # noqa: PLR2004
        raise kind(f"HTTP {status}, {diagnosis.clean(answer.content_type)}")


def _host(location: str, remote: Remote) -> str:
    """Where a redirect leads, without what may be secret in it."""
    try:
        return diagnosis.clean(urlsplit(location).netloc.rpartition("@")[2], remote.secrets())
    except ValueError:
        return ""


def packet(data: bytes) -> bytes:
    """One packet of git's protocol."""
    return b"%04x%b" % (len(data) + 4, data)


def _lines(body: bytes) -> Iterator[bytes]:
    """The packets up to the flush, which has to be there: an answer cut short says nothing."""
    position = 0
    while (length := body[position : position + 4]) != _FLUSH:
        try:
            end = position + int(length, 16)
        except ValueError:
            raise NotUnderstood("no packet") from None
        data = body[position + 4 : end]
        if end - position <= 4 or end > len(body) or data.startswith(b"ERR "):  # noqa: PLR2004 - the length's own size
            raise NotUnderstood("cut short, or an error")
        yield data
        position = end
