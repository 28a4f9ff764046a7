"""F6, F16, F26 in a running syncer: it repairs the volume by itself."""

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pages.api import StaticSite, StaticSiteStatus
from pages.core import Secret
from syncer.assembly import World, assemble
from syncer.errors import SiteDeleted
from syncer.git.remote import Remote
from syncer.publishing.release import CurrentSites
from syncer.service.loop import Syncer
from syncer.sources import source_of
from syncer.stores import Snapshot
from tests.faults.conftest import Mount, Volume
from tests.support.git_server import GitServer
from tests.support.serving import eventually


class Store:
    """The sites of a test, and the reasons in their statuses."""

    def __init__(self, sites: Sequence[StaticSite]) -> None:
        self.sites = list(sites)
        self.reasons: dict[str, str | None] = {}

    def snapshot(self) -> Snapshot:
        return Snapshot(sites=list(self.sites))

    def secret(self, namespace: str, name: str) -> Secret | None:
        return None

    def write_status(self, site: StaticSite, status: StaticSiteStatus) -> None:
        self.reasons[site.metadata.name] = status.conditions[1].reason


class NoSites(CurrentSites):
    """All sites were deleted meanwhile."""

    def may_publish(self, site: StaticSite) -> bool:
        return False


@contextmanager
def running(volume: Volume, store: Store) -> Iterator[Syncer]:
    syncer = assemble(volume.settings, World(store, volume.workspace)).syncer
    thread = threading.Thread(target=syncer.run)
    thread.start()
    try:
        yield syncer
    finally:
        volume.git.close()
        syncer.stop()
        thread.join(30)
        assert not thread.is_alive()


def test_f16_changed_content_is_repaired_while_it_runs(volume: Volume, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "whole"})
    store = Store([volume.site()])
    with running(volume, store):
        page = volume.live_link() / "index.html"
        eventually(lambda: store.reasons.get("site") == "Synced")
        before = page.stat()
        page.write_text("wrong")
        os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns))
        eventually(lambda: page.read_text() == "whole")


def test_f6_a_removed_site_goes_offline_once_the_volume_can_be_written(
    volume: Volume, git_server: GitServer, mount: Mount
) -> None:
    git_server.repository().commit({"index.html": "x"})
    volume.publish(volume.site())
    folder = mount(volume.root / "volume", "size=2m")
    store = Store([volume.site()])
    with running(volume, store) as syncer:
        eventually(lambda: store.reasons.get("site") == "Synced")
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        store.sites = []
        syncer.store_changed()
        git_server.repository("other").commit({"index.html": "y"})
        store.sites = [volume.site("other")]
        syncer.store_changed()
        eventually(lambda: store.reasons.get("other") == "StorageFailed")
        assert volume.live() == {"index.html": "x"}
        assert syncer.alive()
        eventually(lambda: "Read-only" in syncer.volume_problem())  # what makes it not ready in a cluster
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        eventually(lambda: not os.path.lexists(volume.live_link()))
        eventually(lambda: not syncer.volume_problem())


def grace_is_over(volume: Volume) -> bool:
    """Let the grace time of all that was seen pass. With none at all, what is just being published would go too."""
    volume.clocks.wait(volume.policy.grace_seconds)
    return True


def test_f26_a_site_deleted_during_a_sync_stays_away_and_its_files_go(volume: Volume, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "x"})
    git_server.hang("site")
    store = Store([volume.site(served=True)])
    with running(volume, store) as syncer:
        eventually(lambda: git_server.requests)
        store.sites = []
        syncer.store_changed()
        git_server.heal("site")
        git_server.released.set()
        git_server.repository("next").commit({"index.html": "y"})
        store.sites = [volume.site("next")]
        syncer.store_changed()
        eventually(lambda: store.reasons.get("next") == "Synced")
        eventually(lambda: not os.path.lexists(volume.live_link()))
        eventually(lambda: grace_is_over(volume) and not volume.home().exists())
        eventually(lambda: len(list((volume.root / "mirrors").iterdir())) == 1)


def test_f26_a_site_deleted_right_before_it_goes_live_is_never_served(volume: Volume, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "x"})
    source_sync = volume.source_sync(NoSites())
    ((_, outcome),) = source_sync.run_all({source_of(volume.site()): [volume.site()]})
    assert isinstance(outcome, SiteDeleted)
    assert not os.path.lexists(volume.live_link())
    assert list(volume.home().iterdir()) == []


def test_f26_a_recreated_site_stays_when_the_old_sync_ends(volume: Volume, git_server: GitServer) -> None:
    git_server.repository("old").commit({"index.html": "old"})
    git_server.repository("new").commit({"index.html": "new"})
    git_server.hang("old")
    old = volume.site(repository="old", uid="1", served=True)
    store = Store([old])
    with running(volume, store) as syncer:
        eventually(lambda: git_server.hanging)
        store.sites = [volume.site(repository="new", uid="2")]
        syncer.store_changed()
        eventually(lambda: store.reasons.get("site") == "Synced")
        git_server.heal("old")
        git_server.released.set()
        with volume.mirrors.open(source_of(old), Remote(old.spec.repo)) as mirror:  # once the old sync is over
            assert mirror.head
        assert volume.live() == {"index.html": "new"}
