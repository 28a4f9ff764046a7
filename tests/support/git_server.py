"""A real git server over smart HTTP: `git http-backend` behind a small web server that can also misbehave."""

import base64
import gzip
import os
import struct
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.answering import answering
from tests.support.repositories import Repository, git

_PACKET = 60_000


@dataclass
class Behaviour:
    """How the server treats one repository; with ``only``, requests of other methods are answered normally."""

    credentials: tuple[str, str] | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    post_status: int | None = None
    echoes: bool = False
    location: str | None = None
    hangs_at: bytes | None = None
    drips: bool = False
    cut_at: int | None = None
    pack: Callable[[], Iterator[bytes]] | None = None
    only: str | None = None
    hangs_method: str = ""

    def hangs(self, method: str, body: bytes) -> bool:
        """Whether the request is never answered."""
        return self.hangs_at is not None and self.hangs_at in body and self.hangs_method in {"", method}


class GitServer:
    """Serves the repositories below a folder. Use it as a context manager."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.requests: list[str] = []
        self.authorizations: list[str | None] = []
        self.hosts: list[str] = []  # which each request named
        self.complaints: list[str] = []  # what git said to each request that it was given
        self.connections = 0
        self.most_at_once = 0  # requests
        self.now = 0
        self.hanging = 0
        self.bytes_received = 0
        self.bytes_sent = 0
        self.counting = threading.Lock()
        self.released = threading.Event()
        self.behaviours: dict[str, Behaviour] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.git = self
        self.port: int = self._server.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self._running.enter_context(answering(self._server))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._running.close()

    def repository(self, name: str = "site", *, object_format: str = "sha1") -> Repository:
        """A new, empty repository that is served at ``url(name)``."""
        return Repository(self.root / f"{name}.git", object_format=object_format)

    def url(self, name: str = "site") -> str:
        """The repository's URL."""
        return f"{self.origin}/{name}.git"

    def require(self, name: str, username: str, password: str, *, only: str | None = None) -> None:
        """Ask for these credentials from now on."""
        self._behave(name, only).credentials = (username, password)

    def redirect(self, name: str, location: str, *, only: str | None = None) -> None:
        """Answer every request with a redirect."""
        self._behave(name, only).location = location

    def fail(self, name: str, status: int, headers: dict[str, str] | None = None, *, only: str | None = None) -> None:
        """Answer every request with this status."""
        self._behave(name, only).status = status
        self._behave(name, only).headers = headers or {}

    def speak_no_protocol_2(self, name: str, status: int) -> None:
        """Answer as an old server does, and a POST that asks for protocol 2 with this status."""
        self._behave(name).post_status = status

    def echo(self, name: str, status: int) -> None:
        """Answer with this status and the credentials that were sent, for git to show."""
        self._behave(name).status = status
        self._behave(name).echoes = True

    def hang(self, name: str, at: bytes = b"", method: str = "") -> None:
        """Never answer requests whose body contains these bytes, for example ``command=fetch``."""
        self._behave(name).hangs_at = at
        self._behave(name).hangs_method = method

    def drip(self, name: str) -> None:
        """Send six bytes of each answer per second."""
        self._behave(name).drips = True

    def cut(self, name: str, size: int) -> None:
        """Close the connection within each pack, after so many bytes of it."""
        self._behave(name, "POST").cut_at = size

    def send_pack(self, name: str, pack: Callable[[], Iterator[bytes]]) -> None:
        """Send this in the place of each pack; it may never end."""
        self._behave(name, "POST").pack = pack

    def heal(self, name: str) -> None:
        """Answer normally again."""
        self.behaviours.pop(name, None)

    def _behave(self, name: str, only: str | None = None) -> Behaviour:
        behaviour = self.behaviours.setdefault(name, Behaviour())
        behaviour.only = only
        return behaviour


