"""F16: what a disk, a crash or a hand has changed is found, and made again from git; until then the old stays."""

import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.faults.conftest import Volume
from tests.support.git_server import GitServer

FILES = {"index.html": "whole", "c/d/page.html": "unchanged", "a": "1", "b/b": "1"}  # the last two are for a reader

READ = {"a": "1", "b/b": "1", "sub/a": "1", "sub/b/b": "1"}
MIRRORED = {"index.html": "lorem ipsum " * 200, "sub/page.html": "dolor sit amet " * 200, **READ}


def flip(path: Path) -> None:
    """Change one byte and no more: neither size nor mtime."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x01
    path.chmod(0o644)
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def live_folder(volume: Volume) -> Path:
    return volume.live_link().resolve()


def damage_release(volume: Volume, damage: str) -> None:
    folder = live_folder(volume)
    match damage:
        case "a file is cut":
            (folder / "index.html").write_text("")
        case "a file is written to":
            (folder / "index.html").write_text("wrong")
        case "a file is gone":
            (folder / "c/d/page.html").unlink()
        case "a file is a link":
            (folder / "index.html").rename(folder / "c/d/page.html")
            (folder / "index.html").symlink_to("c/d/page.html")
        case "a file was added":
            (folder / "c/new.html").write_text("x")
        case "a folder is gone":
            shutil.rmtree(folder / "c")


def damage_folder(volume: Volume, damage: str) -> None:
    folder = live_folder(volume)
    match damage:
        case "the release is gone":
            shutil.rmtree(folder)
        case "the release is a file":
            shutil.rmtree(folder)
            folder.write_text("x")
        case "all releases are a file":
            shutil.rmtree(volume.home())
            volume.home().write_text("x")
        case "all releases are gone":
            shutil.rmtree(volume.root / "volume/releases")


def damage_record(volume: Volume, damage: str) -> None:
    record = live_folder(volume).with_name(f"{live_folder(volume).name}.json")
    match damage:
        case "the record is gone":
            record.unlink()
        case "the record is empty":
            record.write_text("")
        case "the record is cut":
            record.write_text(record.read_text()[:-9])
        case "the record is garbage":
            record.write_text("[1]\n[2]\n")
        case "the record is a folder":
            record.unlink()
            record.mkdir()


def damage_link(volume: Volume, damage: str) -> None:
    link = volume.live_link()
    link.unlink()
    match damage:
        case "the link leads nowhere":
            link.symlink_to("../../releases/team/site/1-000000000000")
        case "the link leads elsewhere":
            link.symlink_to("../../../aside")
        case "the link is a file":
            link.write_text("x")
        case "the link is a folder":
            link.mkdir()
        case "the namespace is a file":
            link.parent.rmdir()
            link.parent.write_text("x")


DAMAGE = [
    *((damage_release, f"a file {how}") for how in ("is cut", "is written to", "is gone", "is a link", "was added")),
    (damage_release, "a folder is gone"),
    *((damage_folder, f"the release is {how}") for how in ("gone", "a file")),
    *((damage_folder, f"all releases are {how}") for how in ("gone", "a file")),
    *((damage_record, f"the record is {how}") for how in ("gone", "empty", "cut", "garbage", "a folder")),
    *((damage_link, f"the link {how}") for how in ("is gone", "leads nowhere", "leads elsewhere", "is a file")),
    (damage_link, "the link is a folder"),
    (damage_link, "the namespace is a file"),
]


@pytest.mark.parametrize(("do", "damage"), DAMAGE)
def test_f16_a_damaged_release_is_found_at_the_start_and_made_again(
    volume: Volume, git_server: GitServer, do: Callable[[Volume, str], None], damage: str
) -> None:
    git_server.repository().commit(FILES)
    site = volume.site()
    volume.publish(site)
    serves_on = do in {damage_release, damage_record}
    with volume.visited() if serves_on else nullcontext():
        do(volume, damage)
        volume.start()
        volume.publish(site)
    assert volume.live() == FILES
    assert volume.live_link().is_symlink()


def test_f16_changed_content_is_found_by_reading_it_back_and_is_never_linked_again(
    volume: Volume, git_server: GitServer
) -> None:
    """Size and mtime tell nothing here; and the next release would have taken the bad file over by a hard link."""
    git_server.repository().commit(FILES)
    site = volume.site()
    before = volume.publish(site)
    sound = volume.live_link() / "index.html"
    inode = sound.stat().st_ino
    with volume.visited():
        flip(volume.live_link() / "c/d/page.html")
        assert volume.releases.verify() == [("team", "site")]
        assert volume.releases.current(site.site_key) is None
        after = volume.publish(site)
        assert volume.live() == FILES
        assert after.commit == before.commit
        assert (volume.live_link() / "index.html").stat().st_ino == inode  # what was well is taken over
        assert volume.releases.verify() == []


def test_f16_what_is_damaged_stays_served_while_it_cannot_be_made_again(volume: Volume, git_server: GitServer) -> None:
    git_server.repository().commit(FILES)
    site = volume.site(served=True)
    volume.publish(site)
    with volume.visited():
        (live_folder(volume) / "c/d/page.html").unlink()
        volume.start()
        git_server.fail("site", 500)
        volume.refuses(site)
        assert volume.live() == {name: text for name, text in FILES.items() if name != "c/d/page.html"}
        git_server.heal("site")
        volume.publish(site)
        assert volume.live() == FILES


def test_f16_a_damaged_release_of_a_predecessor_goes_offline_all_the_same(
    volume: Volume, git_server: GitServer
) -> None:
    """N3: who gets a name anew never shows what another had there, even if that is damaged and git is down."""
    git_server.repository("old").commit(FILES)
    volume.publish(volume.site(repository="old", uid="1"))
    (live_folder(volume) / "index.html").unlink()
    volume.start()
    volume.refuses(volume.site(repository="new", uid="2"))
    assert volume.live() == {}


def test_f16_reading_back_takes_turns_of_bounded_size_and_comes_round(volume: Volume, git_server: GitServer) -> None:
    volume.policy = type(volume.policy)(keep_free=0, verify_bytes=12_000)
    volume.start()
    for name in ("one", "two", "three"):
        git_server.repository(name).commit({f"{number}.html": f"{name}{number}" * 100 for number in range(10)})
        volume.publish(volume.site(name))
    flip(volume.live_link("two") / "9.html")
    turns = 0
    while not volume.releases.verify():
        turns += 1
        assert turns < 30
    assert turns > 1


@pytest.mark.parametrize(
    "damage", ["a byte of the pack", "a dropped pack", "the ref", "a cut pack", "a ref to nowhere", "a ref of bytes"]
)
def test_f16_a_damaged_mirror_is_found_when_it_is_needed_and_fetched_anew(
    volume: Volume, git_server: GitServer, damage: str
) -> None:
    """Also where the server has nothing new, and git does not notice by itself."""
    git_server.repository().commit(MIRRORED)
    volume.publish(volume.site())
    (mirror,) = (volume.root / "mirrors").iterdir()
    (pack,) = mirror.glob("objects/pack/*.pack")
    (ref,) = mirror.glob("refs/pages/*")
    match damage:
        case "a byte of the pack":
            flip(pack)
        case "a dropped pack":
            pack.unlink()
        case "a cut pack":
            os.truncate(pack, pack.stat().st_size // 2)
        case "the ref":
            ref.write_bytes(b"\0garbage\n")
        case "a ref of bytes":
            ref.write_bytes(b"\xff\xfe\n")
        case "a ref to nowhere":
            ref.write_text(f"{'1' * 40}\n")
    with volume.visited():
        volume.publish(volume.site(path="/sub"))
    assert volume.live() == {"page.html": "dolor sit amet " * 200, "a": "1", "b/b": "1"}


def test_f16_a_mirror_that_cannot_be_repacked_is_fetched_anew_and_its_pushes_are_published(
    volume: Volume, git_server: GitServer
) -> None:
    repository = git_server.repository()
    old = os.urandom(20_000).hex()
    repository.commit({"old.html": old, "a": "0", "b/b": "0"})
    volume.publish(volume.site())
    with volume.visited():
        (mirror,) = (volume.root / "mirrors").iterdir()
        (pack,) = mirror.glob("objects/pack/*.pack")
        flip(pack)  # what no later push needs
        packs = set()
        for number in range(25):
            repository.commit({"index.html": f"{number}", "a": f"{number}", "b/b": f"{number}"})
            volume.publish(volume.site())
            packs.add(len(list(mirror.glob("objects/pack/*.pack"))))
        assert volume.live() == {"old.html": old, "index.html": "24", "a": "24", "b/b": "24"}
        assert max(packs) <= 20
