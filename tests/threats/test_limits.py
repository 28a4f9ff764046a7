"""What is too large, too much or without end is given up early, said in the status, and leaves nothing (C4, X2)."""

import functools
import itertools
import os
import resource
import shutil
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncer import errors
from syncer.git.commands import Git
from syncer.limits import ProcessLimits, SiteLimits, Timeouts
from syncer.outcome import Published
from tests.support.bench import Bench
from tests.support.git_server import GitServer, endless_pack, pack_header
from tests.support.objects import parsed_site
from tests.support.raw_repository import RawRepository
from tests.support.repositories import Repository
from tests.support.serving import Serving, eventually

MEGABYTE = 1 << 20


def many_branches(repository: Repository, name: str) -> None:
    """20,000 of them, which are more than a megabyte."""
    commit = repository.commit({"index.html": "x"}, branch="other")
    lines = [f"{commit} refs/heads/{name.format(number)}\n" for number in range(20_000)]
    (repository.folder / "packed-refs").write_text("# pack-refs with: peeled fully-peeled sorted \n" + "".join(lines))


def refusal(bench: Bench, git_server: GitServer, name: str = "site") -> str:
    """The message, where a limit was passed."""
    outcome = bench.sync(parsed_site(name, repo=git_server.url(name)))[name]
    assert isinstance(outcome, errors.LimitExceeded), outcome
    return str(outcome)


