"""Assets of earlier releases, which pages that are open still ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pages.api import SiteKey
from syncer.disk.policy import DiskPolicy, Quota
from syncer.volume import earlier, records
from syncer.volume.records import Entry, Release
from syncer.volume.releases import Releases
from tests.syncer.volume.test_releases import Clock, Content

SITE = SiteKey("team", "docs")
DAY = 24 * 3600.0
Publish = Callable[[dict[str, str]], Release]


class Site:
    """A site, published as often as a test likes."""

    def __init__(self, root: Path, policy: DiskPolicy | None = None) -> None:
        self.root = root
        self.clock = Clock()
        self.content = Content()
        self.policy = policy or DiskPolicy(keep_assets_seconds=DAY)
        self.start()

    def start(self) -> None:
        """A syncer that knows nothing of what was before."""
        self.releases = Releases(self.root, self.policy, clock=self.clock, ticks=self.clock.ticks)
        self.releases.prepare()

    def publish(self, files: dict[str, str]) -> Release:
        tree = f"{len(self.content.read) + len(self.content.blobs):040x}"
        draft = Release(uid="u", repo="r", branch="main", commit=tree, path="", tree=tree, rules={})
        return self.releases.publish(SITE, draft, self.content.listing(files), self.content)

    @property
    def live(self) -> Path:
        return (self.root / "live/team/docs").resolve()

    def go_back(self, to: Release) -> None:
        assert self.releases.recall(SITE, to)

    def files(self) -> set[str]:
        return {str(path.relative_to(self.live)) for path in self.live.rglob("*") if path.is_file()}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "app.3f9a2b1c.js",
        "app.abc123.js",
        "a/b/index-BxYzAbCd.css",
        "index-DXq8q8tG.js",
        "chunk-5XKJ2ABC.js",
        "_nuxt/DXq8q8tG.js",
        "d41d8cd98f00b204e9800998ecf8427e.png",
        "main.deadbeef.chunk.js.map",
        ".own-app.3f9a2b1c.js.gz",
    ],
)
def test_names_as_build_tools_give_them_tell_their_content(name: str) -> None:
    assert earlier.tells_content(name)


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "page.3f9a2b1c.html",
        "style.css",
        "photo1.jpg",
        "image12.png",
        "IMG_1234.jpg",
        "report-20241124.pdf",
        "Lecture2.pdf",
        "jquery-3.7.1.min.js",
        "logo-original.png",
        "foo-user-nav.js",
        "README.txt",
        "3f9a2b1c",
        "3f9a2b1c/app.js",
    ],
)
def test_names_that_people_give_do_not(name: str) -> None:
    assert not earlier.tells_content(name)


def test_assets_of_the_releases_before_are_answered_for_their_time(site: Site) -> None:
    site.publish({"index.html": "1", "old.html": "1", "app.11111111a.js": "1", "css/app.1111aaaa.css": "x" * 2000})
    before = (site.live / "css/app.1111aaaa.css").stat()
    site.clock.wait(3600)
    site.publish({"index.html": "2", "app.2222bbbb.js": "2"})
    assert site.files() == {
        "index.html",
        "app.2222bbbb.js",
        "app.11111111a.js",
        "css/app.1111aaaa.css",
        "css/app.1111aaaa.css.gz",
    }
    after = (site.live / "css/app.1111aaaa.css").stat()
    assert (after.st_ino, after.st_mtime) == (before.st_ino, before.st_mtime)  # so its ETag stays
    site.clock.wait(DAY / 2)
    site.publish({"index.html": "3", "app.3333cccc.js": "3"})
    assert {"app.11111111a.js", "app.2222bbbb.js", "app.3333cccc.js"} < site.files()
    site.clock.wait(DAY / 2)  # since what the second release lost
    site.releases.collect()
    assert site.files() == {"index.html", "app.3333cccc.js", "app.2222bbbb.js"}
    assert site.releases.current(SITE) is not None  # is as it should be
    site.clock.wait(DAY / 2)
    site.releases.collect()
    assert site.files() == {"index.html", "app.3333cccc.js"}


def test_a_restart_neither_prolongs_nor_ends_it_and_finds_nothing_damaged(site: Site) -> None:
    site.publish({"app.1111aaaa.js": "1"})
    site.publish({"app.2222bbbb.js": "2"})
    site.clock.wait(DAY - 60)
    site.start()
    site.releases.collect()
    assert site.releases.current(SITE) is not None
    assert site.releases.verify() == []
    assert site.files() == {"app.1111aaaa.js", "app.2222bbbb.js"}
    site.clock.wait(60)
    site.start()
    site.releases.collect()
    assert site.releases.current(SITE) is not None
    assert site.releases.verify() == []
    assert site.files() == {"app.2222bbbb.js"}


def test_a_new_release_without_changes_of_files_keeps_them_too(site: Site) -> None:
    site.publish({"app.1111aaaa.js": "1"})
    site.publish({"app.2222bbbb.js": "2"})
    current = site.releases.current(SITE)
    assert current and current.earlier
    restated = site.releases.restate(SITE, current)
    assert restated.earlier == current.earlier
    site.clock.wait(DAY)
    site.releases.collect()
    assert site.files() == {"app.2222bbbb.js"}


def test_an_asset_that_comes_back_stays(site: Site) -> None:
    site.publish({"app.1111aaaa.js": "1"})
    site.publish({"app.2222bbbb.js": "2"})
    site.publish({"app.1111aaaa.js": "1"})
    site.clock.wait(DAY)
    site.releases.collect()
    assert site.files() == {"app.1111aaaa.js"}
    assert site.content.read.count(next(iter(site.content.blobs))) == 1  # was linked each time


def test_files_and_folders_of_the_new_release_come_first(site: Site) -> None:
    site.publish({"a.1111aaaa.js": "1", "b/b.1111aaaa.js": "1", "c.1111aaaa.js": "1"})
    site.publish({"a.1111aaaa.js/index.html": "2", "b": "2", "c.1111aaaa.js": "another"})
    assert site.files() == {"a.1111aaaa.js/index.html", "b", "c.1111aaaa.js"}
    assert (site.live / "c.1111aaaa.js").read_text() == "another"


def test_no_time_at_all_means_none(tmp_path: Path) -> None:
    site = Site(tmp_path, DiskPolicy(keep_assets_seconds=0))
    site.publish({"app.1111aaaa.js": "1"})
    site.publish({"app.2222bbbb.js": "2"})
    assert site.files() == {"app.2222bbbb.js"}


def test_a_site_that_was_taken_offline_begins_anew(site: Site) -> None:
    site.publish({"app.1111aaaa.js": "1"})
    site.releases.take_offline(SITE)
    site.publish({"app.2222bbbb.js": "2"})
    assert site.files() == {"app.2222bbbb.js"}


def test_earlier_assets_make_room_for_a_push_that_needs_it(tmp_path: Path) -> None:
    policy = DiskPolicy(site=Quota(bytes=9_000), grace_seconds=0, keep_releases=0)
    site = Site(tmp_path, policy)
    site.publish({"app.1111aaaa.bin": "1" * 3000})
    site.publish({"app.2222bbbb.bin": "2" * 3000})
    assert len(site.files()) == 2
    site.publish({"app.3333cccc.bin": "3" * 4000})
    assert site.files() == {"app.3333cccc.bin"}
    assert site.releases.current(SITE) is not None


def test_going_back_keeps_the_assets_of_the_release_that_is_left(site: Site) -> None:
    first = site.publish({"index.html": "1", "app.1111aaaa.js": "1"})
    site.publish({"index.html": "2", "app.2222bbbb.js": "2" * 5000, "new/b.2222bbbb.css": "2", "style.css": "2"})
    site.clock.wait(DAY / 2)
    inode = (site.live / "app.2222bbbb.js").stat().st_ino
    site.go_back(first)
    assert site.files() - {".own-app.2222bbbb.js.gz", "app.2222bbbb.js.gz"} == {
        *("index.html", "app.1111aaaa.js", "app.2222bbbb.js", "new/b.2222bbbb.css")
    }
    assert (site.live / "app.2222bbbb.js").stat().st_ino == inode  # so its ETag stays, and it takes no room
    site.start()
    assert site.releases.current(SITE) is not None
    assert site.releases.verify() == []
    site.releases.collect()
    site.clock.wait(DAY)
    site.releases.collect()
    assert site.files() == {"index.html", "app.1111aaaa.js"}
    assert site.releases.current(SITE) is not None


def test_going_there_and_back_again_keeps_them_from_when_they_left_last(site: Site) -> None:
    first = site.publish({"app.1111aaaa.js": "1"})
    second = site.publish({"app.2222bbbb.js": "2"})
    site.clock.wait(DAY - 60)
    site.go_back(first)
    site.releases.collect()
    site.go_back(second)
    site.clock.wait(DAY - 60)
    site.releases.collect()
    assert site.files() == {"app.1111aaaa.js", "app.2222bbbb.js"}
    site.clock.wait(60)
    site.releases.collect()
    assert site.files() == {"app.2222bbbb.js"}


def test_going_back_needs_no_room_that_the_site_has_not(tmp_path: Path) -> None:
    site = Site(tmp_path, DiskPolicy(site=Quota(bytes=6_500), keep_assets_seconds=DAY))
    first = site.publish({"app.1111aaaa.bin": "1" * 3000})
    site.publish({"app.2222bbbb.bin": "2" * 3000})
    site.go_back(first)
    assert site.files() == {"app.1111aaaa.bin", "app.2222bbbb.bin"}
    site.publish({"index.html": "3" * 400})  # what is left of the quota


def test_f2_who_dies_while_going_back_leaves_a_release_that_is_sound(site: Site) -> None:
    first = site.publish({"app.1111aaaa.js": "1"})
    site.publish({"app.2222bbbb.js": "2"})
    (folder,) = {path for path in site.live.parent.iterdir() if path.is_dir()} - {site.live}
    entries = records.read_entries(folder)
    gone = records.read_entries(site.live)
    assert entries and gone
    more = {"app.2222bbbb.js": gone["app.2222bbbb.js"]._replace(gone=int(site.clock()))}
    records.write(folder, folder.with_name("x"), first, entries | more)  # and no link yet
    site.go_back(first)
    assert "app.1111aaaa.js" in site.files()
    assert site.releases.current(SITE) is not None


def test_they_take_no_more_than_the_site_and_the_latest_are_kept() -> None:
    known = {
        f"app.{number:04}aaaa.js": Entry("0" * 40, 10 << 20, 1, packed=0, gone=1000 + number) for number in range(5)
    }
    found = earlier.kept(known, {"index.html"}, 30 << 20, now=2000, seconds=DAY)
    assert list(found) == ["app.0004aaaa.js", "app.0003aaaa.js", "app.0002aaaa.js"]


def test_a_clock_that_was_put_back_does_not_keep_them_for_ever() -> None:
    known = {"app.1111aaaa.js": Entry("0" * 40, 1, 1, gone=5000)}
    assert earlier.kept(known, set(), 1, now=1000, seconds=DAY)["app.1111aaaa.js"].gone == 1000


def test_a_record_of_before_there_were_any_is_read(site: Site) -> None:
    site.publish({"index.html": "1"})
    record = records.path_of(site.live)
    header, entries = record.read_text().splitlines()
    header = header.replace(', "earlier": 0', "")
    entries = entries.replace(",null,0]", "]")
    assert "earlier" not in header and "null" not in entries
    record.write_text(f"{header}\n{entries}\n")
    site.start()
    assert site.releases.current(SITE) is not None
    assert records.read_entries(site.live) is not None
