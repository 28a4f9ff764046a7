"""Packed copies beside the files that are worth it."""

import gzip
import os
import random
import re
from pathlib import Path

import pytest

from syncer.errors import LimitExceeded
from syncer.volume import packing, records
from syncer.volume.records import FileRecord
from tests.syncer.volume.test_earlier import DAY, SITE, Site

NGINX = Path(__file__).parents[3] / "deploy/nginx"
TEXT = "body { color: red }\n" * 200


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_what_is_worth_it_is_packed_with_the_time_of_its_file(site: Site) -> None:
    noise = random.Random(1).randbytes(3000).hex()  # noqa: S311 - no secret
    site.publish({"style.css": TEXT, "a/PAGE.HTML": TEXT, "small.css": "x", "photo.jpg": TEXT, "noise.txt": noise})
    assert site.files() >= {"style.css.gz", "a/PAGE.HTML.gz", "noise.txt.gz"}
    assert not site.files() & {"small.css.gz", "photo.jpg.gz"}
    packed, plain = site.live / "style.css.gz", site.live / "style.css"
    assert gzip.decompress(packed.read_bytes()).decode() == TEXT
    assert packed.stat().st_mtime == plain.stat().st_mtime
    assert packed.stat().st_mode & 0o777 == 0o644


def test_what_does_not_get_smaller_is_left_and_not_tried_again(tmp_path: Path) -> None:
    content = os.urandom(4000)
    (tmp_path / "x.wasm").write_bytes(content)
    entries = {"x.wasm": FileRecord("0" * 40, len(content), 1_700_000_000)}
    assert packing.worth_trying(entries) == ["x.wasm"]
    packed = packing.pack(tmp_path, entries, ["x.wasm"])
    assert packed["x.wasm"].packed == 0
    assert [path.name for path in tmp_path.iterdir()] == ["x.wasm"]
    assert packing.worth_trying(packed) == []


def test_a_folder_that_is_called_like_a_packed_copy_has_its_place(site: Site) -> None:
    """Whichever was there first, and until the folder is gone."""
    before = {"a.css": TEXT, "app.1111aaaa.css": TEXT}
    folders = {"a.css.gz/page.html": "x", "app.1111aaaa.css.gz/page.html": "y"}
    site.publish(before)
    assert site.files() == {*before, "a.css.gz", "app.1111aaaa.css.gz"}
    site.publish({"a.css": TEXT, **folders})
    assert site.files() == {*before, *folders}  # one of them is an earlier asset
    site.clock.wait(2 * DAY)
    site.releases.collect()
    assert site.files() == {"a.css", *folders}
    assert site.releases.verify() == []
    site.publish({"a.css": TEXT, "b.css": TEXT, "b.css.gz/page.html": "x"})
    assert site.files() == {"a.css", "a.css.gz", "b.css", "b.css.gz/page.html"}


def test_the_same_content_is_packed_alike(site: Site) -> None:
    site.publish({"a.css": TEXT})
    first = (site.live / "a.css.gz").read_bytes()
    site.clock.wait(1000)
    site.publish({"b.css": TEXT})
    assert (site.live / "b.css.gz").read_bytes() == first


def test_an_unchanged_file_keeps_its_packed_copy_and_so_both_etags(site: Site) -> None:
    site.publish({"a.css": TEXT, "b.css": TEXT + "b"})
    before = {name: (site.live / name).stat() for name in ("a.css", "a.css.gz", "b.css.gz")}
    site.clock.wait(100)
    site.publish({"a.css": TEXT, "b.css": TEXT + "c"})
    after = {name: (site.live / name).stat() for name in before}
    for name in ("a.css", "a.css.gz"):
        assert (after[name].st_ino, after[name].st_mtime) == (before[name].st_ino, before[name].st_mtime)
    assert after["b.css.gz"].st_mtime > before["b.css.gz"].st_mtime
    assert gzip.decompress((site.live / "b.css.gz").read_bytes()).decode() == TEXT + "c"


def test_a_repositorys_own_gz_files_keep_their_content_under_another_name(site: Site) -> None:
    site.publish({"a.csv": TEXT, "a.csv.gz": "own", "x.tar.gz": "archive", "d.gz/index.html": "page"})
    assert site.files() == {"a.csv", "a.csv.gz", ".own-a.csv.gz", ".own-x.tar.gz", "d.gz/index.html"}
    assert (site.live / ".own-a.csv.gz").read_text() == "own"
    assert gzip.decompress((site.live / "a.csv.gz").read_bytes()).decode() == TEXT
    assert site.releases.current(SITE) is not None
    assert site.releases.verify() == []


