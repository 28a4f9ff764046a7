"""A continuous visitor, through nginx with the configuration of the cluster."""

import http.client
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.soak.syncer import NAMESPACE
from cli.serve.nginx import Nginx
from cli.serve.nginx_config import SITES
from tests.support.serving import free_port


@contextmanager
def served(root: Path) -> Iterator[int]:
    """Serve the volume with nginx. Yields the port."""
    port, nginx = free_port(), Nginx(root, live="volume/live")
    nginx.start(f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://{SITES}:; }} }}")
    try:
        yield port
    finally:
        nginx.stop()


class Visitor:
    """Requests the numbered files of all sites. Each response must be 200, and no number may decrease."""

    def __init__(self, port: int, sites: Sequence[str]) -> None:
        self.answers = 0
        self.errors: list[str] = []
        self._port = port
        self._highest = {f"/{NAMESPACE}/{site}/{file}": 0 for site in sites for file in ("a", "b/b")}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="visitor")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            try:
                for path in self._highest:
                    self._ask(connection, path)
                    self._stopping.wait(0.002)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.errors.append(repr(error))
            finally:
                connection.close()

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> None:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        self.answers += 1
        if response.status != http.client.OK:
            self.errors.append(f"{response.status} at {path}")
            return
        number = int(body.split()[0])
        if number < self._highest[path]:
            self.errors.append(f"{path} went back from {self._highest[path]} to {number}")
        self._highest[path] = number
