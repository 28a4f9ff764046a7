"""Connections to the addresses that were checked, at the moment when one is made, and for a bounded time (U9, F9).

For whatever we ask of servers that tenants name: git servers, and the APIs of forges.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

# The addresses to dial for a URL. Raises a SyncError where there are none, or none that may be asked.
Addresses = Callable[[str], Sequence[str]]

CONNECT_SECONDS = 10.0
_HOSTS_KEPT = 64
_KEPT_PER_HOST = 8


class Clock:
    """Hangs up when the time is over; ``flag`` sets how much there is.

    A connection says which socket it is that its thread waits for.
    """

    def __init__(self, seconds: float, flag: str = "") -> None:
        self.seconds = seconds
        self.flag = flag
        self.overdue = False
        self._handle: _Handle | None = None
        self._timer = threading.Timer(seconds, self.stop)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, handle: "_Handle") -> None:
        """From now on it is this one that is hung up."""
        self._handle = handle
        if self.overdue:
            self.stop()

    def stop(self) -> None:
        """Hang up."""
        self.overdue = True
        if self._handle:
            self._handle.hang_up()

    def cancel(self) -> None:
        """All went well."""
        self._timer.cancel()


class _Handle:
    """A second hold on a connection's socket, for TLS takes the first one away from us.

    Locked, because another thread might hang up on what has the descriptor next.
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


_thread = threading.local()  # the clock of the question that the thread asks


@contextmanager
def hanging_up(clock: Clock) -> Iterator[Clock]:
    """What this thread asks by a ``CheckedAdapter`` meanwhile ends with the clock, however the server drips (F9)."""
    _thread.clock = clock
    try:
        yield clock
    finally:
        clock.cancel()
        del _thread.clock


class _Dialled(HTTPConnection):
    """Connects to the addresses that were checked, and to no other; host name, SNI and certificate stay the name's."""

    addresses: Addresses
    _handle: _Handle | None = None

    def _new_conn(self) -> socket.socket:
        scheme = "https" if isinstance(self, HTTPSConnection) else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        failure = OSError("it has no address")
        for address in self.addresses(f"{scheme}://{host}:{self.port}"):
            if _thread.clock.overdue:
                break
            try:
                made = socket.create_connection((address, self.port or 0), timeout=CONNECT_SECONDS)
            except OSError as error:
                failure = error
                continue
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._handle = _Handle(made)
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


class CheckedAdapter(HTTPAdapter):
    """Requests' adapter, but for how it connects and whom it trusts: as git, the machine's certificates.

    To be used within ``hanging_up``, and without a session: that brings redirects, cookies and proxies along.
    """

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
        """What a connection is kept by, so that it serves the same host, port and trust again."""
        parts = urlsplit(request.url or "")
        tls = {"ssl_context": self._tls} if parts.scheme == "https" else {}
        return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, tls

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
        """The context does it."""
