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
from syncer.volume.writing import Changes, Draft
from tests.support.releases import Clock, an_origin

SITE = SiteKey("team", "docs")
GRACE = 600.0


class Blobs:
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
def content() -> Blobs:
    return Blobs()


@pytest.fixture
def releases(tmp_path: Path, clock: Clock) -> Releases:
    made = Releases(tmp_path, DiskPolicy(grace_seconds=GRACE, keep_releases=0), clock=clock)
    made.prepare()
    return made


def draft(listing: Listing, tree: str = "1" * 40, uid: str = "u1") -> Draft:
    return Draft(an_origin(uid=uid), tree, listing)


def live(root: Path) -> dict[str, str]:
    """What a visitor sees: path -> content."""
    folder = root / "live" / SITE.namespace / SITE.name
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_release_goes_live_with_readable_files(releases: Releases, content: Blobs, tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        releases.publish(SITE, draft(content.listing({"index.html": "hello", "a/b/c.txt": "deep"})), content)
    finally:
        os.umask(mask)
    assert live(tmp_path) == {"index.html": "hello", "a/b/c.txt": "deep"}
    folder = tmp_path / "live" / "team" / "docs"
    assert {oct(path.stat().st_mode & 0o777) for path in folder.rglob("*") if path.is_file()} == {"0o644"}
    assert {oct(path.stat().st_mode & 0o777) for path in (folder, folder / "a", folder.parent)} == {"0o755"}
    assert not folder.readlink().is_absolute()


def test_an_unchanged_file_keeps_its_inode_and_is_not_read_again(
    releases: Releases, content: Blobs, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(content.listing({"same": "same", "other": "one"})), content)
    before = (tmp_path / "live/team/docs/same").stat()
    clock.day += 100
    content.read.clear()
    releases.publish(SITE, draft(content.listing({"same": "same", "other": "two"}), "2" * 40), content)
    after = (tmp_path / "live/team/docs/same").stat()
    assert (after.st_ino, after.st_mtime) == (before.st_ino, before.st_mtime)
    assert len(content.read) == 1
    assert live(tmp_path) == {"same": "same", "other": "two"}


def test_a_changed_file_of_equal_size_never_keeps_its_mtime(releases: Releases, content: Blobs, tmp_path: Path) -> None:
    """The ETag is made of mtime and size: three pushes within one second must give three (no false 304)."""
    mtimes = []
    for number in range(3):
        releases.publish(SITE, draft(content.listing({"index.html": f"v{number}"}), f"{number}" * 40), content)
        mtimes.append(int((tmp_path / "live/team/docs/index.html").stat().st_mtime))
    assert len(set(mtimes)) == 3


def test_a_file_that_changes_back_is_new_again(releases: Releases, content: Blobs, tmp_path: Path) -> None:
    mtimes = []
    for text in ("one", "two", "one"):
        releases.publish(SITE, draft(content.listing({"index.html": text})), content)
        mtimes.append(int((tmp_path / "live/team/docs/index.html").stat().st_mtime))
    assert len(set(mtimes)) == 3


def test_the_release_before_stays_readable_for_the_grace_time(
    releases: Releases, content: Blobs, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(content.listing({"index.html": "old"})), content)
    old = (tmp_path / "live/team/docs").resolve()
    releases.publish(SITE, draft(content.listing({"index.html": "new"}), "2" * 40), content)
    clock.wait(GRACE - 1)
    releases.collect()
    assert (old / "index.html").read_text() == "old"
    clock.wait(2)
    releases.collect()
    assert not old.exists()
    assert not old.with_name(f"{old.name}.json").exists()
    assert live(tmp_path) == {"index.html": "new"}


def test_a_site_goes_offline_at_once_and_its_files_after_the_grace_time(
    releases: Releases, content: Blobs, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(content.listing({"index.html": "x"})), content)
    releases.take_offline(SITE)
    assert releases.sites() == []
    assert releases.current(SITE) is None
    releases.collect()
    assert list((tmp_path / "releases/team/docs").iterdir())
    clock.wait(GRACE + 1)
    releases.collect()
    assert not (tmp_path / "releases/team/docs").exists()


def test_the_origin_of_a_release_is_remembered(releases: Releases, content: Blobs) -> None:
    listing = content.listing({"index.html": "x"})
    listing.skipped["symlink"] = 2
    published, _ = releases.publish(SITE, draft(listing), content)
    assert releases.current(SITE) == published
    made = published.content
    assert (made.files, made.size, made.skipped) == (1, 1, {"symlink": 2})
    origin = an_origin("d" * 40, repo="https://elsewhere.example.com/x", branch="dev", path="p")
    restated = releases.restate(SITE, origin, "1" * 40)
    assert releases.current(SITE) == restated
    assert restated == Release(origin, made, published.stamp)


def test_the_record_on_the_disk_is_one_flat_object(releases: Releases, content: Blobs, tmp_path: Path) -> None:
    """Versions before and after read it."""
    releases.publish(
        SITE, Draft(an_origin(subject="s"), "1" * 40, content.listing({"a": "x"}), {"headers": []}), content
    )
    (record,) = tmp_path.glob("releases/team/docs/*.json")
    release = json.loads(record.read_text().splitlines()[0])
    assert release == {
        "uid": "u1",
        "repo": "https://forge.example.com/team/docs",
        "branch": "main",
        "commit": "c" * 40,
        "path": "",
        "authored": None,
        "subject": "s",
        "tree": "1" * 40,
        "size": 1,
        "files": 1,
        "skipped": {},
        "folders": 1,
        "hard_links": True,
        "rules": {"headers": []},
        "earlier": 0,
        "stamp": release["stamp"],
    }


def test_a_failure_half_way_leaves_the_old_release_and_no_litter(
    releases: Releases, content: Blobs, tmp_path: Path
) -> None:
    releases.publish(SITE, draft(content.listing({"index.html": "good"})), content)
    before = sorted(path.name for path in (tmp_path / "releases/team/docs").iterdir())

    def broken(oids: Sequence[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
        yield oids[0], 100, io.BytesIO(b"cut short")

    with pytest.raises(GitFailed, match="cut short"):
        releases.publish(SITE, draft(content.listing({"index.html": "new"}), "2" * 40), broken)
    assert live(tmp_path) == {"index.html": "good"}
    assert sorted(path.name for path in (tmp_path / "releases/team/docs").iterdir()) == before


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EROFS, StorageFailed)]
)
def test_a_failing_volume_is_reported_and_the_old_release_stays(
    releases: Releases,
    content: Blobs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[Exception],
) -> None:
    releases.publish(SITE, draft(content.listing({"index.html": "good"})), content)

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(error):
            releases.publish(SITE, draft(content.listing({"index.html": "new"}), "2" * 40), content)
    assert live(tmp_path) == {"index.html": "good"}


