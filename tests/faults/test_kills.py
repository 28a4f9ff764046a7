"""F1, F2, F3: killed at every step that changes the disk, a syncer leaves nothing that a restart does not repair."""

import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine, Round, kill_descendants
from tests.support.git_server import GitServer
from tests.support.readers import Reader
from tests.support.relay import Relay
from tests.support.repositories import Repository


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as made:
        yield made


@pytest.fixture
def root() -> Iterator[Path]:
    """In memory where that can be had: not what a disk costs is tried here."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:  # noqa: S108
        yield Path(folder)


def push(repository: Repository, number: int, **more: str | bytes) -> None:
    """One file that never changes, and two that tell the number."""
    unchanged = {f"same/{each}": "same" for each in range(3)} if number == 1 else {}
    repository.commit({"a": f"{number} of a", "b/b": f"{number} of b", **unchanged, **more})


def numbers(root: Path) -> list[int]:
    """What the two files tell, now that nothing moves."""
    site = root / "volume/live/team/site"
    assert {path.name for path in site.rglob("*") if path.is_file()} >= {"a", "b", "0", "1", "2"}
    return [int((site / path).read_text().split()[0]) for path in ("a", "b/b")]


def leftovers(root: Path) -> list[Path]:
    """All files that are neither live, nor a record, nor part of a mirror."""
    current = (root / "volume/live/team/site").resolve()
    found = [path for path in root.glob("volume/releases/*/*/*") if path not in {current, Path(f"{current}.json")}]
    found += list((root / "volume").rglob(".tmp-*"))
    found += [path for path in (root / "mirrors").rglob("*") if path.name.startswith(("tmp_", ".tmp-"))]
    found += list((root / "mirrors").glob("*.new"))
    return found + list((root / "mirrors").rglob("*.lock"))


def test_f1_f2_f3_a_push_is_killed_at_each_of_its_steps(engine: Engine, root: Path) -> None:
    """From the look at the mirror to the last file of the old release: at least 50 kills."""
    repository = Repository(root / "site.git")
    push(repository, 1)
    start = Round(str(root), f"file://{repository.folder}")
    assert engine.run(start).error == ""
    kills = 0
    with Reader(root / "volume/live/team/site", graced=False) as reader:
        for step in range(1, 200):
            push(repository, step + 1)
            if not engine.run(start.killed_at(step)).killed:
                break
            kills += 1
            assert engine.run(start).error == ""
            assert numbers(root) == [step + 1] * 2, f"after a kill at step {step}"
            assert leftovers(root) == [], f"after a kill at step {step}"
    assert kills >= 50
    reader.assert_content()


def test_f3_a_removal_is_killed_at_each_of_its_steps(engine: Engine, root: Path) -> None:
    repository = Repository(root / "site.git")
    push(repository, 1)
    start = Round(str(root), f"file://{repository.folder}")
    removal = Round(str(root), start.repo, remove=True)
    for step in range(1, 100):
        assert engine.run(start).error == ""
        assert numbers(root) == [1, 1]
        if not engine.run(removal.killed_at(step)).killed:
            break
        assert engine.run(removal).error == ""
        assert not os.path.lexists(root / "volume/live/team/site")
        assert leftovers(root) == [], f"after a kill at step {step}"
    else:
        pytest.fail("it takes no end of steps")
    assert step > 10


def test_f1_a_fetch_is_killed_with_all_its_processes_at_any_moment(engine: Engine, root: Path) -> None:
    """A git that is killed while it fetches leaves `shallow.lock`, which blocks every later fetch (fact 7)."""
    moments = random.Random(5)  # noqa: S311 - moments, not secrets
    (root / "repositories").mkdir()
    with GitServer(root / "repositories") as server, Relay(server.port) as relay:
        repository = server.repository()
        push(repository, 1)
        start = Round(str(root), f"{relay.origin}/site.git")
        assert engine.run(start).error == ""
        with Reader(root / "volume/live/team/site", graced=False) as reader:
            for number in range(2, 10):
                push(repository, number, blob=moments.randbytes(30_000))
                relay.bytes_per_second = 100_000
                engine.begin(start)
                time.sleep(moments.uniform(0.02, 0.5))
                kill_descendants(engine.pid)
                assert engine.end().killed or numbers(root) == [number] * 2
                relay.heal()
                assert engine.run(start).error == ""
                assert numbers(root) == [number] * 2
                assert leftovers(root) == []
    reader.assert_content()


def test_f1_a_killed_first_fetch_and_a_killed_repacking_leave_nothing(engine: Engine, root: Path) -> None:
    repository = Repository(root / "site.git")
    push(repository, 1)
    start = Round(str(root), f"file://{repository.folder}")
    for step in (3, 9, 15):
        assert engine.run(start.killed_at(step)).killed
    assert engine.run(start).error == ""
    (mirror,) = (root / "mirrors").iterdir()
    for name in ("shallow.lock", "objects/pack/tmp_pack_x", "objects/pack/.tmp-1-pack-x.pack", "refs/pages/x.lock"):
        (mirror / name).touch()
    assert engine.run(start).error == ""
    assert numbers(root) == [1, 1]
    assert leftovers(root) == []
