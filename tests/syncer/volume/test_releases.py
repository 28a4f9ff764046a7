import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest
import structlog

from pages.api import SiteKey
from syncer.content.tree import File, Listing
from syncer.disk.policy import DiskPolicy
from syncer.errors import GitFailed, LeaseLost, StorageFailed, StorageFull
from syncer.volume.records import Release
from syncer.volume.releases import Releases
from syncer.volume.writing import Changes

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
def test_where_hard_links_are_refused_files_are_copied_with_their_mtime_and_the_log_says_so_once(
    releases: Releases, content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    releases.publish(SITE, draft(), content.listing({"same": "same", "other": "1"}), content)
    before = (tmp_path / "live/team/docs/same").stat()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    content.read.clear()
    with structlog.testing.capture_logs() as logs:
        for release in range(2, 5):
            files = {"same": "same", "other": f"{release}"}
            releases.publish(SITE, draft(f"{release}" * 40), content.listing(files), content)
    after = (tmp_path / "live/team/docs/same").stat()
    assert after.st_mtime == before.st_mtime
    assert after.st_ino != before.st_ino
    assert live(tmp_path) == {"same": "same", "other": "4"}
    assert len(content.read) == 3  # the other one alone comes from git
    assert [each["event"] for each in logs] == ["hard_links_refused"]


def test_a_file_that_the_file_system_itself_does_not_link_is_copied_with_its_mtime(
    releases: Releases, content: Content, tmp_path: Path
) -> None:
    """The one refusal that can be had of a real file system here: an immutable file."""
    releases.publish(SITE, draft(), content.listing({"same": "same", "other": "1"}), content)
    before = tmp_path / "live/team/docs/same"
    old = before.resolve()
    chattr = ["chattr", "+i", str(old)]
    if not shutil.which("chattr") or subprocess.run(chattr, capture_output=True, check=False).returncode:
        pytest.skip("a file can be made immutable by root on some file systems only")
    try:
        releases.publish(SITE, draft("2" * 40), content.listing({"same": "same", "other": "2"}), content)
        after = tmp_path / "live/team/docs/same"
        assert after.stat().st_mtime == old.stat().st_mtime
        assert not after.samefile(old)
        assert live(tmp_path) == {"same": "same", "other": "2"}
    finally:
        subprocess.run(["chattr", "-i", str(old)], check=True)


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


@pytest.mark.parametrize("kind", ["missing", "not empty", "a link", "inside a repository", "below what is missing"])
def test_the_volume_may_be_any_folder(content: Content, tmp_path: Path, kind: str) -> None:
    root = tmp_path / "volume"
    match kind:
        case "not empty":
            root.mkdir()
            (root / "file").touch()
        case "a link":
            (tmp_path / "elsewhere").mkdir()
            root.symlink_to("elsewhere")
        case "inside a repository":
            subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
        case "below what is missing":
            root = tmp_path / "a/b/volume"
    releases = Releases(root)
    releases.prepare()
    releases.publish(SITE, draft(), content.listing({"index.html": "x"}), content)
    assert (root / "live/team/docs/index.html").read_text() == "x"


@pytest.mark.parametrize("place", ["", "live", "releases"])
def test_a_file_where_a_folder_has_to_be_is_named(tmp_path: Path, place: str) -> None:
    root = tmp_path / "volume"
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).touch()
    with pytest.raises(StorageFailed):
        Releases(root).prepare()


STRANGERS = [
    "lost+found",
    "notes.txt",
    "live/lost+found",
    "live/404.html",
    "live/team/.hidden",
    "live/team/Docs",
    "live/team/docs.old",
    "releases/notes.txt",
    "releases/lost+found/docs/1-000000000000",
    "releases/team/lost+found/1-000000000000",
    "releases/team/docs/.tmp-mine",
    "releases/team/docs/notes.json",
    "releases/team/docs/1700-mine",
    "releases/Team/docs/1-000000000000",
]


def test_strangers_on_the_volume_are_left_alone(
    releases: Releases, content: Content, tmp_path: Path, clock: Clock
) -> None:
    """What has no name of ours is never touched, at the root, in live and releases, and beside our releases."""
    releases.publish(SITE, draft(), content.listing({"index.html": "x"}), content)
    for stranger in STRANGERS:
        (tmp_path / stranger).mkdir(parents=True)
        (tmp_path / stranger / "file").write_text("mine")
    (tmp_path / "elsewhere/1-000000000000").mkdir(parents=True)
    (tmp_path / "live/team/theirs").symlink_to("../../elsewhere")
    (tmp_path / "releases/linked").symlink_to("../elsewhere")
    assert releases.sites() == [SITE]
    releases.take_offline(SITE)
    clock.wait(1e9)
    for _ in range(2):
        releases.prepare()
        releases.collect()
        clock.wait(1e9)
    assert [(tmp_path / stranger / "file").read_text() for stranger in STRANGERS] == ["mine"] * len(STRANGERS)
    assert (tmp_path / "elsewhere/1-000000000000").is_dir()
    assert (tmp_path / "live/team/theirs").is_symlink()
    assert not list((tmp_path / "releases/team/docs").glob("17*-1*"))


