from collections.abc import Iterator
from pathlib import Path

import pytest

from syncer.git.commands import Git
from syncer.limits import Timeouts
from tests.support.recorder import GitRecorder
from tests.support.repositories import git as run_git


@pytest.fixture
def git() -> Iterator[Git]:
    made = Git(Timeouts(ask=10, transfer=20))
    yield made
    made.close()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    run_git("init", "--quiet", "--bare", str(tmp_path / "mirror"))
    return tmp_path / "mirror"


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRecorder:
    return GitRecorder(tmp_path / "recorder", monkeypatch)
