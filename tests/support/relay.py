"""A TCP relay in front of a server, which spoils what the server answers."""

import contextlib
import selectors
import socket
import threading
import time
from types import TracebackType
from typing import Self

_CHUNK = 1 << 14


class Relay:
    """Passes connections on to a port of this machine. Use it as a context manager; faults may change at any time.

    ``bytes_per_second`` slows answers, ``cut_after`` ends each connection after so many bytes of an answer, and
    ``flip_at`` changes that byte of it; while ``silent`` nothing is passed on at all.
    """

    def __init__(self, port: int) -> None:
        self.bytes_per_second: int | None = None
        self.cut_after: int | None = None
        self.flip_at: int | None = None
        self.silent = False
        self.received = bytearray()  # all that clients have sent
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.origin = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, name="relay")

    def heal(self) -> None:
        """Pass everything on as it is."""
        self.bytes_per_second = self.cut_after = self.flip_at = None
        self.silent = False

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread in (self._acceptor, *self._threads):
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                self._threads = [each for each in self._threads if each.is_alive()]
                self._threads.append(threading.Thread(target=self._relay, args=(client,)))
                self._threads[-1].start()

    def _relay(self, client: socket.socket) -> None:
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(self._target) as server,
            selectors.DefaultSelector() as selector,
        ):
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            answered = 0
            while not self._stopping.is_set():
                if self.silent:
                    self._stopping.wait(0.05)
                    continue
                for key, _ in selector.select(0.05):
                    data = key.fileobj.recv(_CHUNK)  # type: ignore[union-attr]
                    if not data:
                        return
                    if key.fileobj is server:
                        self._answer(data, answered, client)
                        answered += len(data)
                        if self.cut_after is not None and answered >= self.cut_after:
                            return
                    else:
                        answered = 0
                        self.received += data
                        server.sendall(data)

    def _answer(self, data: bytes, answered: int, client: socket.socket) -> None:
        if self.flip_at is not None and answered <= self.flip_at < answered + len(data):
            at = self.flip_at - answered
            data = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        if self.cut_after is not None:
            data = data[: max(0, self.cut_after - answered)]
        speed = self.bytes_per_second
        step = max(1, speed // 50) if speed else len(data)
        for start in range(0, len(data), step):
            if speed:
                time.sleep(0.02)
            client.sendall(data[start : start + step])
