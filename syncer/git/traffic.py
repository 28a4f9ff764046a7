"""What passes between the syncer and git servers, for metrics."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from syncer.errors import SyncError


class Request(NamedTuple):
    """A request that is over: made by our own HTTP or by git, and ``ok`` or why it failed."""

    kind: Literal["ask", "fetch"]
    by: Literal["http", "git"]
    outcome: str
    seconds: float


class TrafficRecorder:
    """Hears of requests to git servers; this one ignores them. Inherit from it and override what you want to hear."""

    def git_requested(self, request: Request) -> None:
        """A request has ended."""

    def git_received(self, size: int) -> None:
        """So many bytes have come, not counting those that git itself reads."""


class Traffic:
    """Measures requests for a recorder."""

    def __init__(self, recorder: TrafficRecorder | None = None) -> None:
        self.recorder = recorder or TrafficRecorder()

    @contextmanager
    def request(self, kind: Literal["ask", "fetch"], by: Literal["http", "git"]) -> Iterator[None]:
        """Record the request that is made within, however it ends."""
        began, outcome = time.perf_counter(), "ok"
        try:
            yield
        except BaseException as error:
            # The name of a class, never a text: texts come from servers, and their number has no bound.
            outcome = error.reason if isinstance(error, SyncError) else type(error).__name__
            raise
        finally:
            self.recorder.git_requested(Request(kind, by, outcome, time.perf_counter() - began))
