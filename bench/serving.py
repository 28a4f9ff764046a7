"""Serves repositories over smart HTTP, in a separate process that counts requests and bytes."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from tests.support.git_server import GitServer


class Traffic(NamedTuple):
    """The number of requests, and the bytes received and sent."""

    requests: int
    received: int
    sent: int


@dataclass(frozen=True)
class Served:
    """The running server."""

    origin: str
    _pipe: Connection

    def traffic(self) -> Traffic:
        """The traffic so far."""
        self._pipe.send("traffic")
        return Traffic(*self._pipe.recv())


@contextmanager
def served(root: Path) -> Iterator[Served]:
    """The repositories below the folder."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(root, theirs))
    process.start()
    try:
        yield Served(ours.recv(), ours)
    finally:
        ours.send("stop")
        process.join()


def _serve(root: Path, pipe: Connection) -> None:
    with GitServer(root) as server:
        pipe.send(server.origin)
        while pipe.recv() == "traffic":
            pipe.send((len(server.requests), server.bytes_received, server.bytes_sent))