class _Server(ThreadingHTTPServer):
    git: GitServer
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30
    disable_nagle_algorithm = True  # head and body are two writes, and the client would wait 40 ms before the second

    def setup(self) -> None:
        self.server.git.connections += 1
        super().setup()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Tests read `requests` instead."""

    def do_GET(self) -> None:
        self._count_and_answer()

    def do_POST(self) -> None:
        self._count_and_answer()

    def _count_and_answer(self) -> None:
        server = self.server.git
        with server.counting:
            server.now += 1
            server.most_at_once = max(server.most_at_once, server.now)
        try:
            self._answer()
        finally:
            with server.counting:
                server.now -= 1

    def _answer(self) -> None:
        server = self.server.git
        server.requests.append(f"{self.command} {self.path}")
        server.hosts.append(self.headers["Host"])
        body = self._body()
        server.bytes_received += len(f"{self.requestline}\r\n{self.headers}") + len(body)
        server.authorizations.append(self.headers.get("Authorization"))
        behaviour = server.behaviours.get(self.path.lstrip("/").partition(".git")[0], Behaviour())
        if behaviour.only not in {None, self.command}:
            behaviour = Behaviour()
        if behaviour.hangs(self.command, body):
            server.hanging += 1
            server.released.wait(60)
            self.close_connection = True
        elif behaviour.location:
            self._send(302, {"Location": behaviour.location})
        elif behaviour.echoes and not self._credentials():
            self._send(401, {"WWW-Authenticate": 'Basic realm="git"'})
        elif behaviour.status:
            headers = {"Content-Type": "text/plain", **behaviour.headers}
            self._send(behaviour.status, headers, self._echo() if behaviour.echoes else b"")
        elif behaviour.post_status and self.command == "POST" and "Git-Protocol" in self.headers:
            self._send(behaviour.post_status, {})
        elif behaviour.credentials and self._credentials() != behaviour.credentials:
            self._send(401, {"WWW-Authenticate": 'Basic realm="git"'})
        else:
            self._send_as(behaviour, *self._backend(body, old=behaviour.post_status is not None))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _credentials(self) -> tuple[str, str] | None:
        scheme, _, encoded = (self.headers.get("Authorization") or "").partition(" ")
        if scheme != "Basic":
            return None
        username, _, password = base64.b64decode(encoded).decode().partition(":")
        return username, password

    def _echo(self) -> bytes:
        username, password = self._credentials() or ("", "")
        return f"{self.headers.get('Authorization')} is {username} {password}\n".encode()

    def _backend(self, body: bytes, *, old: bool) -> tuple[int, dict[str, str], bytes]:
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_PROJECT_ROOT": str(self.server.git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_PROTOCOL": "" if old else self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run([_BACKEND], input=body, env=environment, capture_output=True, check=False)
        self.server.git.complaints.append(done.stderr.decode(errors="replace"))
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        return int(headers.pop("Status", "200").split()[0]), headers, content

    def _send_as(self, behaviour: Behaviour, status: int, headers: dict[str, str], content: bytes) -> None:
        # The pack begins within a packet of a length (4 bytes) and a channel (1 byte).
        before_pack = content.find(b"PACK") - 5
        if behaviour.drips:
            self._begin(status, headers, len(content))
            for start in range(0, len(content), 3):
                self.wfile.write(content[start : start + 3])
                if self.server.git.released.wait(0.5):
                    break
        elif behaviour.cut_at is not None and before_pack >= 0:
            self._begin(status, headers, len(content))
            self.wfile.write(content[: before_pack + 5 + behaviour.cut_at])
            self.close_connection = True
        elif behaviour.pack and before_pack >= 0:
            self._begin(status, headers, 1 << 50)
            self.wfile.write(content[:before_pack])
            for data in behaviour.pack():
                for start in range(0, len(data), _PACKET):
                    packet = data[start : start + _PACKET]
                    self.wfile.write(b"%04x\x01%b" % (len(packet) + 5, packet))
            self.close_connection = True
        else:
            self._send(status, headers, content)

    def _send(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self._begin(status, headers, len(content))
        self.wfile.write(content)
        self.server.git.bytes_sent += len(content)

    def flush_headers(self) -> None:
        self.server.git.bytes_sent += sum(map(len, getattr(self, "_headers_buffer", ())))
        super().flush_headers()

    def _begin(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


def endless_pack(*, squeezed: bool) -> Iterator[bytes]:
    """A million blobs of a megabyte of zeros: each takes a megabyte, or a kilobyte if ``squeezed``."""
    yield pack_header(1 << 20)
    # The size in a pack: four bits beside the type (a blob is 3), then seven at a time.
    blob = b"\xb0\x80\x80\x04" + zlib.compress(bytes(1 << 20), 9 if squeezed else 0)
    for _ in range(1 << 20):
        yield blob


def pack_header(objects: int) -> bytes:
    """The beginning of a pack that announces so many objects."""
    return b"PACK" + struct.pack(">II", 2, objects)


_BACKEND = f"{git('--exec-path')}/git-http-backend"
