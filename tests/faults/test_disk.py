"""F5, F6, F7 and what keeps the disk from filling: real small file systems, real quotas."""

import dataclasses
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from syncer.disk.policy import Quota
from syncer.git.commands import Git
from syncer.git.mirrors import Mirrors
from syncer.git.remote import Remote
from syncer.sources import Source, source_of
from tests.faults.conftest import Mount, Volume
from tests.support.git_server import GitServer
from tests.support.repositories import Repository


def rule(volume: Volume, **changes: Any) -> None:
    """Start anew with another policy."""
    volume.policy = dataclasses.replace(volume.policy, **changes)
    volume.start()


def push(repository: Repository, number: int, size: int = 100) -> None:
    """A page that cannot be compressed, one that stays, and what a reader looks at."""
    page = f"{number}" + os.urandom(size).hex()
    repository.commit({"page.bin": page, "same.html": "same", "a": f"{number}", "b/b": f"{number}"})


def fill(folder: Path) -> None:
    """Use all that there is left of a small file system."""
    folder.mkdir()
    with (folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        for _ in range(1 << 20):
            ballast.write(bytes(4096))


def temporary_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith((".tmp-", "tmp_"))]


def test_f5_a_full_volume_is_said_leaves_nothing_and_is_used_again_once_there_is_room(
    volume: Volume, git_server: GitServer, mount: Mount
) -> None:
    repository = git_server.repository()
    push(repository, 1)
    volume.publish(volume.site())
    mount(volume.root / "volume", "size=1m")
    ballast = volume.root / "volume/lost+found"
    ballast.mkdir()
    (ballast / "somebody's").write_bytes(bytes(900 << 10))
    with volume.visited():
        push(repository, 2, size=100 << 10)
        error = volume.refuses(volume.site())
        assert error.reason == "StorageFull"
        assert "free" in str(error)
        assert volume.live()["page.bin"].startswith("1")
        assert temporary_files(volume.root / "volume") == []
        (ballast / "somebody's").unlink()
        volume.publish(volume.site())
        assert volume.live()["page.bin"].startswith("2")
        assert ballast.is_dir()


def test_f5_a_site_goes_back_on_a_volume_without_a_byte_left(
    volume: Volume, git_server: GitServer, mount: Mount
) -> None:
    mount(volume.root / "volume", "size=1m")
    volume.start()
    repository = git_server.repository()
    old = repository.commit({"index.html": "old", "app.1111aaaa.js": "1"})
    volume.publish(volume.site())
    repository.commit({"index.html": "new", "app.1111aaaa.js": None, "app.2222bbbb.js": "2"})
    volume.publish(volume.site())
    fill(volume.root / "volume/lost+found")
    assert volume.publish(volume.site(revision=old)).commit == old
    # What pages that are open ask for could not be noted, and so is not kept.
    assert volume.live() == {"index.html": "old", "app.1111aaaa.js": "1"}
    assert volume.releases.current(volume.site().site_key) is not None
    assert temporary_files(volume.root / "volume") == []


def test_f5_a_full_cache_is_said_leaves_nothing_and_is_used_again_once_there_is_room(
    volume: Volume, git_server: GitServer, mount: Mount
) -> None:
    repository = git_server.repository()
    push(repository, 1)
    volume.publish(volume.site())
    mount(volume.root / "mirrors", "size=1m")
    with volume.visited():
        (volume.root / "mirrors/somebody's").write_bytes(bytes(800 << 10))
        push(repository, 2, size=200 << 10)
        assert volume.refuses(volume.site()).reason == "StorageFull"
        assert volume.live()["page.bin"].startswith("1")
        assert temporary_files(volume.root / "mirrors") == []
        (volume.root / "mirrors/somebody's").unlink()
        volume.publish(volume.site())
        assert volume.live()["page.bin"].startswith("2")


