"""Fetching by one request: against a real git http-backend, and against servers that mean no good."""

import os
from pathlib import Path

import pytest

from syncer import errors
from syncer.git.commands import Git
from syncer.git.heads import NotUnderstood
from syncer.git.mirrors import Mirrors
from syncer.git.packs import Packs, question
from syncer.git.remote import Remote
from syncer.limits import ProcessLimits, Timeouts
from syncer.sources import Source
from tests.support.git_server import GitServer
from tests.support.raw_repository import RawRepository
from tests.support.repositories import git as run_git
from tests.support.scripted_server import Script, ScriptedServer, drips, floods, says
from tests.syncer.git.test_heads import A_COMMIT, http, packets

REF = "refs/pages/head"
SHALLOW = packets("shallow-info\n", f"shallow {A_COMMIT}\n")[:-4] + b"0001"
PACK = packets("packfile\n")[:-4]


def remote(server: GitServer) -> Remote:
    return Remote(server.url())


def band(number: int, data: bytes) -> bytes:
    return b"%04x%c%b" % (len(data) + 5, number, data)


def test_one_request_brings_the_tip_without_history(git: Git, git_server: GitServer, bare: Path) -> None:
    repository = git_server.repository()
    old = repository.commit({"index.html": "old"})
    new = repository.commit({"index.html": "new"})
    Packs(git).fetch(bare, remote(git_server), new, REF)
    assert git_server.requests == ["POST /site.git/git-upload-pack"]
    with git.objects(bare) as objects:
        assert objects.find(REF) == (new, "commit")
        assert objects.find(old) is None
    assert (bare / "shallow").read_text() == f"{new}\n"


def test_only_what_is_new_is_sent(git: Git, git_server: GitServer, bare: Path) -> None:
    repository = git_server.repository()
    first = repository.commit({f"d{n % 20}/f{n}.html": f"page {n} " * 200 for n in range(1000)})
    Packs(git).fetch(bare, remote(git_server), first, REF)
    assert git_server.bytes_sent > 50_000
    before = git_server.bytes_sent + git_server.bytes_received
    second = repository.commit({"d3/f3.html": "changed"})
    Packs(git).fetch(bare, remote(git_server), second, REF)
    assert git_server.bytes_sent + git_server.bytes_received - before < 3_000
    assert run_git("-C", str(bare), "show", f"{REF}:d3/f3.html") == "changed"
    assert run_git("-C", str(bare), "fsck", "--strict", "--no-dangling") == ""


def test_a_branch_is_fetched_on_top_of_another(git: Git, git_server: GitServer, bare: Path) -> None:
    repository = git_server.repository()
    main = repository.commit({f"f{n}": f"{n}" * 500 for n in range(300)})
    run_git("-C", str(repository.folder), "update-ref", "refs/heads/dev", main)
    dev = repository.commit({"f1": "other"}, branch="dev")
    Packs(git).fetch(bare, remote(git_server), main, REF)
    before = git_server.bytes_sent
    Packs(git).fetch(bare, remote(git_server), dev, "refs/pages/dev")
    assert git_server.bytes_sent - before < 8_000  # the folder and one file
    assert set((bare / "shallow").read_text().split()) == {main, dev}


def test_a_rewritten_history_and_a_commit_without_parents(git: Git, git_server: GitServer, bare: Path) -> None:
    """F13."""
    repository = git_server.repository()
    for orphan in (False, False, True, True):
        commit = repository.commit({"index.html": f"{orphan}"}, orphan=orphan)
        Packs(git).fetch(bare, remote(git_server), commit, REF)
        assert run_git("-C", str(bare), "rev-parse", REF) == commit
        run_git("-C", str(bare), "fsck", "--strict")


def test_after_many_pushes_git_still_agrees_with_the_mirror(git: Git, git_server: GitServer, bare: Path) -> None:
    repository = git_server.repository()
    for number in range(12):
        commit = repository.commit({"index.html": f"{number}", f"f{number}": "x"})
        Packs(git).fetch(bare, remote(git_server), commit, REF)
    run_git("-C", str(bare), "fsck", "--strict")
    git.repack(bare)
    assert (bare / "shallow").read_text() == f"{commit}\n"
    git.fetch(bare, remote(git_server), "refs/heads/main", REF)
    assert run_git("-C", str(bare), "fsck", "--strict") == ""
    assert run_git("-C", str(bare), "rev-list", "--count", REF) == "1"


def test_a_commit_that_the_server_does_not_have(git: Git, git_server: GitServer, bare: Path) -> None:
    git_server.repository().commit({"a": "1"})
    with pytest.raises(NotUnderstood):
        Packs(git).fetch(bare, remote(git_server), A_COMMIT, REF)


def test_a_tip_that_moved_meanwhile_is_fetched_by_name(git: Git, git_server: GitServer, tmp_path: Path) -> None:
    commit = git_server.repository().commit({"a": "1"})
    source = Source(git_server.url(), "main")
    with Mirrors(tmp_path / "mirrors", git).open(source, remote(git_server)) as mirror:
        assert mirror.update(A_COMMIT) == commit


def test_a_server_without_protocol_2_is_fetched_from_by_git(git: Git, git_server: GitServer, tmp_path: Path) -> None:
    commit = git_server.repository().commit({"a": "1"})
    git_server.speak_no_protocol_2("site", 404)
    source = Source(git_server.url(), "main")
    with Mirrors(tmp_path / "mirrors", git).open(source, remote(git_server)) as mirror:
        assert mirror.update(commit) == commit


