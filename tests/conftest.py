import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_server import GitServer


def pytest_xdist_auto_num_workers() -> int:
    """More than processors, because the tests on a cluster mostly wait."""
    return min(8, 2 * (os.cpu_count() or 1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and what is missing for it."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    terminalreporter.section("LEFT OUT", yellow=True)
    for reason, count in reasons.items():
        terminalreporter.line(f"{count} tests, because {reason}:")
        for report in skipped:
            if report.longrepr[2].removeprefix("Skipped: ") == reason:
                terminalreporter.line(f"  {report.nodeid}")


@pytest.fixture
def git_server(tmp_path: Path) -> Iterator[GitServer]:
    root = tmp_path / "repositories"
    root.mkdir()
    with GitServer(root) as server:
        yield server
    print("".join(server.complaints))  # pytest shows it where a test failed
