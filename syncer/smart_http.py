"""One bounded POST to a git server, over connections that are kept: no redirect, no proxy, no cookie, no surprise.

The rules are those that ``git.py`` gives to git (threats, section 5); a host is asked only after ``AllowedHosts`` has
admitted the URL, and only at the ``addresses`` of its name (U9).
"""

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from syncer.errors import SyncError, TimedOut, Unreachable

if TYPE_CHECKING:  # git.py owns one of us
    from syncer.git import Remote

# The addresses to dial for a URL. Raises a SyncError where there are none, or none that may be asked.
Addresses = Callable[[str], Sequence[str]]

MAX_ANSWER = 1 << 20
_CHUNK = 1 << 16
_CONNECT_SECONDS = 10.0
_HOSTS_KEPT = 64
_KEPT_PER_HOST = 8
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

    def __init__(self, addresses: Addresses, *, seconds: float = 30, tls: ssl.SSLContext | None = None) -> None:
        self._seconds = seconds
        self._adapter = _Adapter(addresses, tls or ssl.create_default_context())
        self._session = _Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)
        self._clocks: set[_Clock] = set()
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

    def post(self, remote: "Remote", service: str, body: bytes) -> Answer:
        """The answer to a question of protocol 2. Raises TimedOut, Unreachable, or what ``addresses`` raises."""
        with self.stream(remote, service, body, self._seconds) as answer:
            # What comes with an error is nothing to us.
            content = answer.body.read(MAX_ANSWER + 1) if answer.head.status == 200 else b""  # noqa: PLR2004
        whole = len(content) <= MAX_ANSWER and answer.head.whole
        return replace(answer.head, body=content[:MAX_ANSWER], whole=whole)

    @contextmanager
    def stream(self, remote: "Remote", service: str, body: bytes, seconds: float) -> Iterator["Streamed"]:
        """The same, with the body to read while it comes."""
        url = f"{remote.url}/{service}"
        request = requests.Request("POST", url, headers=_headers(remote), data=body).prepare()
        with self._clock(seconds) as clock:
            try:
                response = self._send_once_or_twice(request, clock)
                try:
                    yield Streamed(_head(response), _Body(response))
                finally:
                    response.close()
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise self._explain(error, clock) from error
            finally:
                if clock.overdue:  # an end in the middle of the headers looks like their end
                    raise self._too_slow(clock)

    def _send_once_or_twice(self, request: requests.PreparedRequest, clock: "_Clock") -> requests.Response:
        try:
            return self._send(request, clock.seconds)
        except requests.ConnectionError as error:
            if clock.overdue or not isinstance(_cause(error), ConnectionError):
                raise
            return self._send(request, clock.seconds)  # a kept connection may have ended meanwhile

    def _send(self, request: requests.PreparedRequest, seconds: float) -> requests.Response:
        timeout = (min(_CONNECT_SECONDS, seconds), seconds)
        return self._session.send(request, timeout=timeout, stream=True, allow_redirects=False)

    @contextmanager
    def _clock(self, seconds: float) -> Iterator["_Clock"]:
        """Ends the conversation when its time is up, however the server drips (F9)."""
        clock = _Clock(seconds)
        with self._lock:
            if self._closed:
                raise Unreachable("the syncer is stopping")
            self._clocks.add(clock)
        clock.start()
        _thread.clock = clock
        try:
            yield clock
        finally:
            clock.cancel()
            with self._lock:
                self._clocks.discard(clock)
            del _thread.clock

    def _explain(self, error: Exception, clock: "_Clock") -> SyncError:
        if clock.overdue or isinstance(error, requests.Timeout) or isinstance(_cause(error), TimeoutError):
            return self._too_slow(clock)
        if isinstance(error, requests.exceptions.SSLError):
            return Unreachable(
                f"there is no trusted TLS connection to the git server; check its certificate ({_cause(error)})"
            )
        return Unreachable(f"the git server cannot be reached; it is tried again later ({_cause(error)})")

    def _too_slow(self, clock: "_Clock") -> TimedOut:
        return TimedOut(f"the git server did not answer within {clock.seconds:g} seconds; it is tried again later")


class _Clock:
    """Hangs up when the time is over. A connection says which socket it is that its thread waits for."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.overdue = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self.stop)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def watch(self, handle: socket.socket) -> None:
        self._socket = handle
        if self.overdue:
            self.stop()

    def stop(self) -> None:
        self.overdue = True
        if self._socket:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def cancel(self) -> None:
        self._timer.cancel()


_thread = threading.local()  # the clock of the question that the thread asks


class _Dialled(HTTPConnection):
    """Connects to the addresses that were checked, and to no other; host name, SNI and certificate stay the name's."""

    addresses: Addresses
    _handle: socket.socket | None = None  # TLS takes the socket itself away from us

    def _new_conn(self) -> socket.socket:
        scheme = "https" if isinstance(self, HTTPSConnection) else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        failure = OSError("it has no address")
        for address in self.addresses(f"{scheme}://{host}:{self.port}"):
            if _thread.clock.overdue:
                break
            try:
                made = socket.create_connection((address, self.port or 0), timeout=_CONNECT_SECONDS)
            except OSError as error:
                failure = error
                continue
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._handle = made.dup()
            _thread.clock.watch(self._handle)
            return made
        raise NewConnectionError(self, str(failure.strerror or failure)) from failure

    def request(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as it came
        if self._handle:
            _thread.clock.watch(self._handle)
        super().request(*arguments, **options)

    def close(self) -> None:
        super().close()
        if self._handle:
            self._handle.close()
            self._handle = None


class _DialledTLS(_Dialled, HTTPSConnection):
    pass


class _Adapter(HTTPAdapter):
    """Requests' adapter, but for how it connects and whom it trusts: as git, the machine's certificates."""

    def __init__(self, addresses: Addresses, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__(_HOSTS_KEPT, _KEPT_PER_HOST)
        plain = type("_Plain", (_Dialled,), {"addresses": staticmethod(addresses)})
        secure = type("_Secure", (_DialledTLS,), {"addresses": staticmethod(addresses)})
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,  # noqa: ARG002 - the context says whom to trust
        cert: str | tuple[str, str] | None = None,  # noqa: ARG002 - we have none
    ) -> tuple[Any, Any]:
        parts = urlsplit(request.url or "")
        tls = {"ssl_context": self._tls} if parts.scheme == "https" else {}
        return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, tls

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
        """The context does it."""


class _Session(requests.Session):
    """Requests looks at where a redirect leads, and reads all that comes with it, even where it shall not follow."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - none counts (U10)
        """Nowhere."""
        return


def _headers(remote: "Remote") -> dict[str, str]:
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

    def __init__(self, response: requests.Response) -> None:
        self._chunks = response.raw.stream(_CHUNK, decode_content=False)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """So many bytes; fewer at the end."""
        parts, missing = [], size
        while missing > 0:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    break
            parts.append(self._rest[:missing])
            self._rest = self._rest[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)


def _cause(error: BaseException) -> BaseException:
    """What lies at the bottom of the libraries' wrappings."""
    while isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError):
        below = getattr(error, "reason", None) or error.__cause__ or error.__context__
        inner = below if isinstance(below, BaseException) else next(iter(error.args), None)
        if not isinstance(inner, BaseException) or inner is error:
            return error
        error = inner
    return error
