"""What happened with each site of a `pages serve`, a line each: for `pages logs`, and for whoever waits for a sync."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pages.api import StaticSite
from syncer.errors import SyncError
from syncer.outcome import Outcome
from syncer.recorder import Recorder

_MAX_BYTES = 128 << 10  # a site; then the older half goes
Line = dict[str, Any]


class SiteLog(Recorder):
    """A folder with one file of JSON lines per site. One process appends, from any thread; any other may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def outcome_reported(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:
        """Add a line about a sync that took so long."""
        if isinstance(outcome, SyncError):
            event, told = "failed", {"reason": outcome.reason, "text": str(outcome)}
        else:
            release = outcome.release
            event = "published" if outcome.changed else "unchanged"
            told = {"commit": release.commit, "text": f"commit {release.commit[:12]}, {release.files} files"}
        now = datetime.now(UTC)
        began = now - timedelta(seconds=seconds)
        self._append(site.key, {"time": now.isoformat(), "began": began.isoformat(), "event": event, **told})

    def lines(self, site: str) -> Iterator[Line]:
        """What is known of a site (``namespace/name``), oldest first."""
        try:
            text = self._file(site).read_text()
        except OSError:
            return
        for line in text.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue  # half a line: it is being written

    def _append(self, site: str, line: Line) -> None:
        file = self._file(site)
        with self._lock:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with file.open("a") as opened:
                opened.write(json.dumps(line) + "\n")
                size = opened.tell()
            if size > _MAX_BYTES:
                kept = file.read_text().splitlines(keepends=True)
                temporary = file.with_name(f".tmp-{file.name}")
                temporary.write_text("".join(kept[len(kept) // 2 :]))
                temporary.replace(file)

    def _file(self, site: str) -> Path:
        return self._folder / f"{site.replace('/', '--')}.jsonl"
