"""Notices edits of manifests within a fraction of a second."""

import threading
from collections.abc import Sequence
from pathlib import Path

import structlog
import watchfiles

from syncer.wakeup import Wakeup

log = structlog.get_logger(__name__)

_SUFFIXES = {".yaml", ".yml", ".json"}
_DEBOUNCE_MS = 100


class Watch:
    """A thread that wakes another after edits below the paths, until stopped."""

    def __init__(self, paths: Sequence[Path], wakeup: Wakeup) -> None:
        paths = [path.resolve() for path in paths]  # as edits are reported
        # Of a file, the folder is watched: editors replace the file, and a watch would stay with the old one.
        self._folders = sorted({path if path.is_dir() else path.parent for path in paths})
        self._wakeup = wakeup
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; returns when the thread has ended."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        edits = watchfiles.watch(
            *self._folders,
            watch_filter=lambda _change, path: _is_manifest(Path(path), self._folders),
            debounce=_DEBOUNCE_MS,
            stop_event=self._stopping,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
        for _ in edits:
            log.debug("manifests_changed")
            self._wakeup.change()


def _is_manifest(path: Path, folders: Sequence[Path]) -> bool:
    """Whether an edit of the path matters: edits below a hidden folder, such as our own state, do not."""
    for folder in folders:
        if path.is_relative_to(folder):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            return not hidden and (path.suffix in _SUFFIXES or not path.suffix)
    return False
