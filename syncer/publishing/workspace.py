"""What syncs work with."""

from dataclasses import dataclass

from syncer.git.commands import Git
from syncer.git.mirrors import Mirrors
from syncer.volume.releases import Releases


@dataclass(frozen=True)
class Workspace:
    """Git, the cache of its mirrors, and the releases on the volume."""

    git: Git
    mirrors: Mirrors
    releases: Releases
