"""Connections to checked addresses, for a bounded time.

For all servers that tenants name: git servers, and the APIs of forges. A name is checked when a connection is made, and
nothing else resolves it again, so that an answer of the DNS that changes a moment later gains nothing (U9). A server
that sends a byte now and then holds no thread for longer than the deadline (F9).
"""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

CONNECT_SECONDS = 10.0
_HOSTS_KEPT = 64
_KEPT_PER_HOST = 8


class AddressSource(Protocol):
    """Where a server's name leads."""

    def of(self, url: str) -> Sequence[str]:
        """The addresses to dial for a URL. Raises a SyncError where none of them may be asked."""


class Deadline:
    """Hangs up when the time is over; ``flag`` is the option that sets how much there is.

    A connection tells it which socket its thread waits for.
    """

    def __init__(self, seconds: float, flag: str = "") -> None:
        self.seconds = seconds
        self.flag = flag
        self.overdue = False
        self._handle: _Handle | None = None
        self._timer = threading.Timer(seconds, self.stop)
        self._timer.daemon = True

    def start(self) -> None:
        """Let the time run."""
        self._timer.start()

    def watch(self, handle: "_Handle") -> None:
        """Hang up this connection, and no other, from now on."""
        self._handle = handle
        if self.overdue:
            self.stop()

    def stop(self) -> None:
        """Hang up now."""
        self.overdue = True
        if self._handle:
            self._handle.hang_up()

    def cancel(self) -> None:
        """The request ended in time."""
        self._timer.cancel()


class _Handle:
    """A second descriptor of a connection's socket, because TLS takes the first one away.

    Locked, because another thread might otherwise hang up on whichever socket gets the descriptor next.
    """

    def __init__(self, made: socket.socket) -> None:
        self._socket = made.dup()
        self._lock = threading.Lock()

    def hang_up(self) -> None:
        with self._lock, suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            self._socket.close()


class _Current(threading.local):
    """The deadline of the request that a thread is making: urllib3 hands nothing of ours down to a connection."""

    deadline: Deadline


class _Dialled(HTTPConnection):
    """Connects to the checked addresses and to no other; host name, SNI and certificate stay the name's."""

    addresses: AddressSource
    current: _Current
    _handle: _Handle | None = None

    def _new_conn(self) -> socket.socket:
        scheme = "https" if isinstance(self, HTTPSConnection) else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        failure = OSError("it has no address")
        for address in self.addresses.of(f"{scheme}://{host}:{self.port}"):
            if self.current.deadline.overdue:
                break
            try:
                made = socket.create_connection((address, self.port or 0), timeout=CONNECT_SECONDS)
            except OSError as error:
                failure = error
                continue
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._handle = _Handle(made)
            self.current.deadline.watch(self._handle)
            return made
        raise NewConnectionError(self, str(failure.strerror or failure)) from failure

    def request(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        if self._handle:
            self.current.deadline.watch(self._handle)
        super().request(*arguments, **options)

    def close(self) -> None:
        super().close()
        if self._handle:
            self._handle.close()
            self._handle = None


class _DialledTLS(_Dialled, HTTPSConnection):
    """The same over TLS."""


class CheckedAdapter(HTTPAdapter):
    """Requests' adapter with connections of our own, which trust the certificates of the machine, as git does.

    Use it inside ``within``, and without a session, which would bring redirects, cookies and proxies along.
    """

    def __init__(self, addresses: AddressSource, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._current = _Current()
        super().__init__(_HOSTS_KEPT, _KEPT_PER_HOST)
        parts = {"addresses": addresses, "current": self._current}
        plain = type("_Plain", (_Dialled,), parts)
        secure = type("_Secure", (_DialledTLS,), parts)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }

    @contextmanager
    def within(self, deadline: Deadline) -> Iterator[Deadline]:
        """End what this thread asks meanwhile at the deadline, even if the server sends a byte now and then."""
        self._current.deadline = deadline
        deadline.start()
        try:
            yield deadline
        finally:
            deadline.cancel()
            del self._current.deadline

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,  # noqa: ARG002 - the context decides
        cert: str | tuple[str, str] | None = None,  # noqa: ARG002 - not used
    ) -> tuple[Any, Any]:
        """The key under which a connection is kept, to be used again for the same host, port and trust."""
        parts = urlsplit(request.url or "")
        tls = {"ssl_context": self._tls} if parts.scheme == "https" else {}
        return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, tls

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
        """Do nothing: the context verifies certificates."""
