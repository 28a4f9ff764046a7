"""Once a minute: delete what is old, read back some of what is live. On a thread of its own, for disks are slow."""

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Sequence

import structlog

from pages.api import SiteKey
from syncer.disk.room import Disks
from syncer.errors import LeaseLost, SyncError
from syncer.git.mirrors import Mirrors
from syncer.sources import Source
from syncer.volume.releases import Releases

log = structlog.get_logger(__name__)


class Housekeeper:
    """Keeps the volume and the cache in order while started.

    ``remove_gone`` takes sites offline once more that could not be when they went; ``wanted`` gives the sources whose
    mirrors are kept, or None where that is not known; ``damaged`` is told which sites have to be published anew;
    ``measured`` is told how full the disks are; ``rest`` closes connections to servers that nobody uses just now.
    """

    def __init__(
        self,
        releases: Releases,
        mirrors: Mirrors,
        *,
        interval_seconds: float,
        remove_gone: Callable[[], None],
        wanted: Callable[[], Collection[Source] | None],
        damaged: Callable[[Sequence[SiteKey]], None],
        measured: Callable[[Disks], None],
        rest: Callable[[], None],
    ) -> None:
        self._releases = releases
        self._mirrors = mirrors
        self._interval_seconds = interval_seconds
        self._remove_gone = remove_gone
        self._wanted = wanted
        self._damaged = damaged
        self._measured = measured
        self._rest = rest
        self._stopping = threading.Event()
        self.problem = ""  # why the volume cannot be written, as far as the last turn found

    def start(self) -> None:
        """Begin, with a turn at once."""
        self._thread = threading.Thread(target=self._run, name="housekeeping")
        self._thread.start()

    def stop(self) -> None:
        """End; returns when the thread has."""
        self._stopping.set()
        self._thread.join()

    def turn(self) -> None:
        """Do once what there is to do."""
        self._rest()
        self.problem = self._volume_problem()
        self._remove_gone()
        with _logged("collecting_failed"):
            self._releases.collect()
        with _logged("mirrors_not_cleared"):
            wanted = self._wanted()
            if wanted is not None:
                self._mirrors.keep_only(wanted)
        with _logged("disks_not_measured"):
            live, kept = self._releases.counts()
            self._measured(Disks({"volume": self._releases.disk(), "cache": self._mirrors.disk()}, live, kept))
        with _logged("verification_failed"):
            damaged = self._releases.verify()
            if damaged:
                self._damaged(damaged)

    def _volume_problem(self) -> str:
        try:
            self._releases.check_writable()
        except LeaseLost:
            return ""  # that is another's to find out
        except SyncError as error:
            log.error("volume_not_writable", error=str(error))  # noqa: TRY400 - the sentence says it all
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
