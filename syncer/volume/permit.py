"""What is asked right before a change of the volume."""

from typing import Protocol


class Permit(Protocol):
    """What may forbid a change of the volume at the last moment: a lost Lease, or a site that was deleted."""

    def check(self) -> None:
        """Raise the SyncError that says why the change must not happen."""


class Permitted:
    """Forbids nothing."""

    def check(self) -> None:
        """Pass."""


PERMITTED = Permitted()
