"""Which of several syncers is at work."""


class Duty:
    """Whether this syncer is the one at work; this one always is. Inherit from it where there are several."""

    def not_ready(self) -> list[str]:
        """Why it is not at work or cannot work, a sentence each; empty if it is."""
        return []


class Fence:
    """What keeps a second syncer off the volume; this one assumes that there is none. Inherit from it otherwise."""

    def check(self) -> None:
        """Raise LeaseLost if another syncer may be at work."""
