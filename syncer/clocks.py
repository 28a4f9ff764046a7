"""The two clocks of a machine, so that tests can let time pass."""

import time
from typing import Protocol


class Clock(Protocol):
    """The time of day, which may jump, and seconds that only ever grow."""

    def now(self) -> float:
        """Epoch seconds."""

    def ticks(self) -> float:
        """Monotonic seconds."""


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    def ticks(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()
