"""One bounded POST to a git server, over kept connections: no redirect, no proxy, no cookie.

The rules are those that ``hardening.py`` sets for git, because the same servers could misuse them. A host is contacted
only after ``AllowedHosts`` has admitted the URL, and only at the checked ``addresses`` of its name (U9).
"""

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import NamedTuple

import requests
import urllib3

from syncer.egress.dialling import CONNECT_SECONDS, AddressSource, CheckedAdapter, Deadline
from syncer.errors import SyncError, TimedOut, Unreachable
from syncer.git import diagnosis
from syncer.git.remote import Remote
from syncer.git.traffic import TrafficRecorder

MAX_ANSWER = 1 << 20
_CHUNK = 1 << 16
_TYPE = "application/x-git-upload-pack-{}"


@dataclass(frozen=True)
class GitAnswer:
    """A server's answer: the body is cut at 1 MiB, and then not ``whole``."""

    status: int
    content_type: str
    location: str
    retry_after: str
    whole: bool
    body: bytes = b""


class Streamed(NamedTuple):
    """An answer whose body is still to be read."""

    head: GitAnswer
    body: "_Body"


class SmartHTTP:
    """Sends requests to git servers, from any thread; ``close`` ends those that are running."""

    def __init__(
        self,
        addresses: AddressSource,
        *,
        seconds: float = 30,
        tls: ssl.SSLContext | None = None,
        recorder: TrafficRecorder | None = None,
    ) -> None:
        self._seconds = seconds
        self._recorder = recorder or TrafficRecorder()
        self._adapter = CheckedAdapter(addresses, tls or ssl.create_default_context())
        self._deadlines: set[Deadline] = set()
        self._closed = False
        self._lock = threading.Lock()

    def rest(self) -> None:
        """Close idle connections. Calling it regularly bounds how long they stay open."""
        self._adapter.poolmanager.clear()

    def close(self) -> None:
        """End all running requests; later ones fail."""
        with self._lock:
            self._closed = True
            deadlines = list(self._deadlines)
        for deadline in deadlines:
            deadline.stop()
        self.rest()

    def post(self, remote: Remote, service: str, body: bytes) -> GitAnswer:
        """The answer to a request of protocol 2. Raises TimedOut, Unreachable, or what ``addresses`` raises."""
        with self.stream(remote, service, body, self._seconds, "--git-ask-time") as answer:
            # The body of an error is not read: it says nothing that git would understand.
            content = answer.body.read(MAX_ANSWER + 1) if answer.head.status == HTTPStatus.OK else b""
        whole = len(content) <= MAX_ANSWER and answer.head.whole
        return replace(answer.head, body=content[:MAX_ANSWER], whole=whole)

    @contextmanager
    def stream(self, remote: Remote, service: str, body: bytes, seconds: float, flag: str) -> Iterator[Streamed]:
        """The same, with the body to be read as it arrives, for so many ``seconds``, which the option ``flag`` sets."""
        url = f"{remote.url}/{service}"
        request = requests.Request("POST", url, headers=_headers(remote), data=body).prepare()
        with self._deadline(seconds, flag) as deadline:
            try:
                response = self._send_once_or_twice(request, deadline)
                try:
                    yield Streamed(_head(response), _Body(response, self._recorder))
                finally:
                    response.close()
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise self._explain(error, deadline, remote) from error
            finally:
                if deadline.overdue:  # an end in the middle of the headers looks like their end
                    raise _too_slow(deadline)

    def _send_once_or_twice(self, request: requests.PreparedRequest, deadline: Deadline) -> requests.Response:
        try:
            return self._send(request, deadline.seconds)
        except requests.ConnectionError as error:
            if deadline.overdue or not isinstance(_cause(error), ConnectionError):
                raise
            return self._send(request, deadline.seconds)  # the server may have closed a kept connection

    def _send(self, request: requests.PreparedRequest, seconds: float) -> requests.Response:
        """Use the adapter alone: a session would bring redirects, cookies and the environment's proxies along."""
        return self._adapter.send(request, stream=True, timeout=(min(CONNECT_SECONDS, seconds), seconds))

    @contextmanager
    def _deadline(self, seconds: float, flag: str) -> Iterator[Deadline]:
        """Registers the request, so that ``close`` ends it."""
        deadline = Deadline(seconds, flag)
        with self._lock:
            if self._closed:
                raise Unreachable("the syncer is stopping")
            self._deadlines.add(deadline)
        with self._adapter.within(deadline):
            try:
                yield deadline
            finally:
                with self._lock:
                    self._deadlines.discard(deadline)

    def _explain(self, error: Exception, deadline: Deadline, remote: Remote) -> SyncError:
        cause = _cause(error)
        if deadline.overdue or isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
            return _too_slow(deadline)
        detail = diagnosis.clean(str(cause), remote.secrets())  # it quotes what the server sent (K1)
        if isinstance(error, requests.exceptions.SSLError):
            return Unreachable(f"the git server has no trusted TLS certificate; check its certificate ({detail})")
        return Unreachable(f"the git server cannot be reached; the syncer tries again later ({detail})")


def _too_slow(deadline: Deadline) -> TimedOut:
    limit = f"{deadline.seconds:g} seconds, the limit of {deadline.flag}"
    return TimedOut(f"the git server did not answer within {limit}; the syncer tries again later")


def _headers(remote: Remote) -> dict[str, str]:
    headers = {
        "User-Agent": "git/kup6s-pages",
        "Content-Type": _TYPE.format("request"),
        "Accept": _TYPE.format("result"),
        "Accept-Encoding": "identity",
        "Git-Protocol": "version=2",
    }
    if remote.credential:
        pair = f"{remote.credential.username}:{remote.credential.password}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _head(response: requests.Response) -> GitAnswer:
    headers = response.headers
    return GitAnswer(
        status=response.status_code,
        content_type=headers.get("Content-Type", ""),
        location=headers.get("Location", ""),
        retry_after=headers.get("Retry-After", ""),
        whole=not headers.get("Content-Encoding"),
    )


class _Body:
    """The body as the server sent it, without decoding."""

    def __init__(self, response: requests.Response, recorder: TrafficRecorder) -> None:
        self._chunks = response.raw.stream(_CHUNK, decode_content=False)
        self._recorder = recorder
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes, fewer only at the end."""
        parts, missing = [], size
        while missing > 0:
            if not self._rest:
                self._rest = self._next()
                if not self._rest:
                    break
            parts.append(self._rest[:missing])
            self._rest = self._rest[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)

    def _next(self) -> bytes:
        try:
            chunk = next(self._chunks, b"")
        except ValueError as error:  # a chunk of negative length, which urllib3 accepts
            raise urllib3.exceptions.ProtocolError(f"the answer is not HTTP: {error}") from error
        self._recorder.git_received(len(chunk))
        return chunk


def _cause(error: BaseException) -> BaseException:
    """The innermost exception, below the libraries' own."""
    while isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError):
        below = getattr(error, "reason", None) or error.__cause__ or error.__context__
        inner = below if isinstance(below, BaseException) else next(iter(error.args), None)
        if not isinstance(inner, BaseException) or inner is error:
            return error
        error = inner
    return error
