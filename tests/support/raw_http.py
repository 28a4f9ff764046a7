"""HTTP byte for byte, because clients would correct what a hostile visitor sends."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """An answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


def ask(port: int, request_line: str, **headers: str) -> Answer:
    """Send a request line as it is, with ``header_name="value"``, and read the answer until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        return exchange(connection, request(request_line, {"Host": "example.com"} | headers))


def request(request_line: str, headers: Mapping[str, str], *, close: bool = True) -> bytes:
    """The bytes of a request; to ``close`` is to ask the server to close after its answer."""
    lines = [request_line, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, *(["Connection: close"] if close else []), "", ""]).encode("utf-8", "surrogateescape")


def exchange(connection: socket.socket, sent: bytes) -> Answer:
    """Send these bytes and read the answer until the server closes."""
    connection.sendall(sent)
    received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in rest)
    return Answer(int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body)
