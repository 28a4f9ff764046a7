"""Marks the mirrors in use, to find after a crash the one that may have caused it (F34).

Each mirror in use has a file, which is removed when its work ends in any way. A new process that finds such a file
knows that the work never ended; the number in it counts the processes that died over that mirror in a row.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SUFFIX = ".at-work"


class Attempts:
    """The markers in the git cache, which a restart of the container leaves in place."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._deaths: dict[str, int] = {}

    def read(self) -> dict[str, int]:
        """How many processes died in a row over which mirror. Read it before any work begins."""
        self._deaths = {file.name.removesuffix(_SUFFIX): _number(file) for file in self._root.glob(f"*{_SUFFIX}")}
        return dict(self._deaths)

    @contextmanager
    def at_work(self, mirror_id: str) -> Iterator[None]:
        """Mark the mirror as in use. Raises OSError where the cache cannot be written."""
        marker = self._root / f"{mirror_id}{_SUFFIX}"
        self._root.mkdir(parents=True, exist_ok=True)
        marker.write_text(str(self._deaths.get(mirror_id, 0) + 1))
        try:
            yield
        finally:
            with suppress(OSError):
                marker.unlink(missing_ok=True)
            self._deaths.pop(mirror_id, None)


def _number(marker: Path) -> int:
    try:
        return int(marker.read_text())
    except (OSError, ValueError):
        return 1