@pytest.mark.parametrize("name", ["health", "live", "releases", "healthz", "404", "lost-found", "tmp", "0", "index"])
def test_a_site_may_have_any_name_that_kubernetes_allows(
    releases: Releases, content: Content, tmp_path: Path, name: str
) -> None:
    site = SiteKey(name, name)
    releases.publish(site, draft(), content.listing({"index.html": name}), content)
    assert releases.sites() == [site]
    assert (tmp_path / "live" / name / name / "index.html").read_text() == name
    releases.take_offline(site)
    assert releases.sites() == []


def test_the_last_site_of_a_namespace_takes_its_folders_along(
    releases: Releases, content: Content, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(), content.listing({"index.html": "x"}), content)
    releases.take_offline(SITE)
    releases.collect()
    clock.wait(GRACE + 1)
    releases.collect()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["live", "releases"]


def test_what_is_live_is_never_collected_whatever_became_of_its_record(
    releases: Releases, content: Content, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(), content.listing({"index.html": "x"}), content)
    (record,) = tmp_path.glob("releases/team/docs/*.json")
    record.unlink()
    for _ in range(3):
        clock.wait(1e9)
        releases.collect()
    assert live(tmp_path) == {"index.html": "x"}


def test_a_release_of_an_earlier_version_is_taken_over(
    releases: Releases, content: Content, tmp_path: Path, clock: Clock
) -> None:
    """Its record does not tell when each file was written."""
    releases.publish(SITE, draft(), content.listing({"index.html": "x"}), content)
    (record,) = tmp_path.glob("releases/team/docs/*.json")
    release, files = (json.loads(line) for line in record.read_text().splitlines())
    old = {path: entry[:2] for path, entry in files.items()}
    for field in ("folders", "hard_links"):
        del release[field]
    record.write_text(f"{json.dumps(release)}\n{json.dumps(old)}\n")
    again = Releases(tmp_path, clock=clock, ticks=clock.ticks)
    again.prepare()
    assert again.origin(SITE) is not None
    again.publish(SITE, draft(), content.listing({"index.html": "x"}), content)
    assert live(tmp_path) == {"index.html": "x"}
    assert again.current(SITE) is not None


def test_f20_a_fence_that_is_down_lets_nothing_change(content: Content, tmp_path: Path, clock: Clock) -> None:
    """F20: whoever has lost the Lease neither publishes, nor takes offline, nor deletes."""
    lost = False

    def fence() -> None:
        if lost:
            raise LeaseLost("lost")

    policy = DiskPolicy(grace_seconds=0, keep_releases=0)
    releases = Releases(tmp_path, policy, clock=clock, ticks=clock.ticks, fence=fence)
    releases.prepare()
    for number in (1, 2):
        releases.publish(SITE, draft(f"{number}" * 40), content.listing({"index.html": f"{number}"}), content)
    lost = True
    before = sorted(tmp_path.rglob("*"))
    deeds: list[Callable[[], object]] = [
        releases.prepare,
        releases.collect,
        releases.check_writable,
        lambda: releases.take_offline(SITE),
        lambda: releases.publish(SITE, draft("3" * 40), content.listing({"index.html": "3"}), content),
        lambda: releases.restate(SITE, draft("2" * 40)),
    ]
    for deed in deeds:
        with pytest.raises(LeaseLost):
            deed()
    assert sorted(tmp_path.rglob("*")) == before


def test_it_is_told_what_a_release_has_of_its_own_once_it_is_live(
    releases: Releases, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Changes] = []

    def publish(files: dict[str, str], tree: str) -> None:
        releases.publish(SITE, draft(tree * 40), content.listing(files), content, tell=told.append)

    publish({"index.html": "one", "same.css": "s", "old.js": "o"}, "1")
    publish({"index.html": "number two", "same.css": "s", "new.js": "n"}, "2")
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", no_links)
        publish({"index.html": "number two", "same.css": "s"}, "3")
    assert told == [
        Changes(written=3, linked=0, copied=0, removed=0, bytes=5),
        Changes(written=2, linked=1, copied=0, removed=1, bytes=11),
        Changes(written=0, linked=0, copied=2, removed=1, bytes=0),
    ]
    with pytest.raises(GitFailed):
        releases.publish(SITE, draft("4" * 40), content.listing({"a": "b"}), content, refuse, tell=told.append)
    assert len(told) == 3


def no_links(*_arguments: object, **_more: object) -> None:
    raise OSError(errno.EPERM, "no hard links here")


def refuse() -> None:
    raise GitFailed("not now")


def test_live_releases_and_those_that_are_kept_are_counted(tmp_path: Path, clock: Clock, content: Content) -> None:
    releases = Releases(tmp_path, DiskPolicy(grace_seconds=GRACE, keep_releases=1), clock=clock, ticks=clock.ticks)
    releases.prepare()
    for number in range(4):
        releases.publish(SITE, draft(f"{number}" * 40), content.listing({"index.html": f"{number}"}), content)
        clock.wait(1)
    releases.collect()
    assert releases.counts() == (1, 3)
    clock.wait(GRACE)
    releases.collect()
    assert releases.counts() == (1, 1)
    room = releases.disk()
    assert room.size >= room.free > 0
