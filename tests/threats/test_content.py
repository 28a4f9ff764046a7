"""What a repository may hold: links, magic names, submodules, LFS, odd names, hard links, secrets (C1-C3, C5-C8)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest

from syncer.git.object_reader import Objects
from syncer.outcome import Published
from syncer.reporting import status
from syncer.reporting.observed_routes import Routing
from syncer.volume.records import Release
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.objects import parsed_site
from tests.support.raw_repository import RawRepository
from tests.support.serving import Serving, eventually

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"


def released(bench: Bench, git_server: GitServer, **spec: Any) -> Release:
    outcome = bench.sync(parsed_site(**{"repo": git_server.url(), **spec}))["site"]
    assert isinstance(outcome, Published), outcome
    return outcome.release


def message(bench: Bench, git_server: GitServer) -> str:
    """What the StaticSite says."""
    site = parsed_site(repo=git_server.url())
    return status.build(site, bench.sync(site)["site"], Routing(), datetime.now(UTC)).conditions[1].message


def not_regular(bench: Bench) -> list[Path]:
    """What is neither a file nor a folder below the releases, by lstat."""
    below = (bench.root / "volume/releases").rglob("*")
    return [path for path in below if path.is_symlink() or not (path.is_file() or path.is_dir())]


def test_c1_links_within_the_published_folder_are_copies_and_all_others_are_counted(
    bench: Bench, git_server: GitServer
) -> None:
    git_server.repository().commit(
        {"site/v2/index.html": "two", "site/.env": "SECRET", "private.html": "private"},
        symlinks={
            "site/latest": "v2",
            "site/index.html": "latest/index.html",
            "site/passwd": "/etc/passwd",
            "site/up": "../../../../../../etc",
            "site/out": "../private.html",
            "site/env": ".env",
            "site/git": ".git/config",
            "site/other": "../../../other/site",
            "site/loop": "loop",
            "site/a": "b",
            "site/b": "a",
        },
    )
    release = released(bench, git_server, path="/site")
    assert bench.live() == {"v2/index.html": "two", "latest/index.html": "two", "index.html": "two"}
    assert release.skipped == {"hidden file": 1, "symlink": 9}
    assert not_regular(bench) == []


def test_c1_a_visitor_gets_what_a_link_leads_to_and_nothing_of_the_machine(
    git_server: GitServer, tmp_path: Path
) -> None:
    links = {"copy.html": "index.html", "passwd": "/etc/passwd", "root": "/", "up": "../../../../.."}
    git_server.repository().commit({"index.html": "the page"}, symlinks=links)
    with Serving(tmp_path / "state", ("--repo", git_server.url())) as serving:
        eventually(lambda: serving.shows("site.pages.localhost", "the page", "/copy.html"))
        for path in ("/passwd", "/root/etc/passwd", "/root/", "/up/etc/passwd"):
            assert serving.get("site.pages.localhost", path)[0] == 404


def test_c1_what_a_link_leads_to_follows_the_pushes(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    repository.commit({"v1/index.html": "one", "v2/index.html": "two"}, symlinks={"latest": "v1"})
    released(bench, git_server)
    assert bench.live()["latest/index.html"] == "one"
    repository.commit(symlinks={"latest": "v2"})
    released(bench, git_server)
    assert bench.live()["latest/index.html"] == "two"
    repository.commit({"v2/index.html": "three"})
    released(bench, git_server)
    assert bench.live()["latest/index.html"] == "three"
    assert not_regular(bench) == []


def test_c1_a_link_gives_way_to_a_file_and_back(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    repository.commit({"b/index.html": "b"}, symlinks={"a": "b"})
    released(bench, git_server)
    repository.commit({"a": None})
    repository.commit({"a/index.html": "a"})
    released(bench, git_server)
    assert bench.live() == {"a/index.html": "a", "b/index.html": "b"}
    repository.commit({"a/index.html": None}, symlinks={"a": "b"})
    released(bench, git_server)
    assert bench.live() == {"a/index.html": "b", "b/index.html": "b"}


@pytest.mark.parametrize(
    "name", [b".git", b".GIT", b"git~1", b".g\xe2\x80\x8cit", b"..", b".", b"a/b", b"", b"a\0100644 b"]
)
def test_c2_a_tree_with_a_magic_name_is_refused_or_harmless(bench: Bench, git_server: GitServer, name: bytes) -> None:
    repository = git_server.repository()
    raw = RawRepository(repository.folder)
    evil = raw.tree((b"100644", b"config", raw.blob(b"[core] evil = true")))
    good = (b"100644", b"index.html", raw.blob(b"good"))
    raw.commit(raw.tree((b"40000", name, evil), good))
    outcome = bench.sync(parsed_site(repo=git_server.url()))["site"]
    live = bench.live() if isinstance(outcome, Published) else {}
    assert live in ({}, {"index.html": "good"})
    written = {path.name for path in (bench.root / "volume").rglob("*")}
    assert not {each for each in written if each.lower() in {".git", "git~1", "config"} or "\u200c" in each}


def test_c2_a_linked_gitmodules_is_refused_or_harmless(bench: Bench, git_server: GitServer) -> None:
    raw = RawRepository(git_server.repository().folder)
    raw.commit(raw.tree((b"120000", b".gitmodules", raw.blob(b"/etc/passwd")), (b"100644", b"x", raw.blob(b"x"))))
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.live() in ({}, {"x": "x"})
    assert not_regular(bench) == []


def test_c3_submodules_filters_and_hooks_have_no_effect(bench: Bench, git_server: GitServer) -> None:
    canary = bench.root / "canary"
    git_server.repository().commit(
        {
            "index.html": "$Id$ as it is",
            "utf16.html": "as it is",
            ".gitattributes": "*.html filter=evil ident working-tree-encoding=UTF-16 export-subst\n",
            ".gitmodules": f'[submodule "x"]\n\tpath = theme\n\turl = ext::sh -c "touch {canary}"\n',
            "hooks/post-checkout": f"#!/bin/sh\ntouch {canary}\n",
            ".lfsconfig": "[lfs]\n\turl = http://127.0.0.1:1/\n",
        },
        submodules={"vendor/theme": "a" * 40},
    )
    said = message(bench, git_server)
    assert bench.live()["index.html"] == "$Id$ as it is"
    assert bench.live()["utf16.html"] == "as it is"
    assert not canary.exists()
    assert "1 submodule (commit the files themselves)" in said


def test_c3_lfs_pointers_are_left_out_and_said_as_long_as_they_are_there(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    repository.commit(
        {"index.html": "one", "a.png": POINTER, "b.png": POINTER.replace("12345", "67"), "c.png": "a picture"}
    )
    note = "2 Git LFS pointers (the content is not in git; commit the files without LFS)"
    assert note in message(bench, git_server)
    assert bench.live() == {"index.html": "one", "c.png": "a picture"}
    assert note in message(bench, git_server)  # without news
    repository.commit({"index.html": "two"})
    assert note in message(bench, git_server)
    assert bench.live() == {"index.html": "two", "c.png": "a picture"}
    repository.commit({"a.png": "the picture itself", "c.png": POINTER})
    assert note in message(bench, git_server)
    assert bench.live() == {"index.html": "two", "a.png": "the picture itself"}
    repository.commit({"b.png": None, "c.png": None})
    assert "LFS" not in message(bench, git_server)


def test_c5_odd_names_are_published_as_they_are_or_counted(bench: Bench, git_server: GitServer) -> None:
    repository = git_server.repository()
    raw = RawRepository(repository.folder)
    published = [
        "-rf",
        "A",
        "a",
        "caf\u00e9",
        "cafe\u0301",
        "a b",
        "'quoted'",
        "%2e%2e",
        "50%",
        "{{x}}",
        "$(id)",
    ]
    refused = [b"new\nline", b"esc\x1b[2J", b"\xff\xfe", b"back\\slash", b"\x7f", "\u202egpj.exe".encode()]
    names = sorted([*(each.encode() for each in published), *refused])
    entries = [(b"100777" if name == b"-rf" else b"100644", name, raw.blob(name)) for name in names]
    raw.commit(raw.tree(*entries))
    release = released(bench, git_server)
    assert bench.live() == {name: name for name in published}
    assert sum(release.skipped.values()) == len(refused)
    modes = {path.stat().st_mode & 0o7777 for path in (bench.root / "volume/live/team/site").iterdir()}
    assert modes == {0o644}
    assert message(bench, git_server).isprintable()


def test_c6_no_file_is_shared_between_sites(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "same", "copy.html": "same"})
    bench.sync(parsed_site(repo=git_server.url()), parsed_site("other", repo=git_server.url()))
    files = list((bench.root / "volume/releases").rglob("*.html"))
    assert len(files) == 4
    assert {path.stat().st_nlink for path in files} == {1}


def test_c6_a_new_file_never_goes_through_what_stands_there(
    bench: Bench, git_server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should somebody put a link into the unfinished release while it is written."""
    git_server.repository().commit({"index.html": "x"})
    victim = bench.root / "victim"
    victim.write_text("untouched")
    contents = Objects.contents
    traps: list[Path] = []

    def set_traps(objects: Objects, oids: Sequence[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
        for folder in (bench.root / "volume/releases").glob("*/*/*/"):
            traps.append(folder / "index.html")
            traps[-1].symlink_to(victim)
        return contents(objects, oids)

    monkeypatch.setattr(Objects, "contents", set_traps)
    assert bench.reason(parsed_site(repo=git_server.url())) == "StorageFailed"
    assert traps
    assert victim.read_text() == "untouched"


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".htpasswd",
        ".git-credentials",
        ".npmrc",
        ".ssh/id_rsa",
        "a/.env",
        ".well-known/.env",
        "docs/.git/config",
    ],
)
def test_c7_dotfiles_stay_private(bench: Bench, git_server: GitServer, path: str) -> None:
    raw = RawRepository(git_server.repository().folder)
    secret = raw.blob(b"SECRET=1")
    page = (b"100644", b"index.html", raw.blob(b"x"))
    name, *folders = reversed(path.split("/"))
    entry = (b"100644", name.encode(), secret)
    for folder in folders:
        entry = (b"40000", folder.encode(), raw.tree(entry))
    raw.commit(raw.tree(*sorted([entry, page], key=lambda each: each[1])))
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.live() in ({}, {"index.html": "x"})  # git itself refuses a .git


def test_c7_well_known_is_public_by_convention(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({".well-known/security.txt": "Contact: x"})
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.live() == {".well-known/security.txt": "Contact: x"}
