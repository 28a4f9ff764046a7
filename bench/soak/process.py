"""The process of the syncer, which faults kill and restart."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.support.engine import descendants

_PHASES = {"ls-remote": "asking", "fetch": "fetching", "cat-file": "writing", "ls-tree": "writing", "repack": "tidying"}


class SyncerProcess:
    """The process of the syncer. It is restarted after each kill."""

    def __init__(self, root: Path, origin: str) -> None:
        self._command = [sys.executable, "-m", "bench.soak.syncer", str(root), origin]
        self._log = root / "syncer.log"
        self._lock = threading.Lock()
        self._start()

    def _start(self) -> None:
        read_end, self._stdin = os.pipe()
        with self._log.open("ab") as log, os.fdopen(read_end) as stdin:
            self._process = subprocess.Popen(self._command, stdin=stdin, stdout=log, stderr=log)

    def tell(self, name: str) -> None:
        """Notify the syncer of a push, like a webhook. It may be down."""
        with self._lock, contextlib.suppress(BrokenPipeError):
            os.write(self._stdin, f"{name}\n".encode())

    def phase(self) -> str:
        """The current phase of the syncer, derived from its git processes."""
        words = [word for line in descendants(self._process.pid).values() for word in line]
        return next((phase for word, phase in _PHASES.items() if word in words), "between")

    def kill(self) -> None:
        """Kill the syncer and all its descendants, as at the end of a container, and start it again."""
        with self._lock:
            self._process.send_signal(signal.SIGSTOP)  # so that it starts no more children
            for pid in (*descendants(self._process.pid), self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
            os.close(self._stdin)
            self._start()

    def kill_git(self) -> bool:
        """Kill one of its git processes. Returns whether there was one."""
        for pid in descendants(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def alive(self) -> bool:
        """Whether the syncer runs."""
        return self._process.poll() is None

    def stop(self) -> int:
        """Stop the syncer with SIGTERM, and return its exit code."""
        self._process.terminate()
        code = self._process.wait(60)
        os.close(self._stdin)
        return code