def test_f5_a_volume_without_inodes_is_full_too(volume: Volume, git_server: GitServer, mount: Mount) -> None:
    repository = git_server.repository()
    push(repository, 1)
    volume.publish(volume.site())
    mount(volume.root / "volume", "size=10m,nr_inodes=60")
    with volume.visited():
        repository.commit({f"{number}.html": f"{number}" for number in range(100)})
        error = volume.refuses(volume.site())
        assert error.reason == "StorageFull"
        assert "files" in str(error)
        assert volume.live()["page.bin"].startswith("1")
        repository.commit({f"{number}.html": None for number in range(99)})
        volume.publish(volume.site())
        assert "99.html" in volume.live()


def test_f5_a_disk_that_gets_full_loses_old_releases_before_a_push_fails(
    volume: Volume, git_server: GitServer, mount: Mount
) -> None:
    """Those that are kept, oldest first; never one that somebody may still read."""
    repository = git_server.repository()
    rule(volume, keep_releases=10, grace_seconds=60)
    mount(volume.root / "volume", "size=512k")
    volume.start()
    push(repository, 0)
    volume.publish(volume.site())
    with volume.visited():
        for number in range(1, 8):  # 100 KiB each
            push(repository, number, size=50 << 10)
            volume.publish(volume.site())
            volume.clocks.wait(100)
        assert volume.live()["page.bin"].startswith("7")
        assert volume.old_releases(volume.site()) in {2, 3, 4}
        push(repository, 8, size=50 << 10)
        volume.publish(volume.site())
        push(repository, 9, size=175 << 10)
        error = volume.refuses(volume.site())
        assert error.reason == "StorageFull"
        assert error.retry_within_seconds <= 60
        assert volume.old_releases(volume.site()) == 1  # within the grace time
        volume.clocks.wait(100)
        volume.publish(volume.site())
        assert volume.live()["page.bin"].startswith("9")


def test_f5_some_of_the_disk_is_kept_free(volume: Volume, git_server: GitServer, mount: Mount) -> None:
    repository = git_server.repository()
    push(repository, 1)
    volume.publish(volume.site())
    mount(volume.root / "volume", "size=1m")
    with volume.visited():
        rule(volume, keep_free=0.5)
        push(repository, 2, size=300 << 10)
        error = volume.refuses(volume.site())
        assert error.reason == "StorageFull"
        assert "50% stays so" in str(error)
        rule(volume, keep_free=0.1)
        volume.publish(volume.site())


def test_f6_a_read_only_volume_is_said_and_serves_on(volume: Volume, git_server: GitServer, mount: Mount) -> None:
    repository = git_server.repository()
    push(repository, 1)
    volume.publish(volume.site())
    mount(volume.root / "volume", "size=2m")
    with volume.visited():
        push(repository, 2)
        subprocess.run(["mount", "-o", "remount,ro", str(volume.root / "volume")], check=True)
        error = volume.refuses(volume.site())
        assert error.reason == "StorageFailed"
        assert "Read-only" in str(error)
        assert volume.live()["page.bin"].startswith("1")
        volume.releases.collect()  # nothing that needs writing
        assert volume.releases.verify() == []
        volume.start()
        assert volume.refuses(volume.site()).reason == "StorageFailed"
        subprocess.run(["mount", "-o", "remount,rw", str(volume.root / "volume")], check=True)
        volume.publish(volume.site())
        assert volume.live()["page.bin"].startswith("2")


def test_f6_a_read_only_cache_is_said_and_what_is_live_stays(
    volume: Volume, git_server: GitServer, mount: Mount
) -> None:
    repository = git_server.repository()
    push(repository, 1)
    volume.publish(volume.site())
    mount(volume.root / "mirrors", "size=2m")
    with volume.visited():
        push(repository, 2)
        subprocess.run(["mount", "-o", "remount,ro", str(volume.root / "mirrors")], check=True)
        assert volume.refuses(volume.site()).reason == "StorageFailed"
        assert volume.live()["page.bin"].startswith("1")
        subprocess.run(["mount", "-o", "remount,rw", str(volume.root / "mirrors")], check=True)
        volume.publish(volume.site())
        assert volume.live()["page.bin"].startswith("2")


