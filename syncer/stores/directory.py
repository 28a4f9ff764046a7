"""Manifests in files instead of a Kubernetes API: what `pages serve` and the tests stand on.

It does what the API server would: gives objects a uid, a creationTimestamp and a generation, refuses malformed ones
(those of the same file that were good before stay), and keeps the statuses.
"""

import threading
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pages import manifests
from pages.api import ALLOW_LOCAL, Platform, StaticSite, StaticSiteStatus, VirtualHost
from pages.manifests import Contents, Manifest, Problem, Secret
from syncer.stores import Snapshot
from syncer.stores.state import Object, State


class DirectoryStore:
    """The objects of some YAML files and folders. ``reload`` after an edit; everything else answers from memory."""

    def __init__(self, paths: Sequence[Path], state: State, default_platform: Object, *, allow_local: bool) -> None:
        self._paths = paths
        self._state = state
        self._allow_local = allow_local
        self._lock = threading.Lock()
        self._complete = False
        self._default_platform = default_platform
        self._sites: dict[str, tuple[str, Object]] = {
            _key(site): (file, site) for file, site in state.sites()
        }
        self._others: dict[str, list[Manifest]] = {}
