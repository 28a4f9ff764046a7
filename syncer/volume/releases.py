"""What is on the volume of each site: a release is written, goes live, is recalled, and goes."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pages.api import SiteKey
from syncer.content.tree import Listing, ReadBlobs
from syncer.disk.policy import DiskPolicy, Usage
from syncer.disk.room import Disk, DiskRoom
from syncer.errors import StorageFailed, SyncError
from syncer.volume import earlier, records
from syncer.volume.earlier import Earlier
from syncer.volume.layout import ReleaseGone, Volume, stamp_of, storage_errors, temporary_beside
from syncer.volume.records import Release
from syncer.volume.retention import Retention
from syncer.volume.space import Room
from syncer.volume.usage import Usages
from syncer.volume.verification import Verification
from syncer.volume.writing import Changes, Writer, changes, need


class Releases:
    """The only code that writes to the volume. At most one thread may work on one site at a time.

    ``fence`` is asked before each change of what visitors see and before each deletion; it raises to forbid that.
    ``clock`` is the time of day, ``ticks`` is monotonic.
    """

    def __init__(
        self,
        root: Path,
        policy: DiskPolicy | None = None,
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        self._policy = policy or DiskPolicy()
        self._clock = clock
        self._volume = Volume(root, fence)
        self._usages = Usages(self._volume)
        self._retention = Retention(self._volume, self._usages, self._policy, clock, ticks)
        self._room = Room(Disk(root, self._policy.keep_free), self._retention, self._usages, self._policy)
        self._verification = Verification(self._volume)
        self._earlier = Earlier(self._volume, self._usages, self._policy.keep_assets_seconds, clock)
        self._writer = Writer(self._volume, self._verification, self._earlier, self._room, clock)

    def prepare(self) -> None:
        """Make the two folders and remove what a killed process left unfinished."""
        with storage_errors():
            self._volume.prepare()

    def sites(self) -> list[SiteKey]:
        """The sites that are live."""
        with storage_errors():
            return self._volume.sites()

    def origin(self, site: SiteKey) -> Release | None:
        """What visitors see, be it whole or damaged."""
        with storage_errors():
            name = self._volume.live_release(site)
            return records.read(self._volume.home(site) / name) if name else None

    def current(self, site: SiteKey) -> Release | None:
        """The live release, or None where there is none that is whole."""
        release = self.origin(site)
        if release is None:
            return None
        with storage_errors():
            return None if self._verification.is_damaged(site) else release

    def blobs(self, site: SiteKey) -> set[str]:
        """The blobs that the live release holds."""
        with storage_errors():
            name = self._volume.live_release(site)
            entries = records.read_entries(self._volume.home(site) / name) if name else None
        return {entry.oid for entry in (entries or {}).values()}

    def publish(
        self,
        site: SiteKey,
        draft: Release,
        listing: Listing,
        blobs: ReadBlobs,
        confirm: Callable[[], None] = lambda: None,
        *,
        tell: Callable[[Changes], None] = lambda _changes: None,
    ) -> Release:
        """Write the tree that ``draft`` names as a new release and make it live, unless ``confirm`` raises by then.

        ``tell`` is told how it differs from the one before, once it is live.

        Raises StorageFull, QuotaExceeded, StorageFailed, GitFailed; the release that was live stays so.
        """
        self._volume.fence()
        with storage_errors():
            live = self._volume.live_release(site)
            folder = self._volume.home(site) / live if live else None
            known = self._verification.sound_entries(site, folder) if folder else {}
            planned = self._writer.plan(site, listing, folder, known)
            try:
                release, name, written = self._writer.write(site, draft, listing, planned, blobs)
            except OSError:
                self._room.relieve(need(planned))  # for the next try
                raise
            try:
                self._volume.flush()
                self._go_live(site, name, live, confirm)
            except BaseException:
                with suppress(OSError, SyncError):
                    self._volume.remove_release(site, name)  # unless it is live by now
                raise
            packed = [entry.packed for entry in written.packed.values() if entry.packed]
            used = need(planned) + Usage(sum(packed), len(packed))
            self._usages.published(site, used, exact=release.hard_links)
        tell(changes(known, written))
        return release

    def recall(self, site: SiteKey, wanted: Release, confirm: Callable[[], None] = lambda: None) -> Release | None:
        """Make a release live again that is of the same origin, still there and sound; None where there is none."""
        self._volume.fence()
        with storage_errors():
            live = self._volume.live_release(site)
            for name in self._volume.releases(site):
                release = None if name == live else records.read(self._volume.home(site) / name)
                if release is None or not release.answers(wanted):
                    continue
                if not self._is_sound(site, name, release):
                    continue
                with suppress(ReleaseGone):
                    if live:
                        self._keep_assets(site, live, name)
                    self._go_live(site, name, live, confirm)
                    return release
        return None

    def history(self, site: SiteKey) -> list[Release]:
        """What is on the volume of the site, newest first."""
        with storage_errors():
            found = [records.read(self._volume.home(site) / name) for name in self._volume.releases(site)]
        return [release for release in found if release]

    def stamps(self, site: SiteKey) -> tuple[set[int], int | None]:
        """The stamps of what is on the volume of the site, and of what is live: read without a record."""
        with storage_errors():
            live = self._volume.live_release(site)
            return {stamp_of(name) for name in self._volume.releases(site)}, stamp_of(live) if live else None

    def restate(self, site: SiteKey, draft: Release) -> Release:
        """Record that the live tree has a new origin: nothing that visitors see changes."""
        with storage_errors(), self._earlier.records_lock:
            name = self._volume.live_release(site)
            folder = self._volume.home(site) / (name or "")
            current, entries = records.read(folder), records.read_entries(folder)
            if current is None or name is None or entries is None or current.tree != draft.tree:
                raise StorageFailed(f"the live release of {site} is gone; it is published anew")
            release = replace(
                current,
                earlier=earlier.oldest(entries),
                uid=draft.uid,
                repo=draft.repo,
                commit=draft.commit,
                path=draft.path,
                tree=draft.tree,
                branch=draft.branch,
                authored=draft.authored,
                subject=draft.subject,
                rules=current.rules if draft.rules is None else draft.rules,
                has_rules=draft.has_rules,
                rules_digest=draft.rules_digest,
            )
            self._volume.fence()
            records.write(folder, temporary_beside(folder), release, entries)
        return release

    def take_offline(self, site: SiteKey) -> None:
        """Stop serving the site now; its files follow after the grace time."""
        with storage_errors():
            live = self._volume.live_release(site)
            self._volume.take_offline(site)
            self._verification.published(site)
            if live:
                self._retention.retire(site, live)

    def write_users(self, site: SiteKey, content: bytes | None) -> None:
        """Let nginx take these passwords, an htpasswd file; None: nobody's."""
        with storage_errors():
            self._volume.write_users(site, content)

    def collect(self) -> None:
        """Delete what has not been live for the grace time and is not kept, and more where the disk is full."""
        with storage_errors():
            self._earlier.collect()
            self._retention.collect()
            self._room.relieve()

    def check_writable(self) -> None:
        """Raise StorageFull or StorageFailed where the volume cannot be written."""
        self._volume.fence()
        with storage_errors():
            self._volume.check_writable()

    def verify(self) -> list[SiteKey]:
        """Read back some of what is live; return the sites now found to be damaged, to be published anew."""
        with storage_errors():
            return self._verification.turn(self._policy.verify_bytes)

    def counts(self) -> tuple[int, int]:
        """How many releases are live, and how many others were left when we last collected."""
        with storage_errors():
            return len(self._volume.sites()), self._retention.kept

    def disk(self) -> DiskRoom:
        """The room on the volume."""
        with storage_errors():
            return DiskRoom.of(self._volume.root)

    def relieve(self) -> None:
        """Make room on the disk, for others too."""
        with storage_errors():
            self._room.relieve()

    def _keep_assets(self, site: SiteKey, left: str, name: str) -> None:
        """What pages ask for that were loaded before the site goes back stays there for a while, too."""
        home = self._volume.home(site)
        known = self._verification.sound_entries(site, home / left)
        with suppress(OSError):  # a full disk shall not keep a bad page live
            if self._earlier.carry_over(site, home / left, known, home / name):
                self._volume.flush()

    def _is_sound(self, site: SiteKey, name: str, release: Release) -> bool:
        """Read back in full where that is quick; what is larger is read by and by, once it is live."""
        return self._verification.is_sound(site, name, content=release.size <= self._policy.verify_bytes)

    def _go_live(self, site: SiteKey, name: str, before: str | None, confirm: Callable[[], None]) -> None:
        self._volume.go_live(site, name, confirm)
        self._retention.revive(site, name)
        self._verification.published(site)
        if before and before != name:
            self._retention.retire(site, before)