@pytest.mark.parametrize("number", [errno.EPERM, errno.EMLINK, errno.EXDEV, errno.ENOTSUP])
def test_without_hard_links_files_are_copied_with_their_mtime(
    releases: Releases, content: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    releases.publish(SITE, draft(content.listing({"same": "same", "other": "1"})), content)
    before = (tmp_path / "live/team/docs/same").stat()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    content.read.clear()
    with structlog.testing.capture_logs() as logs:
        for release in range(2, 5):
            files = {"same": "same", "other": f"{release}"}
            releases.publish(SITE, draft(content.listing(files), f"{release}" * 40), content)
    after = (tmp_path / "live/team/docs/same").stat()
    assert after.st_mtime == before.st_mtime
    assert after.st_ino != before.st_ino
    assert live(tmp_path) == {"same": "same", "other": "4"}
    assert len(content.read) == 3  # the other one alone comes from git
    assert [each["event"] for each in logs] == ["hard_links_refused"]


def test_a_file_that_cannot_be_linked_is_copied_with_its_mtime(
    releases: Releases, content: Blobs, tmp_path: Path
) -> None:
    """The one refusal that can be had of a real file system here: an immutable file."""
    releases.publish(SITE, draft(content.listing({"same": "same", "other": "1"})), content)
    before = tmp_path / "live/team/docs/same"
    old = before.resolve()
    chattr = ["chattr", "+i", str(old)]
    if not shutil.which("chattr") or subprocess.run(chattr, capture_output=True, check=False).returncode:
        pytest.skip("a file can be made immutable by root on some file systems only")
    try:
        releases.publish(SITE, draft(content.listing({"same": "same", "other": "2"}), "2" * 40), content)
        after = tmp_path / "live/team/docs/same"
        assert after.stat().st_mtime == old.stat().st_mtime
        assert not after.samefile(old)
        assert live(tmp_path) == {"same": "same", "other": "2"}
    finally:
        subprocess.run(["chattr", "-i", str(old)], check=True)


def test_a_file_lost_from_the_release_before_is_read_from_git(
    releases: Releases, content: Blobs, tmp_path: Path
) -> None:
    releases.publish(SITE, draft(content.listing({"a/same": "same", "other": "1"})), content)
    (tmp_path / "live/team/docs/a/same").unlink()
    releases.publish(SITE, draft(content.listing({"a/same": "same", "other": "2"}), "2" * 40), content)
    assert live(tmp_path) == {"a/same": "same", "other": "2"}


def test_what_a_killed_process_left_is_swept_at_the_start(releases: Releases, content: Blobs, tmp_path: Path) -> None:
    releases.publish(SITE, draft(content.listing({"index.html": "x"})), content)
    (tmp_path / "releases/team/docs/.tmp-0123456789abcdef").mkdir()
    (tmp_path / "live/team/.tmp-0123456789abcdef").symlink_to("nowhere")
    releases.prepare()
    assert not list(tmp_path.rglob(".tmp-*"))
    assert live(tmp_path) == {"index.html": "x"}


@pytest.mark.parametrize("kind", ["missing", "not empty", "a link", "inside a repository", "below what is missing"])
def test_the_volume_may_be_any_folder(content: Blobs, tmp_path: Path, kind: str) -> None:
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
    releases.publish(SITE, draft(content.listing({"index.html": "x"})), content)
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
    releases: Releases, content: Blobs, tmp_path: Path, clock: Clock
) -> None:
    """What has no name of ours is never touched, at the root, in live and releases, and beside our releases."""
    releases.publish(SITE, draft(content.listing({"index.html": "x"})), content)
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
    releases: Releases, content: Blobs, tmp_path: Path, name: str
) -> None:
    site = SiteKey(name, name)
    releases.publish(site, draft(content.listing({"index.html": name})), content)
    assert releases.sites() == [site]
    assert (tmp_path / "live" / name / name / "index.html").read_text() == name
    releases.take_offline(site)
    assert releases.sites() == []


