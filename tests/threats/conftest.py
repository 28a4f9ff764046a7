from pathlib import Path

import pytest

from tests.support.recorder import GitRecorder


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRecorder:
    return GitRecorder(tmp_path / "recorder", monkeypatch)
