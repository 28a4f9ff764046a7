"""A server that answers byte for byte from a script: it drips, breaks off, never ends or stays silent."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

Script = Callable[[socket.socket], None]


class ScriptedServer:
    """Runs the script on each connection after its first request. Use it as a context manager."""

    def __init__(self, script: Script) -> None:
        self.requests: list[bytes] = []
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Wakes accept(); a mere close would let it go on with whatever has the descriptor next.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._play, args=(connection,), daemon=True).start()

    def _play(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.requests.append(read_request(connection))
            self._script(connection)


def read_request(connection: socket.socket) -> bytes:
    """Read a whole request: closing with unread bytes would reset the connection."""
    with connection.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n"))
        length = next(
            (line.split()[1] for line in head.splitlines() if line.lower().startswith(b"content-length")), b"0"
        )
        return head + stream.read(int(length))


def says(answer: bytes) -> Script:
    """Send this and close."""
    return lambda connection: connection.sendall(answer)


def drips(answer: bytes, seconds: float = 30) -> Script:
    """Send this and then a byte now and then."""

    def script(connection: socket.socket) -> None:
        connection.sendall(answer)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection.sendall(b"x")
            time.sleep(0.05)

    return script


def floods(answer: bytes, chunk: bytes) -> Script:
    """Send this and then as much as the other side takes, up to 64 MB."""

    def script(connection: socket.socket) -> None:
        connection.sendall(answer)
        for _ in range((64 << 20) // len(chunk)):
            connection.sendall(chunk)

    return script