def test_the_last_site_of_a_namespace_takes_its_folders_along(
    releases: Releases, content: Blobs, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(content.listing({"index.html": "x"})), content)
    releases.take_offline(SITE)
    releases.collect()
    clock.wait(GRACE + 1)
    releases.collect()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["live", "releases"]


def test_a_live_release_without_a_record_is_never_collected(
    releases: Releases, content: Blobs, tmp_path: Path, clock: Clock
) -> None:
    releases.publish(SITE, draft(content.listing({"index.html": "x"})), content)
    (record,) = tmp_path.glob("releases/team/docs/*.json")
    record.unlink()
    for _ in range(3):
        clock.wait(1e9)
        releases.collect()
    assert live(tmp_path) == {"index.html": "x"}


def test_a_release_of_an_earlier_version_is_taken_over(
    releases: Releases, content: Blobs, tmp_path: Path, clock: Clock
) -> None:
    """Its record does not tell when each file was written."""
    releases.publish(SITE, draft(content.listing({"index.html": "x"})), content)
    (record,) = tmp_path.glob("releases/team/docs/*.json")
    release, files = (json.loads(line) for line in record.read_text().splitlines())
    old = {path: entry[:2] for path, entry in files.items()}
    for field in ("folders", "hard_links"):
        del release[field]
    record.write_text(f"{json.dumps(release)}\n{json.dumps(old)}\n")
    again = Releases(tmp_path, clock=clock)
    again.prepare()
    assert again.live(SITE) is not None
    again.publish(SITE, draft(content.listing({"index.html": "x"})), content)
    assert live(tmp_path) == {"index.html": "x"}
    assert again.current(SITE) is not None