def test_f7_a_release_is_kept_for_those_who_see_the_link_late_also_across_a_restart(
    volume: Volume, git_server: GitServer
) -> None:
    """On NFS, another node may follow the old link for a minute."""
    repository = git_server.repository()
    rule(volume, keep_releases=0, grace_seconds=600)
    push(repository, 1)
    volume.publish(volume.site())
    old = volume.live_link().resolve()
    push(repository, 2)
    volume.publish(volume.site())
    volume.clocks.wait(590)
    volume.start()
    volume.releases.collect()
    assert (old / "page.bin").read_text().startswith("1")
    volume.clocks.wait(601)
    volume.releases.collect()
    assert not old.exists()


def test_releases_are_collected_by_number_and_by_age(volume: Volume, git_server: GitServer) -> None:
    repository = git_server.repository()
    rule(volume, keep_releases=2, keep_seconds=1000, grace_seconds=60)
    for number in range(1, 7):
        push(repository, number)
        volume.publish(volume.site())
        volume.releases.collect()
    assert volume.old_releases(volume.site()) == 5  # all within the grace time
    volume.clocks.wait(61)
    volume.releases.collect()
    kept = sorted(path.name for path in volume.home().iterdir() if path.is_dir())
    assert [(volume.home() / name / "page.bin").read_text()[0] for name in kept] == ["4", "5", "6"]
    now = (volume.home() / f"{kept[0]}.json").stat().st_mtime
    volume.clocks.day = now + 1001
    volume.releases.collect()
    assert volume.old_releases(volume.site()) == 0
    assert volume.live()["page.bin"].startswith("6")


def test_a_site_beyond_its_quota_is_refused_with_figures_and_keeps_its_last_release(
    volume: Volume, git_server: GitServer
) -> None:
    repository = git_server.repository()
    rule(volume, site=Quota(bytes=100 << 10), keep_releases=5, grace_seconds=60)
    push(repository, 1, size=20 << 10)
    volume.publish(volume.site())
    push(repository, 2, size=20 << 10)
    volume.publish(volume.site())
    push(repository, 3, size=20 << 10)
    error = volume.refuses(volume.site())  # the first one may still be read
    assert error.reason == "QuotaExceeded"
    assert "100 KiB" in str(error) and "80 KiB" in str(error) and "40 KiB" in str(error)
    assert "--site-quota" in str(error)
    assert volume.live()["page.bin"].startswith("2")
    volume.clocks.wait(100)
    volume.publish(volume.site())
    assert volume.live()["page.bin"].startswith("3")
    volume.clocks.wait(100)
    push(repository, 4, size=60 << 10)
    assert volume.refuses(volume.site()).reason == "QuotaExceeded"
    assert volume.live()["page.bin"].startswith("3")


def test_an_unchanged_file_counts_once_however_many_releases_hold_it(volume: Volume, git_server: GitServer) -> None:
    repository = git_server.repository()
    repository.commit({"big.bin": os.urandom(40 << 10).hex()})
    rule(volume, site=Quota(bytes=100 << 10), keep_releases=20)
    for number in range(6):
        push(repository, number)
        volume.publish(volume.site())
        volume.start()  # it is known from the volume alone
    assert volume.live()["page.bin"].startswith("5")


def test_files_and_folders_have_a_quota_too(volume: Volume, git_server: GitServer) -> None:
    repository = git_server.repository()
    rule(volume, site=Quota(files=10))
    repository.commit({f"{number}/x.html": f"{number}" for number in range(4)})  # and 5 folders
    volume.publish(volume.site())
    repository.commit({"0/x.html": "new"})  # 5 more folders and a file
    assert volume.refuses(volume.site()).reason == "QuotaExceeded"


