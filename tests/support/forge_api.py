"""A forge's API that takes commit statuses down, and can misbehave."""

import json
import threading
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.support.answering import answering


@dataclass(frozen=True)
class Taken:
    """A request that was taken."""

    path: str
    headers: dict[str, str] = field(repr=False)
    content: dict[str, Any]

    @property
    def state(self) -> str:
        return str(self.content["state"])


class ForgeAPI:
    """Answers 201, or what ``answers`` has for the next requests: a status, or "hang", or "redirect"."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.answers: deque[int | str] = deque()
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.repo = f"{self.origin}/team/docs.git"
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self._running.enter_context(answering(self._server))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._running.close()

    @property
    def states(self) -> list[str]:
        return [each.state for each in self.taken]


class _Server(ThreadingHTTPServer):
    api: ForgeAPI
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Tests read `taken` instead."""

    def do_POST(self) -> None:
        api = self.server.api
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        api.taken.append(Taken(self.path, dict(self.headers.items()), content))
        answer = api.answers.popleft() if api.answers else 201
        if answer == "hang":
            api.released.wait(60)
            return
        self.send_response(302 if answer == "redirect" else int(answer))
        if answer == "redirect":
            self.send_header("Location", f"{api.origin}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()
