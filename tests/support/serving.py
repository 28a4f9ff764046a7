"""`pages serve` as a process of its own, as a user runs it."""

import contextlib
import http.client
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

SECONDS = 120
T = TypeVar("T")
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = itertools.count(secrets.randbelow(1_000))
PAGES = [sys.executable, "-c", "from cli import main; main(prog_name='pages')"]


def pages(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a `pages` command to its end."""
    return subprocess.run(
        [*PAGES, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def following(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start a `pages` command that runs until Ctrl-C."""
    # Whoever runs the tests in the background has them ignore Ctrl-C, and children inherit that.
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{listens}; from cli import main; main(prog_name='pages')"
    return subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def free_port() -> int:
    """A free port that no other test takes before its server does.

    It is below the kernel's ephemeral ports, and each worker of the tests has a range of its own.
    """
    while True:
        port = 10_000 + 1_000 * (_WORKER % 20) + next(_PORTS) % 1_000
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def eventually(look: Callable[[], T], seconds: float = SECONDS) -> T:
    """Wait for a true value, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return found


class Serving:
    """A running `pages serve`. Leaving the context stops it as Ctrl-C does, and checks that no process is left."""

    def __init__(self, state: Path, arguments: Sequence[str | Path], cwd: Path | None = None) -> None:
        self.state = state
        self.port = free_port()
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [*PAGES, "serve", *map(str, arguments), "--state", str(state), "--port", str(self.port)],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        try:
            eventually(lambda: self.says("Publishing") or self._process.poll() is not None)
            assert self._process.poll() is None, self.output
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()

    def _read(self) -> None:
        assert self._process.stdout
        self.lines.extend(iter(self._process.stdout.readline, ""))
        self._process.stdout.close()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def says(self, text: str) -> bool:
        return text in self.output

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        self._process.send_signal(number)
        try:
            code = self._process.wait(SECONDS)
        finally:
            self.kill()
        assert code == 0, self.output
        assert running_commands(str(self.state)) == []

    def kill(self) -> None:
        """Send SIGKILL, which leaves nginx for the next start to stop."""
        self._process.kill()
        self._process.wait()
        self._reader.join(SECONDS if running_commands(str(self.state)) == [] else 0.1)

    def get(self, host: str, path: str = "/", **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request("GET", path, headers={"Host": host, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace"), dict(answer.getheaders())
        finally:
            connection.close()

    def shows(self, host: str, text: str, path: str = "/") -> bool:
        """Whether the page has the text."""
        status, body, _ = self.get(host, path)
        return status == http.client.OK and text in body

    def statuses(self) -> dict[str, Any]:
        """The statuses that `pages status` shows, by namespace/name."""
        done = pages("status", "--state", self.state, "-o", "json")
        return {
            f"{e['metadata']['namespace']}/{e['metadata']['name']}": e.get("status", {})
            for e in json.loads(done.stdout)["items"]
        }

    def synced(self, site: str) -> tuple[str, str]:
        """Reason and message of a site's Synced condition."""
        for condition in self.statuses().get(site, {}).get("conditions", []):
            if condition["type"] == "Synced":
                return condition["reason"], condition["message"]
        return "", ""


def running_commands(text: str) -> list[str]:
    """The command lines of all processes that contain the text (Linux)."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            lines.append(line)
    return lines
