"""The releases of all sites on the volume: written, made live, recalled and deleted."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pages.api import SiteKey
from syncer.clocks import Clock, SystemClock
from syncer.content.tree import ReadBlobs
from syncer.disk.policy import DiskPolicy, Usage
from syncer.disk.room import Disk, DiskRoom
from syncer.errors import StorageFailed, SyncError
from syncer.volume import earlier, records
from syncer.volume.earlier import Earlier
from syncer.volume.layout import (
    ReleaseGone,
    Volume,
    stamp_of,
    storage_errors,
    temporary_beside,
)
from syncer.volume.permit import PERMITTED, Permit
from syncer.volume.records import Origin, Release
from syncer.volume.retention import Retention
from syncer.volume.space import Room
from syncer.volume.usage import Usages
from syncer.volume.verification import Verification
from syncer.volume.writing import Changes, Draft, Writer, changes, need


class Releases:
    """The only code that writes to the volume. At most one thread may work on one site at a time.

    The ``fence`` is checked before each change of what visitors see and each deletion.
    """

    def __init__(
        self,
        root: Path,
        policy: DiskPolicy | None = None,
        *,
        clock: Clock | None = None,
        fence: Permit = PERMITTED,
    ) -> None:
        self._policy = policy or DiskPolicy()
        clock = clock or SystemClock()
        self._volume = Volume(root, fence)
        self._usages = Usages(self._volume)
        self._retention = Retention(self._volume, self._usages, self._policy, clock)
        self._room = Room(Disk(root, self._policy.keep_free), self._retention, self._usages, self._policy)
        self._verification = Verification(self._volume)
        self._earlier = Earlier(self._volume, self._usages, self._policy.keep_assets_seconds, clock)
        self._writer = Writer(self._volume, self._verification, self._earlier, self._room, clock)

    def prepare(self) -> None:
        """Make the two folders and remove the unfinished work of a killed process."""
        with storage_errors():
            self._volume.prepare()

    def sites(self) -> list[SiteKey]:
        """The sites that are live."""
        with storage_errors():
            return self._volume.sites()

    def live(self, site: SiteKey) -> Release | None:
        """What visitors see, sound or damaged."""
        with storage_errors():
            name = self._volume.live_release(site)
            return records.read(self._volume.home(site) / name) if name else None

    def current(self, site: SiteKey) -> Release | None:
        """The live release if it is sound."""
        release = self.live(site)
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
        draft: Draft,
        blobs: ReadBlobs,
        permit: Permit = PERMITTED,
    ) -> tuple[Release, Changes]:
        """Write a new release and make it live; return it, and how it differs from the one before.

        Raises StorageFull, QuotaExceeded, StorageFailed, GitFailed, and what the ``permit`` raises; the release that
        was live stays so.
        """
        self._volume.fence.check()
        with storage_errors():
            live = self._volume.live_release(site)
            folder = self._volume.home(site) / live if live else None
            previous = self._verification.sound_entries(site, folder) if folder else {}
            planned = self._writer.plan(site, draft.listing, folder, previous)
            try:
                release, name, written = self._writer.write(site, draft, planned, blobs)
            except OSError:
                self._room.relieve(need(planned))  # for the next attempt
                raise
            try:
                self._volume.flush()
                self._go_live(site, name, live, permit)
            except BaseException:
                with suppress(OSError, SyncError):
                    self._volume.remove_release(site, name)  # no-op if it is live by now
                raise
            packed = [entry.packed for entry in written.packed.values() if entry.packed]
            used = need(planned) + Usage(sum(packed), len(packed))
            self._usages.published(site, used, exact=release.content.hard_links)
        return release, changes(previous, written)

    def recall(self, site: SiteKey, origin: Origin, permit: Permit = PERMITTED) -> Release | None:
        """Make a sound release of that origin live again; None where the volume has none."""
        self._volume.fence.check()
        with storage_errors():
            live = self._volume.live_release(site)
            for name in self._volume.releases(site):
                release = None if name == live else records.read(self._volume.home(site) / name)
                if release is None or release.content.rules is None or not release.origin.matches(origin):
                    continue
                if not self._is_sound(site, name, release):
                    continue
                with suppress(ReleaseGone):
                    if live:
                        self._keep_assets(site, live, name)
                    self._go_live(site, name, live, permit)
                    return release
        return None

    def history(self, site: SiteKey) -> list[Release]:
        """The site's releases on the volume, newest first."""
        with storage_errors():
            read = [records.read(self._volume.home(site) / name) for name in self._volume.releases(site)]
        return [release for release in read if release]

    def stamps(self, site: SiteKey) -> tuple[set[int], int | None]:
        """The stamps of the site's releases, and of the live one, without reading a record."""
        with storage_errors():
            live = self._volume.live_release(site)
            return {stamp_of(name) for name in self._volume.releases(site)}, stamp_of(live) if live else None

    def restate(self, site: SiteKey, origin: Origin, tree: str, rules: dict[str, Any] | None = None) -> Release:
        """Record that the live tree has a new origin, and its rules if they are new: visitors see no change."""
        with storage_errors(), self._earlier.records_lock:
            name = self._volume.live_release(site)
            folder = self._volume.home(site) / (name or "")
            current, entries = records.read(folder), records.read_entries(folder)
            if current is None or name is None or entries is None or current.content.tree != tree:
                raise StorageFailed(f"the live release of {site} is gone; it is published again")
            content = replace(
                current.content,
                earlier=earlier.oldest(entries),
                rules=current.content.rules if rules is None else rules,
            )
            release = replace(current, origin=origin, content=content)
            self._volume.fence.check()
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
        """Replace the htpasswd file that nginx reads; with None, nginx refuses all visitors."""
        with storage_errors():
            self._volume.write_users(site, content)

    def collect(self) -> None:
        """Delete releases that are neither live nor kept, once the grace time is over, and more if the disk is full."""
        with storage_errors():
            self._earlier.collect()
            self._retention.collect()
            self._room.relieve()

    def check_writable(self) -> None:
        """Raise StorageFull or StorageFailed where the volume cannot be written."""
        self._volume.fence.check()
        with storage_errors():
            self._volume.check_writable()

    def verify(self) -> list[SiteKey]:
        """Read back part of the live releases; return the sites with new damage, which must be published again."""
        with storage_errors():
            return self._verification.turn(self._policy.verify_bytes)

    def counts(self) -> tuple[int, int]:
        """The numbers of live releases, and of others after the last collection."""
        with storage_errors():
            return len(self._volume.sites()), self._retention.kept

    def disk(self) -> DiskRoom:
        """The free and used space of the volume."""
        with storage_errors():
            return DiskRoom.of(self._volume.root)

    def relieve(self) -> None:
        """Free space on the disk, also for the mirror cache."""
        with storage_errors():
            self._room.relieve()

    def _keep_assets(self, site: SiteKey, left: str, name: str) -> None:
        """Keep the assets of the release that is left, for pages that were loaded before the rollback."""
        home = self._volume.home(site)
        sound = self._verification.sound_entries(site, home / left)
        with suppress(OSError):  # a full disk must not prevent a rollback
            if self._earlier.carry_over(site, home / left, sound, home / name):
                self._volume.flush()

    def _is_sound(self, site: SiteKey, name: str, release: Release) -> bool:
        """Read a small release completely; the verification reads larger ones gradually, once they are live."""
        return self._verification.is_sound(site, name, content=release.content.size <= self._policy.verify_bytes)

    def _go_live(self, site: SiteKey, name: str, before: str | None, permit: Permit) -> None:
        self._volume.go_live(site, name, permit)
        self._retention.revive(site, name)
        self._verification.published(site)
        if before and before != name:
            self._retention.retire(site, before)
