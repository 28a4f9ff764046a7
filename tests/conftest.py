from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_server import GitServer


@pytest.fixture
def git_server(tmp_path: Path) -> Iterator[GitServer]:
    root = tmp_path / "repositories"
    root.mkdir()
    with GitServer(root) as server:
        yield server
