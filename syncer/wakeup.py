"""How other threads wake a thread that waits for its next round."""

import threading


class Wakeup:
    """One thread waits; any thread may wake it, tell it that something has changed, or stop it for good."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._changed = threading.Event()
        self._event = threading.Event()

    def ring(self) -> None:
        """Wake the thread."""
        self._event.set()

    def change(self) -> None:
        """Wake the thread because something has changed; it stays noted until ``take_change``."""
        self._changed.set()
        self._event.set()

    def stop(self) -> None:
        """Wake the thread because it should end."""
        self.stopped.set()
        self._event.set()

    def has_changed(self) -> bool:
        """Whether a change is noted."""
        return self._changed.is_set()

    def take_change(self) -> bool:
        """Whether a change was noted, which now counts as handled."""
        changed = self._changed.is_set()
        self._changed.clear()
        return changed

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or as soon as the thread is woken."""
        self._event.wait(seconds)
        self._event.clear()
