"""A real git server over smart HTTP: `git http-backend` behind a small web server that can also misbehave."""

import base64
import gzip
import os
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.repositories import Repository, git


@dataclass
class Behaviour:
    """How the server treats one repository."""

    credentials: tuple[str, str] | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    post_status: int | None = None
    location: str | None = None
    hangs_at: bytes | None = None
    hangs_method: str = ""

    def hangs(self, method: str, body: bytes) -> bool:
        """Whether the request is never answered."""
        return self.hangs_at is not None and self.hangs_at in body and self.hangs_method in {"", method}


class GitServer:
    """Serves the repositories below a folder. Use it as a context manager."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.requests: list[str] = []
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
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def repository(self, name: str = "site") -> Repository:
        """A new, empty repository that is served at ``url(name)``."""
        return Repository(self.root / f"{name}.git")

    def url(self, name: str = "site") -> str:
        """The repository's URL."""
        return f"{self.origin}/{name}.git"

    def require(self, name: str, username: str, password: str) -> None:
        """Ask for these credentials from now on."""
        self._behave(name).credentials = (username, password)

    def redirect(self, name: str, location: str) -> None:
        """Answer every request with a redirect."""
        self._behave(name).location = location

    def fail(self, name: str, status: int, headers: dict[str, str] | None = None) -> None:
        """Answer every request with this status."""
        self._behave(name).status = status
        self._behave(name).headers = headers or {}

    def speak_no_protocol_2(self, name: str, status: int) -> None:
        """Answer as an old server does, and a POST that asks for protocol 2 with this status."""
        self._behave(name).post_status = status

    def hang(self, name: str, at: bytes = b"", method: str = "") -> None:
        """Take requests and never answer: those whose body has these bytes in it, such as ``command=fetch``."""
        self._behave(name).hangs_at = at
        self._behave(name).hangs_method = method

    def heal(self, name: str) -> None:
        """Behave again."""
        self.behaviours.pop(name, None)

    def _behave(self, name: str) -> Behaviour:
        return self.behaviours.setdefault(name, Behaviour())


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
        behaviour = server.behaviours.get(self.path.lstrip("/").partition(".git")[0], Behaviour())
        if behaviour.hangs(self.command, body):
            server.hanging += 1
            server.released.wait(60)
            self.close_connection = True
        elif behaviour.location:
            self._send(302, {"Location": behaviour.location})
        elif behaviour.status:
            self._send(behaviour.status, behaviour.headers)
        elif behaviour.post_status and self.command == "POST" and "Git-Protocol" in self.headers:
            self._send(behaviour.post_status, {})
        elif behaviour.credentials and self._credentials() != behaviour.credentials:
            self._send(401, {"WWW-Authenticate": 'Basic realm="git"'})
        else:
            self._send(*self._backend(body, old=behaviour.post_status is not None))

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

    def _send(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.server.git.bytes_sent += len(content)

    def flush_headers(self) -> None:
        self.server.git.bytes_sent += sum(map(len, getattr(self, "_headers_buffer", ())))
        super().flush_headers()


_BACKEND = f"{git('--exec-path')}/git-http-backend"