def test_a_name_that_is_too_long_for_it_is_refused_or_not_packed(site: Site) -> None:
    site.publish({"x" * 251 + ".css": TEXT})  # 255 bytes
    assert len(site.files()) == 1
    with pytest.raises(LimitExceeded, match=r"too long for a \.gz file"):
        site.publish({"x" * 250 + ".gz": "x"})


@pytest.mark.parametrize("damage", ["flipped", "cut", "longer", "gone", "bomb"])
def test_a_damaged_packed_copy_is_found_and_made_again(site: Site, damage: str) -> None:
    site.publish({"a.css": TEXT})
    packed = site.live / "a.css.gz"
    stat, content = packed.stat(), bytearray(packed.read_bytes())
    good = bytes(content)
    content[len(content) // 2] ^= 1
    wrong = {
        "flipped": bytes(content),
        "cut": good[:-4],
        "longer": good + b"x",
        "bomb": gzip.compress(b"\0" * (50 << 20))[: len(good)],
    }
    packed.unlink()
    if damage != "gone":
        packed.write_bytes(wrong[damage])
        os.utime(packed, (stat.st_mtime, stat.st_mtime))
    site.start()
    assert site.releases.current(SITE) is None or site.releases.verify() == [SITE]
    site.clock.wait(10)
    site.publish({"a.css": TEXT})
    assert (site.live / "a.css.gz").read_bytes() == good
    assert site.releases.current(SITE) is not None


def test_a_file_that_is_gone_without_its_packed_copy_is_written_again(site: Site) -> None:
    site.publish({"a.css": TEXT, "b.txt": "1"})
    (site.live / "a.css").unlink()
    site.clock.wait(10)
    site.publish({"a.css": TEXT, "b.txt": "2"})
    assert (site.live / "a.css").read_text() == TEXT
    assert gzip.decompress((site.live / "a.css.gz").read_bytes()).decode() == TEXT
    assert site.releases.verify() == []


def test_a_link_that_was_planted_in_a_release_is_damage(site: Site, tmp_path: Path) -> None:
    """It would be followed: nginx does not look, for that would cost each request of each visitor."""
    for name, target in (("inside", "."), ("passwd", "/etc/passwd"), ("loop", "loop")):
        site.publish({"index.html": name})
        (site.live / name).symlink_to(target)
        site.start()
        assert site.releases.current(SITE) is None
        site.clock.wait(10)
        site.publish({"index.html": name})
        assert site.files() == {"index.html"}


def test_one_release_packs_no_more_than_a_second_and_the_next_goes_on() -> None:
    def entry(size: int, packed: int | None = None) -> FileRecord:
        return FileRecord("0" * 40, size, 1, packed)

    many = {f"{number}.js": entry(4 << 20) for number in range(20)}
    first = packing.worth_trying({"page.html": entry(2000), **many, "dump.sql": entry(100 << 20)})
    assert first[0] == "page.html"
    assert len(first) == 8
    rest = {path: each for path, each in many.items() if path not in first}
    assert len(packing.worth_trying({**rest, first[0]: entry(2000, 100)})) == 8


def test_packed_copies_count_as_what_the_site_uses(site: Site) -> None:
    site.publish({"a.css": TEXT})
    entries = records.read_entries(site.live)
    assert entries and entries["a.css"].packed
    usage = site.releases._usages.site(SITE)
    assert usage.bytes == len(TEXT) + entries["a.css"].packed
    assert usage.files == 3  # and the folder
    site.start()
    assert site.releases._usages.site(SITE) == usage


def test_the_syncer_packs_what_nginx_packs() -> None:
    types = re.search(r"gzip_types ([^;]+);", (NGINX / "sites-server.conf").read_text())
    assert types
    packed = {*types[1].split(), "text/html"}
    for kind, extensions in re.findall(r"^ +(\S+/\S+) +(.+);", (NGINX / "mime.types").read_text(), re.MULTILINE):
        for extension in extensions.split():
            assert packing.is_of_a_kind(f"a.{extension}") == (kind in packed), extension
    assert not packing.is_of_a_kind("js")
