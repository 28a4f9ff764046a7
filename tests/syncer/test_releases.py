import errno
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest

from syncer.errors import GitFailed, StorageFailed, StorageFull
from syncer.policy import DiskPolicy
from syncer.records import Release, SiteKey
from syncer.releases import Releases
from syncer.tree import File, Listing

SITE = SiteKey("team", "docs")
GRACE = 600.0


class Clock:
    """Seconds that pass when a test says so: the time of day, which may also jump, and the monotonic time."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.ticked = 5.0

    def __call__(self) -> float:
        return self.now

    def ticks(self) -> float:
        return self.ticked

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.ticked += seconds


class Content:
    """What would be in git: blob ids made from their content, read back in the order asked for."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.read: list[str] = []

    def listing(self, files: dict[str, str]) -> Listing:
        listing = Listing()
        for path, text in sorted(files.items()):
            oid = hashlib.sha1(b"blob %d\0%b" % (len(text.encode()), text.encode()), usedforsecurity=False).hexdigest()
            self.blobs[oid] = text.encode()
            listing.files.append(File(path, oid, len(text.encode())))
        return listing

    def __call__(self, oids: Sequence[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
        for oid in oids:
            self.read.append(oid)
            yield oid, len(self.blobs[oid]), io.BytesIO(self.blobs[oid])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def content() -> Content:
    return Content()


@pytest.fixture
def releases(tmp_path: Path, clock: Clock) -> Releases:
    made = Releases(tmp_path, DiskPolicy(grace_seconds=GRACE, keep_releases=0), clock=clock, ticks=clock.ticks)
    made.prepare()
    return made


def draft(tree: str = "1" * 40, uid: str = "u1") -> Release:
    return Release(uid, "https://forge.example.com/team/docs", "main", "c" * 40, "", tree)


def live(root: Path) -> dict[str, str]:
    """What a visitor sees: path -> content."""
    folder = root / "live" / SITE.namespace / SITE.name
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_release_goes_live_with_readable_files(releases: Releases, content: Content, tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        releases.publish(SITE, draft(), content.listing({"index.html": "hello", "a/b/c.txt": "deep"}), content)
    finally:
        os.umask(mask)
    assert live(tmp_path) == {"index.html": "hello", "a/b/c.txt": "deep"}
    folder = tmp_path / "live" / "team" / "docs"
    assert {oct(path.stat().st_mode & 0o777) for path in folder.rglob("*") if path.is_file()} == {"0o644"}
    assert {oct(path.stat().st_mode & 0o777) for path in (folder, folder / "a", folder.parent)} == {"0o755"}
    assert not folder.readlink().is_absolute()


def test_an_unchanged_file_keeps_its_inode_and_is_not_read_again(
    releases: Releases, content: Content, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(), content.listing({"same": "same", "other": "one"}), content)
    before = (tmp_path / "live/team/docs/same").stat()
    clock.now += 100
    content.read.clear()
    releases.publish(SITE, draft("2" * 40), content.listing({"same": "same", "other": "two"}), content)
    after = (tmp_path / "live/team/docs/same").stat()
    assert (after.st_ino, after.st_mtime) == (before.st_ino, before.st_mtime)
    assert len(content.read) == 1
    assert live(tmp_path) == {"same": "same", "other": "two"}


def test_a_changed_file_of_equal_size_never_keeps_its_mtime(
    releases: Releases, content: Content, tmp_path: Path
) -> None:
    """The ETag is made of mtime and size: three pushes within one second must give three (no false 304)."""
    mtimes = []
    for number in range(3):
        releases.publish(SITE, draft(f"{number}" * 40), content.listing({"index.html": f"v{number}"}), content)
        mtimes.append(int((tmp_path / "live/team/docs/index.html").stat().st_mtime))
    assert len(set(mtimes)) == 3


def test_a_file_that_changes_back_is_new_again(releases: Releases, content: Content, tmp_path: Path) -> None:
    mtimes = []
    for text in ("one", "two", "one"):
        releases.publish(SITE, draft(), content.listing({"index.html": text}), content)
        mtimes.append(int((tmp_path / "live/team/docs/index.html").stat().st_mtime))
    assert len(set(mtimes)) == 3


def test_the_release_before_stays_readable_for_the_grace_time(
    releases: Releases, content: Content, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(), content.listing({"index.html": "old"}), content)
    old = (tmp_path / "live/team/docs").resolve()
    releases.publish(SITE, draft("2" * 40), content.listing({"index.html": "new"}), content)
    clock.wait(GRACE - 1)
    releases.collect()
    assert (old / "index.html").read_text() == "old"
    clock.wait(2)
    releases.collect()
    assert not old.exists()
    assert not old.with_name(f"{old.name}.json").exists()
    assert live(tmp_path) == {"index.html": "new"}


def test_a_site_taken_offline_is_gone_at_once_and_its_files_after_the_grace_time(
    releases: Releases, content: Content, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(), content.listing({"index.html": "x"}), content)
    releases.take_offline(SITE)
    assert releases.sites() == []
    assert releases.current(SITE) is None
    releases.collect()
    assert list((tmp_path / "releases/team/docs").iterdir())
    clock.wait(GRACE + 1)
    releases.collect()
    assert not (tmp_path / "releases/team/docs").exists()


def test_the_origin_of_a_release_is_remembered(releases: Releases, content: Content) -> None:
    listing = content.listing({"index.html": "x"})
    listing.skipped["symlink"] = 2
    published = releases.publish(SITE, draft(), listing, content)
    assert releases.current(SITE) == published
    assert (published.files, published.size, published.skipped) == (1, 1, {"symlink": 2})
    restated = releases.restate(SITE, Release("u1", "https://elsewhere.example.com/x", "dev", "d" * 40, "p", "1" * 40))
    assert releases.current(SITE) == restated
    assert (restated.commit, restated.stamp, restated.files) == ("d" * 40, published.stamp, 1)


def test_a_failure_half_way_leaves_the_old_release_and_no_litter(
    releases: Releases, content: Content, tmp_path: Path
) -> None:
    releases.publish(SITE, draft(), content.listing({"index.html": "good"}), content)
    before = sorted(path.name for path in (tmp_path / "releases/team/docs").iterdir())

    def broken(oids: Sequence[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
        yield oids[0], 100, io.BytesIO(b"cut short")

    with pytest.raises(GitFailed, match="cut short"):
        releases.publish(SITE, draft("2" * 40), content.listing({"index.html": "new"}), broken)
    assert live(tmp_path) == {"index.html": "good"}
    assert sorted(path.name for path in (tmp_path / "releases/team/docs").iterdir()) == before


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EROFS, StorageFailed)]
)
def test_a_volume_that_fails_is_said_and_the_old_release_stays(
    releases: Releases,
    content: Content,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[Exception],
) -> None:
    releases.publish(SITE, draft(), content.listing({"index.html": "good"}), content)

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(error):
            releases.publish(SITE, draft("2" * 40), content.listing({"index.html": "new"}), content)
    assert live(tmp_path) == {"index.html": "good"}


@pytest.mark.parametrize("number", [errno.EPERM, errno.EMLINK, errno.EXDEV, errno.ENOTSUP])
def test_a_volume_without_hard_links_gets_the_file_anew(
    releases: Releases, content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    releases.publish(SITE, draft(), content.listing({"same": "same", "other": "1"}), content)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    releases.publish(SITE, draft("2" * 40), content.listing({"same": "same", "other": "2"}), content)
    assert live(tmp_path) == {"same": "same", "other": "2"}


def test_a_file_lost_from_the_release_before_is_read_from_git(
    releases: Releases, content: Content, tmp_path: Path
) -> None:
    releases.publish(SITE, draft(), content.listing({"a/same": "same", "other": "1"}), content)
    (tmp_path / "live/team/docs/a/same").unlink()
    releases.publish(SITE, draft("2" * 40), content.listing({"a/same": "same", "other": "2"}), content)
    assert live(tmp_path) == {"a/same": "same", "other": "2"}


def test_what_a_killed_process_left_is_swept_at_the_start(releases: Releases, content: Content, tmp_path: Path) -> None:
    releases.publish(SITE, draft(), content.listing({"index.html": "x"}), content)
    (tmp_path / "releases/team/docs/.tmp-0123456789abcdef").mkdir()
    (tmp_path / "live/team/.tmp-0123456789abcdef").symlink_to("nowhere")
    releases.prepare()
    assert not list(tmp_path.rglob(".tmp-*"))
    assert live(tmp_path) == {"index.html": "x"}


def test_strangers_on_the_volume_are_left_alone(releases: Releases, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "releases" / "notes.txt").write_text("mine")
    clock.wait(1e9)
    releases.collect()
    assert (tmp_path / "lost+found").is_dir()
    assert (tmp_path / "releases" / "notes.txt").read_text() == "mine"