def test_f20_a_fence_that_is_down_lets_nothing_change(content: Blobs, tmp_path: Path, clock: Clock) -> None:
    """F20: a syncer without the Lease neither publishes, nor takes offline, nor deletes."""
    fence, policy = Fence(), DiskPolicy(grace_seconds=0, keep_releases=0)
    releases = Releases(tmp_path, policy, clock=clock, fence=fence)
    releases.prepare()
    for number in (1, 2):
        releases.publish(SITE, draft(content.listing({"index.html": f"{number}"}), f"{number}" * 40), content)
    fence.is_down = True
    before = sorted(tmp_path.rglob("*"))
    deeds: list[Callable[[], object]] = [
        releases.prepare,
        releases.collect,
        releases.check_writable,
        lambda: releases.take_offline(SITE),
        lambda: releases.publish(SITE, draft(content.listing({"index.html": "3"}), "3" * 40), content),
        lambda: releases.restate(SITE, an_origin(), "2" * 40),
    ]
    for deed in deeds:
        with pytest.raises(LeaseLost):
            deed()
    assert sorted(tmp_path.rglob("*")) == before


def test_publishing_says_how_a_release_differs_from_the_one_before(
    releases: Releases, content: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(files: dict[str, str], tree: str) -> Changes:
        return releases.publish(SITE, draft(content.listing(files), tree * 40), content)[1]

    assert publish({"index.html": "one", "same.css": "s", "old.js": "o"}, "1") == Changes(
        written=3, linked=0, copied=0, removed=0, bytes=5
    )
    assert publish({"index.html": "number two", "same.css": "s", "new.js": "n"}, "2") == Changes(
        written=2, linked=1, copied=0, removed=1, bytes=11
    )
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", no_links)
        assert publish({"index.html": "number two", "same.css": "s"}, "3") == Changes(
            written=0, linked=0, copied=2, removed=1, bytes=0
        )


def test_a_release_without_its_permit_does_not_go_live(releases: Releases, content: Blobs, tmp_path: Path) -> None:
    releases.publish(SITE, draft(content.listing({"a": "old"})), content)
    with pytest.raises(GitFailed):
        releases.publish(SITE, draft(content.listing({"a": "new"}), "2" * 40), content, Refusal())
    assert live(tmp_path) == {"a": "old"}
    assert len(releases.history(SITE)) == 1


def no_links(*_arguments: object, **_more: object) -> None:
    raise OSError(errno.EPERM, "no hard links here")


class Refusal:
    def check(self) -> None:
        raise GitFailed("not now")


class Fence:
    is_down = False

    def check(self) -> None:
        if self.is_down:
            raise LeaseLost("lost")


def test_live_releases_and_those_that_are_kept_are_counted(tmp_path: Path, clock: Clock, content: Blobs) -> None:
    releases = Releases(tmp_path, DiskPolicy(grace_seconds=GRACE, keep_releases=1), clock=clock)
    releases.prepare()
    for number in range(4):
        releases.publish(SITE, draft(content.listing({"index.html": f"{number}"}), f"{number}" * 40), content)
        clock.wait(1)
    releases.collect()
    assert releases.counts() == (1, 3)
    clock.wait(GRACE)
    releases.collect()
    assert releases.counts() == (1, 1)
    room = releases.disk()
    assert room.size >= room.free > 0