def test_a_namespace_has_a_quota_over_all_its_sites(volume: Volume, git_server: GitServer) -> None:
    rule(volume, namespace=Quota(bytes=100 << 10))
    for name in ("one", "two", "three"):
        push(git_server.repository(name), 1, size=20 << 10)
    volume.publish(volume.site("one"))
    volume.publish(volume.site("two"))
    volume.start()
    error = volume.refuses(volume.site("three"))
    assert error.reason == "QuotaExceeded"
    assert "namespace team may use 100 KiB" in str(error)
    volume.releases.take_offline(volume.site("one").site_key)
    volume.clocks.wait(1000)
    volume.releases.collect()
    volume.publish(volume.site("three"))


def test_mirrors_that_nobody_needs_are_deleted_and_strangers_in_the_cache_are_not(
    volume: Volume, git_server: GitServer
) -> None:
    for name in ("wanted", "unwanted"):
        push(git_server.repository(name), 1)
        volume.publish(volume.site(name))
    for stranger in ("lost+found", "notes.txt"):
        (volume.root / "mirrors" / stranger).mkdir()
    volume.mirrors.keep_only([source_of(volume.site("wanted"))])
    names = {path.name for path in (volume.root / "mirrors").iterdir()}
    assert names == {"lost+found", "notes.txt", source_of(volume.site("wanted")).mirror_id}


def test_a_mirror_stays_bounded_whatever_is_pushed_and_however_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice around: what is not the tip's any more goes, and so do the entries of `shallow`."""
    monkeypatch.setattr("syncer.git.mirrors._PACKS_BEFORE_REPACK", 5)
    repository, git = Repository(tmp_path / "site.git"), Git(local=True)
    mirrors, source = Mirrors(tmp_path / "mirrors", git), Source(f"file://{repository.folder}", "main")
    largest = 0
    for number in range(14):
        push(repository, number, size=20 << 10)
        with mirrors.open(source, Remote(source.repo)) as mirror:
            assert mirror.update(repository.head()) == repository.head()
            mirror.tidy()
        files = [path for path in mirror.folder.rglob("*") if path.is_file()]
        largest = max(largest, sum(path.stat().st_size for path in files))
        assert len([path for path in files if path.suffix == ".pack"]) <= 5
        assert len((mirror.folder / "shallow").read_text().split()) <= 5
        assert not list(mirror.folder.glob("objects/??/*"))
    assert largest < 7 * (45 << 10)
    git.close()


def test_a_mirror_of_large_pushes_is_repacked_sooner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncer.git.mirrors._BYTES_BEFORE_REPACK", 1 << 20)
    repository, git = Repository(tmp_path / "site.git"), Git(local=True)
    mirrors, source = Mirrors(tmp_path / "mirrors", git), Source(f"file://{repository.folder}", "main")
    for number in range(7):
        repository.commit({"film.bin": bytes([number]) + os.urandom(1 << 20)})
        with mirrors.open(source, Remote(source.repo)) as mirror:
            mirror.update(repository.head())
            mirror.tidy()
    assert sum(path.stat().st_size for path in mirror.folder.rglob("*.pack")) <= 4 * (1100 << 10)
    git.close()


def test_a_branch_that_no_site_follows_any_more_leaves_the_mirror(tmp_path: Path) -> None:
    repository, git = Repository(tmp_path / "site.git"), Git(local=True)
    mirrors = Mirrors(tmp_path / "mirrors", git)
    sources = [Source(f"file://{repository.folder}", branch) for branch in ("main", "old")]
    for source in sources:
        repository.commit({"index.html": source.branch}, branch=source.branch)
        with mirrors.open(source, Remote(source.repo)) as mirror:
            mirror.update(repository.head(source.branch))
    mirrors.keep_only(sources[:1])
    with mirrors.open(sources[0], Remote(sources[0].repo)) as mirror:
        assert mirror.head == repository.head("main")
        assert [ref.name for ref in mirror.folder.glob("refs/pages/*")] == [sources[0].ref.rpartition("/")[2]]
    git.close()
