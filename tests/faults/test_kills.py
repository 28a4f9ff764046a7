"""F1, F2, F3: killed at every step that changes the disk, a syncer leaves nothing that a new start does not mend."""

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine, Round, kill_descendants
from tests.support.readers import Reader
from tests.support.repositories import Repository

_RELEASE = re.compile(r"[0-9]+-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as made:
        yield made


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "site.git")
    push(made, 1)
    return made


def push(repository: Repository, number: int) -> None:
    """One file that never changes, and two that tell the number."""
    unchanged = {f"same/{each}": "same" for each in range(3)} if number == 1 else {}
    repository.commit({"a": f"{number} of a", "b/b": f"{number} of b", **unchanged})


def live(root: Path) -> dict[str, str]:
    folder = root / "volume/live/team/site"
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def wanted(number: int) -> dict[str, str]:
    return {"a": f"{number} of a", "b/b": f"{number} of b"} | {f"same/{each}": "same" for each in range(3)}


def leftovers(root: Path) -> list[Path]:
    """Whatever is neither live nor its record nor a mirror as git leaves it."""
    current = (root / "volume/live/team/site").resolve()
    releases = root / "volume/releases/team/site"
    others = [path for path in releases.iterdir() if path not in {current, Path(f"{current}.json")}]
    others += [path for path in (root / "volume").rglob(".tmp-*")]
    mirrors = [path for path in (root / "mirrors").rglob("*") if path.name.startswith(("tmp_", ".tmp-"))]
    return others + mirrors + list((root / "mirrors").rglob("*.lock"))


def test_f1_f2_f3_a_push_is_killed_at_each_of_its_steps(
    engine: Engine, repository: Repository, tmp_path: Path
) -> None:
    repo = f"file://{repository.folder}"
    assert engine.run(Round(str(tmp_path), repo)).error == ""
    with Reader(tmp_path / "volume/live/team/site") as reader:
        kills, number = 0, 1
        while True:
            number += 1
            push(repository, number)
            killed = engine.run(Round(str(tmp_path), repo, kill_at=number - 1))
            if not killed.killed:
                break
            kills += 1
            assert engine.run(Round(str(tmp_path), repo)).error == ""
            assert live(tmp_path) == wanted(number), f"after a kill at step {number - 1}"
            assert leftovers(tmp_path) == [], f"after a kill at step {number - 1}"
    print(kills)
    assert kills >= 50
    reader.assert_content()
