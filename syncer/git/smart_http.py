"""One bounded POST to a git server, over connections that are kept: no redirect, no proxy, no cookie, no surprise.

The rules are those that ``hardening.py`` gives to git (threats, section 5); a host is asked only after ``AllowedHosts``
has admitted the URL, and only at the ``addresses`` of its name (U9).
"""

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

import requests
import urllib3

from syncer.egress.dialling import CONNECT_SECONDS, Addresses, CheckedAdapter, Clock, hanging_up
from syncer.errors import SyncError, TimedOut, Unreachable
from syncer.git import diagnosis
from syncer.git.remote import Remote
from syncer.git.traffic import TrafficRecorder

MAX_ANSWER = 1 << 20
_CHUNK = 1 << 16
_TYPE = "application/x-git-upload-pack-{}"


@dataclass(frozen=True)
class Answer:
    """What a server said: the body is cut at 1 MiB, and then not ``whole``."""

    status: int
    content_type: str
    location: str
    retry_after: str
    whole: bool
    body: bytes = b""


class Streamed(NamedTuple):
    """An answer whose body is still to be read."""

    head: Answer
    body: "_Body"


class SmartHTTP:
    """Asks git servers. Any thread may call; ``close`` ends what is under way."""

    def __init__(
        self,
        addresses: Addresses,
        *,
        seconds: float = 30,
        tls: ssl.SSLContext | None = None,
        recorder: TrafficRecorder | None = None,
    ) -> None:
        self._seconds = seconds
        self._recorder = recorder or TrafficRecorder()
        self._adapter = CheckedAdapter(addresses, tls or ssl.create_default_context())
        self._clocks: set[Clock] = set()
        self._closed = False
        self._lock = threading.Lock()

    def rest(self) -> None:
        """Close the connections that nobody uses now; called now and then, that bounds how long they are idle."""
        self._adapter.poolmanager.clear()

    def close(self) -> None:
        """End what is under way; later questions fail."""
        with self._lock:
            self._closed = True
            clocks = list(self._clocks)
        for clock in clocks:
            clock.stop()
        self.rest()

    def post(self, remote: Remote, service: str, body: bytes) -> Answer:
        """The answer to a question of protocol 2. Raises TimedOut, Unreachable, or what ``addresses`` raises."""
        with self.stream(remote, service, body, self._seconds, "--git-ask-time") as answer:
            # What comes with an error is nothing to us.
            content = answer.body.read(MAX_ANSWER + 1) if answer.head.status == 200 else b""  # noqa: PLR2004
        whole = len(content) <= MAX_ANSWER and answer.head.whole
        return replace(answer.head, body=content[:MAX_ANSWER], whole=whole)

    @contextmanager
    def stream(self, remote: Remote, service: str, body: bytes, seconds: float, flag: str) -> Iterator[Streamed]:
        """The same, with the body to read while it comes, for so many ``seconds``, which the ``flag`` sets."""
        url = f"{remote.url}/{service}"
        request = requests.Request("POST", url, headers=_headers(remote), data=body).prepare()
        with self._clock(seconds, flag) as clock:
            try:
                response = self._send_once_or_twice(request, clock)
                try:
                    yield Streamed(_head(response), _Body(response, self._recorder))
                finally:
                    response.close()
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise self._explain(error, clock, remote) from error
            finally:
                if clock.overdue:  # an end in the middle of the headers looks like their end
                    raise self._too_slow(clock)

    def _send_once_or_twice(self, request: requests.PreparedRequest, clock: Clock) -> requests.Response:
        try:
            return self._send(request, clock.seconds)
        except requests.ConnectionError as error:
            if clock.overdue or not isinstance(_cause(error), ConnectionError):
                raise
            return self._send(request, clock.seconds)  # a kept connection may have ended meanwhile

    def _send(self, request: requests.PreparedRequest, seconds: float) -> requests.Response:
        """By the adapter alone: a session would bring redirects, cookies and the environment's proxies along."""
        return self._adapter.send(request, stream=True, timeout=(min(CONNECT_SECONDS, seconds), seconds))

    @contextmanager
    def _clock(self, seconds: float, flag: str) -> Iterator[Clock]:
        """Ends the conversation when its time is up, however the server drips (F9)."""
        clock = Clock(seconds, flag)
        with self._lock:
            if self._closed:
                clock.cancel()
                raise Unreachable("the syncer is stopping")
            self._clocks.add(clock)
        with hanging_up(clock):
            try:
                yield clock
            finally:
                with self._lock:
                    self._clocks.discard(clock)

    def _explain(self, error: Exception, clock: Clock, remote: Remote) -> SyncError:
        cause = _cause(error)
        if clock.overdue or isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
            return self._too_slow(clock)
        said = diagnosis.clean(str(cause), remote.secrets())  # it quotes what the server sent (K1)
        if isinstance(error, requests.exceptions.SSLError):
            return Unreachable(f"there is no trusted TLS connection to the git server; check its certificate ({said})")
        return Unreachable(f"the git server cannot be reached; it is tried again later ({said})")

    def _too_slow(self, clock: Clock) -> TimedOut:
        limit = f"{clock.seconds:g} seconds, the limit of {clock.flag}"
        return TimedOut(f"the git server did not answer within {limit}; it is tried again later")


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


def _head(response: requests.Response) -> Answer:
    headers = response.headers
    return Answer(
        status=response.status_code,
        content_type=headers.get("Content-Type", ""),
        location=headers.get("Location", ""),
        retry_after=headers.get("Retry-After", ""),
        whole=not headers.get("Content-Encoding"),
    )


class _Body:
    """What comes, as it came."""

    def __init__(self, response: requests.Response, recorder: TrafficRecorder) -> None:
        self._chunks = response.raw.stream(_CHUNK, decode_content=False)
        self._recorder = recorder
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """So many bytes; fewer at the end."""
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
        except ValueError as error:  # a chunk of negative length, which urllib3 believes
            raise urllib3.exceptions.ProtocolError(f"the answer is no HTTP: {error}") from error
        self._recorder.git_received(len(chunk))
        return chunk


def _cause(error: BaseException) -> BaseException:
    """What lies at the bottom of the libraries' wrappings."""
    while isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError):
        below = getattr(error, "reason", None) or error.__cause__ or error.__context__
        inner = below if isinstance(below, BaseException) else next(iter(error.args), None)
        if not isinstance(inner, BaseException) or inner is error:
            return error
        error = inner
    return error
