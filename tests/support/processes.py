"""Programs under test as processes of their own, with their output in a file."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.serving import eventually

STOP_SECONDS = 30


class Program:
    """A program. Leaving the context stops it with SIGTERM, and fails if its exit code is not 0."""

    def __init__(self, log: Path, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._command = [str(part) for part in command]
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process
        return self._process

    def stop(self) -> None:
        """SIGTERM, as Kubernetes ends a pod."""
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(STOP_SECONDS) == 0, self.output
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, to it and all its children."""
        self.signal_all(signal.SIGKILL)
        self.process.wait()

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to it and all its children that are in its process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines of JSON about an event."""
        lines = [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.running():
            return
        if kind is None:
            self.stop()
        else:
            self.kill()


def answer(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, Any]:
    """Status and JSON of a GET; (0, None) if the connection is refused."""
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        return response.status, json.loads(body) if body.startswith(b"{") else body.decode()
    except OSError:
        return 0, None
    finally:
        connection.close()


def wait_until_ready(program: Program, port: int, host: str = "127.0.0.1") -> None:
    """Wait until /readyz answers 200."""
    eventually(lambda: answer(port, "/readyz", host)[0] == 200 or not program.running())
    assert program.running(), program.output
