import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from syncer.git.commands import Git
from syncer.limits import Timeouts
from tests.support.bench import Bench
from tests.support.git_server import GitServer
from tests.support.repositories import git as run_git

# What starts nginx, a git or API server, a browser, or a process of ours that answers requests.
SERVERS = {
    "tests.nginx.conftest",
    *(
        f"tests.support.{name}"
        for name in (
            "bench",
            "chromium",
            "cluster",
            "control_plane",
            "engine",
            "git_server",
            "gitea",
            "processes",
            "request_path",
            "serving",
            "traefik",
        )
    ),
}

# How long an example takes says nothing on a machine that others use, too.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_xdist_auto_num_workers() -> int:
    """More than processors, because the tests on a cluster mostly wait."""
    return min(8, 2 * (os.cpu_count() or 1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of a module that works with a server, for `make test-quick` to leave out."""
    for item in items:
        if isinstance(item, pytest.Function) and _works_with_a_server(item.module):
            item.add_marker(pytest.mark.server)


def _works_with_a_server(module: ModuleType) -> bool:
    """Whether it imports what stands for a server: a class, as each annotation of a fixture needs it, or a module."""
    values = vars(module).values()
    sources = {value.__module__ if isinstance(value, type) else getattr(value, "__name__", "") for value in values}
    return not SERVERS.isdisjoint(sources)


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


@pytest.fixture
def bench(tmp_path: Path, git_server: GitServer) -> Iterator[Bench]:
    made = Bench(tmp_path, git_server)
    yield made
    made.git.close()


@pytest.fixture
def git() -> Iterator[Git]:
    made = Git(Timeouts(ask=60, transfer=60))
    yield made
    made.close()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    run_git("init", "--quiet", "--bare", str(tmp_path / "mirror"))
    return tmp_path / "mirror"
