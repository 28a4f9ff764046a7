"""A small web server on a thread, for ports that the internet cannot reach: health, and the API behind our nginx."""

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import click
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class _Handler(WSGIRequestHandler):
    timeout = 30  # seconds that a client may be silent

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's signature
        """Nothing: the applications log their requests."""


class _Server(ThreadedWSGIServer):
    """Closes new connections while all of ``room`` is used: each connection costs a thread."""

    def __init__(self, listening: socket.socket, app: "WSGIApplication", room: threading.BoundedSemaphore) -> None:
        self._room = room
        host, port = listening.getsockname()[:2]
        super().__init__(host, port, app, _Handler, fd=listening.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's own
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's own
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()


class Listener:
    """Listens on ``HOST:PORT`` at once, so that a port in use is reported early; answers after ``start``."""

    def __init__(self, bind: str, most_connections: int = 1_000) -> None:
        self._room = threading.BoundedSemaphore(most_connections)
        host, _, port = bind.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, int(port)), family=family, backlog=512)
        self.port: int = self._socket.getsockname()[1]
        self._socket.setblocking(False)  # another process that shares the port may accept first
        self._server: _Server | None = None

    @classmethod
    def for_option(cls, option: str, bind: str, most_connections: int = 1_000) -> Self:
        """The listener for an option, whose name is part of the error."""
        try:
            return cls(bind, most_connections)
        except (OSError, ValueError) as error:
            reason = f"{error.strerror}; choose another address" if isinstance(error, OSError) else "write HOST:PORT"
            raise click.ClickException(f"{option} {bind}: {reason}") from None

    def start(self, app: "WSGIApplication") -> None:
        """Serve the application, each request on a thread of its own."""
        self._server = server = _Server(self._socket, app, self._room)
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="listener", daemon=True
        ).start()

    def stop(self) -> None:
        """Stop serving and listening."""
        if self._server:
            self._server.shutdown()  # returns when the thread has ended its loop
            with contextlib.suppress(OSError):
                self._server.server_close()
        self._socket.close()
