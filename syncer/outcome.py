"""The outcome of a site's sync: the release that is live, or the error that kept it from going live."""

from dataclasses import dataclass

from syncer.errors import SyncError
from syncer.volume.records import Release
from syncer.volume.writing import Changes


@dataclass(frozen=True)
class Published:
    """The release is live; ``changed`` says whether visitors see something new, and ``changes`` how much."""

    release: Release
    changed: bool
    changes: Changes | None = None


Outcome = Published | SyncError
