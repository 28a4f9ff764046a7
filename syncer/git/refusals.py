"""Waits before a refused credential is used again, because servers lock accounts after many failures (F11)."""

import threading
from dataclasses import dataclass

from syncer.clocks import Clock, SystemClock
from syncer.errors import AuthFailed
from syncer.git.remote import Remote

FIRST_WAIT_SECONDS = 300.0
_MAX_WAIT_SECONDS = 1800.0


@dataclass(frozen=True)
class _Refusal:
    error: AuthFailed
    wait: float
    until: float


class Refusals:
    """Which repository refused which credential. A new credential in the Secret is tried at once."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._refusals: dict[Remote, _Refusal] = {}
        self._lock = threading.Lock()

    def check(self, remote: Remote) -> None:
        """Raise the previous AuthFailed until the server may be contacted again."""
        refusal = self._refusals.get(remote)
        if refusal and self._clock.ticks() < refusal.until:
            raise refusal.error

    def note(self, remote: Remote, error: AuthFailed) -> None:
        """The server has refused: wait, for longer each time."""
        with self._lock:
            if (before := self._refusals.get(remote)) and before.error is error:
                return
            now = self._clock.ticks()
            wait = min(2 * before.wait, _MAX_WAIT_SECONDS) if before else FIRST_WAIT_SECONDS
            kept = {each: old for each, old in self._refusals.items() if old.until + _MAX_WAIT_SECONDS > now}
            self._refusals = kept | {remote: _Refusal(error, wait, now + wait)}

    def forget(self, remote: Remote) -> None:
        """The server has accepted a credential."""
        with self._lock:
            self._refusals.pop(remote, None)
