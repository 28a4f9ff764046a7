"""What passes between us and git servers, for whoever wants to count it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple

from syncer.errors import SyncError


class Request(NamedTuple):
    """A request that is over: by our own HTTP or by git, and ``ok`` or why it was of no use."""

    kind: Literal["ask", "fetch"]
    by: Literal["http", "git"]
    outcome: str
    seconds: float


@dataclass(frozen=True)
class Traffic:
    """``received`` is told of bytes as they come, but not of those that git itself reads."""

    requested: Callable[[Request], None] = lambda _request: None
    received: Callable[[int], None] = lambda _bytes: None

    @contextmanager
    def request(self, kind: Literal["ask", "fetch"], by: Literal["http", "git"]) -> Iterator[None]:
        """Take note of what is asked within, however it ends."""
        began, outcome = time.perf_counter(), "ok"
        try:
            yield
        except BaseException as error:
            # The name of a class, never a text: it is somebody else's, and there is no end of them.
            outcome = error.reason if isinstance(error, SyncError) else type(error).__name__
            raise
        finally:
            self.requested(Request(kind, by, outcome, time.perf_counter() - began))