@pytest.mark.parametrize(
    "script",
    [
        says(http(b"")),
        says(http(packets("ERR upload-pack: not our ref"))),
        says(http(b"junk")),
        says(http(packets("acknowledgments\n", "NAK\n"))),
        says(http(packets("shallow-info\n", "shallow ../../etc/passwd\n"))),
        says(http(SHALLOW)),
        says(http(SHALLOW + PACK + band(3, b"fatal: no"))),
        says(http(SHALLOW + PACK + band(1, b"PACK\0\0\0\2\0\0\0\1"))),
        says(http(SHALLOW + PACK + band(1, b"PACK\0\0\0\2\0\0\0\1") + b"0000")),
        says(http(SHALLOW + PACK + band(2, b"hello") + b"0000")),
        says(http(SHALLOW + PACK + b"0000")),
        floods(http(packets("shallow-info\n")[:-4], length=1 << 40), packets(f"shallow {A_COMMIT}\n")[:-4] * 500),
    ],
    ids=range(12),
)
def test_an_answer_that_is_none_changes_nothing(git: Git, git_server: GitServer, bare: Path, script: Script) -> None:
    """F10: cut short, broken, or something else altogether."""
    commit = git_server.repository().commit({"a": "1"})
    Packs(git).fetch(bare, remote(git_server), commit, REF)
    before = (bare / "shallow").read_text()
    with ScriptedServer(script) as server, pytest.raises((NotUnderstood, errors.SyncError)):
        Packs(git).fetch(bare, Remote(f"{server.origin}/x.git"), A_COMMIT, REF)
    assert run_git("-C", str(bare), "rev-parse", REF) == commit
    assert (bare / "shallow").read_text() == before
    assert run_git("-C", str(bare), "fsck", "--strict") == ""
    assert not list(bare.rglob("*.lock"))


def test_a_pack_that_drips_is_given_up(bare: Path) -> None:
    """F9."""
    git = Git(Timeouts(ask=10, transfer=0.5))
    script = drips(http(SHALLOW + PACK + b"fff0\x01PACK", length=1 << 20))
    with ScriptedServer(script) as server, pytest.raises(errors.TimedOut, match=r"0\.5 seconds"):
        Packs(git).fetch(bare, Remote(f"{server.origin}/x.git"), A_COMMIT, REF)
    git.close()


def test_a_pack_that_is_too_large_is_given_up(git_server: GitServer, bare: Path) -> None:
    """C4."""
    limited = Git(limits=ProcessLimits(file_bytes=20_000))
    commit = git_server.repository().commit({"a": os.urandom(100_000)})
    with pytest.raises(errors.LimitExceeded):
        Packs(limited).fetch(bare, remote(git_server), commit, REF)
    limited.close()


def test_a_flood_after_the_pack_is_not_read(git: Git, git_server: GitServer, bare: Path) -> None:
    script = floods(http(SHALLOW + PACK + b"0000", length=1 << 40), b"x" * 65536)
    with ScriptedServer(script) as server, pytest.raises(errors.SyncError, match="early EOF"):
        Packs(git).fetch(bare, Remote(f"{server.origin}/x.git"), A_COMMIT, REF)


@pytest.mark.parametrize("way", ["by one request", "by git"])
@pytest.mark.parametrize(
    ("mode", "name", "content", "words"),
    [
        (b"100644", b".git", b"x", "hasDotgit"),
        (b"100644", b".GIT", b"x", "hasDotgit"),
        (b"100644", b"git~1", b"x", "hasDotgit"),
        (b"100644", b".g\xe2\x80\x8cit", b"x", "hasDotgit"),
        (b"100644", b"..", b"x", "hasDotdot"),
        (b"100644", b".", b"x", "hasDot"),
        (b"100644", b"a/b", b"x", "fullPathname"),
        (b"120000", b".gitmodules", b"/etc/passwd", "gitmodulesSymlink"),
        (b"100644", b".gitmodules", b'[submodule "x"]\nurl = --upload-pack=id\n', "gitmodulesUrl"),
        (b"100644", b".gitmodules", b'[submodule "x"]\npath = -x\n', "gitmodulesPath"),
        (b"100644", b".gitmodules", b'[submodule "../x"]\nurl = https://x/y\n', "gitmodulesName"),
    ],
    ids=range(11),
)
def test_c2_what_git_refuses_is_refused_either_way(
    git: Git, git_server: GitServer, bare: Path, mode: bytes, name: bytes, content: bytes, words: str, way: str
) -> None:
    raw = RawRepository(git_server.repository().folder)
    commit = raw.commit(raw.tree((mode, name, raw.blob(content))))
    fetch, what = (Packs(git).fetch, commit) if way == "by one request" else (git.fetch, "refs/heads/main")
    with pytest.raises(errors.GitFailed, match=words):
        fetch(bare, remote(git_server), what, REF)
    assert run_git("-C", str(bare), "for-each-ref") == ""


def test_the_question_says_what_is_there_already() -> None:
    assert question("a" * 40, {"b" * 40}, {"b" * 40}).decode() == (
        "0012command=fetch\n0001000ethin-pack\n0010no-progress\n000eofs-delta\n"
        f"0035shallow {'b' * 40}\n000ddeepen 1\n0032want {'a' * 40}\n0032have {'b' * 40}\n0009done\n0000"
    )