def bytes_on_disk(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def largest_child() -> int:
    """Bytes of memory of the largest child so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (SiteLimits(files=3), "has more than 3 files, the limit of --max-files;"),
        (SiteLimits(file_bytes=1024), "'d/big.bin' has 2 KiB, more than 1 KiB, the limit of --max-file-size;"),
        (SiteLimits(site_bytes=2049), "has more than 2 KiB, the limit of --max-site-size;"),
        (SiteLimits(path_depth=1), "'d/big.bin' is 2 names deep, more than 1, the limit of --max-path-depth;"),
        (SiteLimits(path_bytes=8), "'index.html' has 10 bytes, more than 8, the limit of --max-path-length;"),
    ],
)
def test_c4_each_limit_of_a_site_says_itself_and_the_last_release_stays(
    bench: Bench, git_server: GitServer, limits: SiteLimits, said: str
) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "good"})
    bench.sync(parsed_site(repo=git_server.url()))
    bench.limits = limits
    repository.commit({"d/big.bin": "x" * 2048, "a": "a", "b": "b"})
    message = refusal(bench, git_server)
    assert said in message
    assert "publish less with spec.path, or ask the administrator" in message
    assert bench.live() == {"index.html": "good"}
    bench.limits = SiteLimits()
    bench.sync(parsed_site(repo=git_server.url()))
    assert len(bench.live()) == 4


def many_zeros(repository: Repository) -> None:
    """A thousandth of their number in the pack."""
    raw = RawRepository(repository.folder)
    raw.commit(raw.tree((b"100644", b"zeros", raw.blob(bytes(101 * MEGABYTE)))))


def a_tree_of_a_billion_files(repository: Repository) -> None:
    """Nine trees of ten entries that are all the next tree."""
    raw = RawRepository(repository.folder)
    tree = raw.tree(*((b"100644", b"%d" % number, raw.blob(b"x")) for number in range(10)))
    for _ in range(8):
        tree = raw.tree(*((b"40000", b"%d" % number, tree) for number in range(10)))
    raw.commit(tree)


def a_path_of_four_kilobytes(repository: Repository) -> None:
    raw = RawRepository(repository.folder)
    tree = raw.tree((b"100644", b"f", raw.blob(b"x")))
    for _ in range(40):
        tree = raw.tree((b"40000", b"d" * 100, tree))
    raw.commit(tree)


def a_name_of_four_kilobytes(repository: Repository) -> None:
    raw = RawRepository(repository.folder)
    raw.commit(raw.tree((b"100644", b"n" * 4096, raw.blob(b"x"))))


def twenty_thousand_and_one_files(repository: Repository) -> None:
    raw = RawRepository(repository.folder)
    blob = raw.blob(b"x")
    raw.commit(raw.tree(*((b"100644", b"%05d" % number, blob) for number in range(20_001))))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (many_zeros, "'zeros' has 101 MiB, more than 100 MiB"),
        (a_tree_of_a_billion_files, "more than 50,000 folders"),
        (a_path_of_four_kilobytes, "has 4,041 bytes, more than 1,024"),
        (a_name_of_four_kilobytes, "has 4,096 bytes"),
        (twenty_thousand_and_one_files, "more than 20,000 files"),
    ],
)
def test_c4_a_bomb_is_given_up_early_and_others_go_on(
    bench: Bench, git_server: GitServer, build: Callable[[Repository], None], said: str
) -> None:
    git_server.repository("healthy").commit({"index.html": "well"})
    build(git_server.repository())
    memory, disk = largest_child(), bytes_on_disk(bench.root / "repositories")
    assert said in refusal(bench, git_server)
    assert bench.live() == {}
    assert list((bench.root / "volume/releases").rglob(".tmp*")) == []
    assert bytes_on_disk(bench.root / "mirrors") < disk + 4 * MEGABYTE
    assert largest_child() - memory < 300 * MEGABYTE
    healthy = bench.sync(parsed_site("healthy", repo=git_server.url("healthy")))["healthy"]
    assert isinstance(healthy, Published)


@pytest.mark.parametrize(
    ("pack", "limits", "said"),
    [
        (
            functools.partial(endless_pack, squeezed=False),
            ProcessLimits(file_bytes=4 * MEGABYTE),
            "more than 4 MiB, the limit of --max-pack-size",
        ),
        (
            functools.partial(endless_pack, squeezed=True),
            ProcessLimits(cpu_seconds=1),
            "more than 1 seconds, the limit of --git-cpu-time",
        ),
        (
            lambda: itertools.chain([pack_header(1 << 27)], endless_pack(squeezed=False)),
            ProcessLimits(),
            "more than 2 GiB of memory",
        ),
    ],
    ids=["size", "cpu", "memory"],
)
def test_c4_a_pack_without_end_is_given_up_and_its_remains_go(
    bench: Bench, git_server: GitServer, pack: Callable[[], Iterator[bytes]], limits: ProcessLimits, said: str
) -> None:
    repository = git_server.repository()
    repository.commit({"index.html": "good"})
    bench.sync(parsed_site(repo=git_server.url()))
    repository.commit({"index.html": "new"})
    git_server.send_pack("site", pack)
    bench.git = Git(Timeouts(ask=20, transfer=60), limits)
    message = refusal(bench, git_server)
    assert said in message
    assert "ask the administrator to raise it" in message or "smaller" in message
    assert bytes_on_disk(bench.root / "mirrors") < MEGABYTE
    assert bench.live() == {"index.html": "good"}
    git_server.heal("site")
    bench.sync(parsed_site(repo=git_server.url()))
    assert bench.live() == {"index.html": "new"}


def test_c4_branches_without_end_are_not_kept_on_disk(bench: Bench, git_server: GitServer) -> None:
    """A server of the old kind tells all of them, and git lists those that end like ours (R2)."""
    many_branches(git_server.repository(), "x{:06}/refs/heads/main")
    git_server.speak_no_protocol_2("site", 404)
    assert "more branches and tags than are read" in refusal(bench, git_server)


def test_c4_a_branch_that_is_missing_among_very_many_is_said(bench: Bench, git_server: GitServer) -> None:
    many_branches(git_server.repository(), "a-name-of-some-length/of-a-branch-of-many/{:06}")
    assert bench.reason(parsed_site(repo=git_server.url())) == "BranchNotFound"


def test_c4_a_slow_transfer_is_given_up_by_the_clock(bench: Bench, git_server: GitServer) -> None:
    git_server.repository().commit({"index.html": "x"})
    git_server.drip("site")
    bench.git = Git(Timeouts(ask=1, transfer=1))
    outcome = bench.sync(parsed_site(repo=git_server.url()))["site"]
    assert isinstance(outcome, errors.TimedOut)
    assert "within 1 seconds, the limit of --git-" in str(outcome)


def test_c4_every_git_is_limited_and_its_children_too(
    bench: Bench, git_server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    real = shutil.which("git")
    script = f"""#!/bin/sh
    for _ in 1 2 3 4 5 6 7 8 9; do  # those that wait for what they are told are limited meanwhile
        grep -q 'Max cpu time *7 ' /proc/$$/limits && break
        sleep 0.2
    done
    cat /proc/$$/limits >"{tmp_path}/limits.$$"
    exec {real} "$@"
    """
    (folder / "git").write_text(textwrap.dedent(script))
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    git_server.repository().commit({"index.html": "x"})
    bench.git = Git(Timeouts(ask=10, transfer=10), ProcessLimits(cpu_seconds=7, file_bytes=5 * MEGABYTE))
    assert isinstance(bench.sync(parsed_site(repo=git_server.url()))["site"], Published)
    found = [path.read_text() for path in tmp_path.glob("limits.*")]
    ours = [text for text in found if "Max cpu time              7 " in text]
    assert len(ours) >= 2  # one that checks what was fetched, one that reads
    for line in (
        r"Max file size             5242880              5242880 ",
        r"Max core file size        0                    0 ",
        r"Max open files            256                  256 ",
        r"Max address space         2147483648           2147483648 ",
    ):
        assert all(line in text for text in ours), line


def test_x2_a_limit_is_a_setting_and_shows_in_the_status(git_server: GitServer, tmp_path: Path) -> None:
    git_server.repository().commit({"a.html": "x", "b.html": "y"})
    arguments = ("--repo", git_server.url(), "--max-files", "1")
    with Serving(tmp_path / "state", arguments) as serving:
        eventually(lambda: serving.synced("default/site")[0] == "LimitExceeded")
        assert "more than 1 files, the limit of --max-files" in serving.synced("default/site")[1]
