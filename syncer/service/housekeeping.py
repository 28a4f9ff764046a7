"""Once a minute: delete what is old, and read back some of what is live. On its own thread, because disks are slow."""

import contextlib
import threading
from collections.abc import Iterator

import structlog

from syncer.disk.room import Disks
from syncer.errors import LeaseLost, SyncError
from syncer.publishing.workspace import Workspace
from syncer.recorder import Recorder
from syncer.service.sites import Sites
from syncer.service.source_queue import SourceQueue

log = structlog.get_logger(__name__)


class Housekeeper:
    """Keeps the volume and the cache in order while started."""

    def __init__(
        self, workspace: Workspace, sites: Sites, queue: SourceQueue, recorder: Recorder, interval_seconds: float
    ) -> None:
        self._git = workspace.git
        self._releases = workspace.releases
        self._mirrors = workspace.mirrors
        self._sites = sites
        self._queue = queue
        self._recorder = recorder
        self._interval_seconds = interval_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping")
        self.problem = ""  # why the volume could not be written at the last turn

    def start(self) -> None:
        """Start the thread, with a turn at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; returns when the thread has ended."""
        self._stopping.set()
        self._thread.join()

    def turn(self) -> None:
        """Do everything once."""
        self._git.server.rest()
        self.problem = self._volume_problem()
        self._sites.take_removed_offline()
        with _logged("collecting_failed"):
            self._releases.collect()
        with _logged("mirrors_not_cleared"):
            sources = self._sites.sources()
            if sources is not None:
                self._mirrors.keep_only(sources)
        with _logged("disks_not_measured"):
            live, kept = self._releases.counts()
            rooms = {"volume": self._releases.disk(), "cache": self._mirrors.disk()}
            self._recorder.disks_measured(Disks(rooms, live, kept))
        with _logged("verification_failed"):
            damaged = self._releases.verify()
            for site in damaged:
                self._recorder.release_damaged(site)
            if damaged:
                self._queue.hasten_sites(damaged)

    def _volume_problem(self) -> str:
        try:
            self._releases.check_writable()
        except LeaseLost:
            return ""  # the next holder will find out
        except SyncError as error:
            log.error("volume_not_writable", error=str(error))  # noqa: TRY400 - the message says it all
            return str(error)
        return ""

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.turn()
            except Exception:  # a bug must not end the housekeeping
                log.exception("housekeeping_crashed")
            self._stopping.wait(self._interval_seconds)


@contextlib.contextmanager
def _logged(event: str) -> Iterator[None]:
    try:
        yield
    except (SyncError, OSError) as error:
        log.warning(event, error=str(error))
