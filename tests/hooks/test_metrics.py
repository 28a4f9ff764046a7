"""The metrics of `pages hooks`: one page for all its processes, exact to the last call."""

import ast
import http.client
import json
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hooks import claims
from hooks.metrics import METRICS, REASONS
from hooks.payload import STATIC_SITE, VIRTUAL_HOST
from pages.reasons import GROUPS
from tests.support import metrics
from tests.support.engine import descendants
from tests.support.objects import stored_site
from tests.support.processes import Program, answer, wait_until_ready
from tests.support.serving import PAGES, eventually, free_port, pages

WORKERS = 2
pytestmark = pytest.mark.xdist_group("hooks-metrics")


class HooksWithMetrics(Program):
    def __init__(self, folder: Path) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        binds = ("--bind", f"127.0.0.1:{self.port}", "--metrics-bind", f"127.0.0.1:{self.metrics_port}")
        super().__init__(folder / "hooks.log", [*PAGES, "hooks", *binds, "--workers", str(WORKERS)])

    def call(self, hook: str, body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", hook, body)
            return connection.getresponse().status
        finally:
            connection.close()

    def page(self) -> metrics.Page:
        return metrics.page(self.metrics_port)

    def calls(self) -> float:
        return self.page().total("pages_hook_requests_total")

    def workers(self) -> set[int]:
        return set(descendants(self.process.pid))


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HooksWithMetrics]:
    with HooksWithMetrics(tmp_path_factory.mktemp("hooks")) as running:
        wait_until_ready(running, running.port)
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[HooksWithMetrics]:
    """Hooks that have not been called yet."""
    with HooksWithMetrics(tmp_path) as running:
        wait_until_ready(running, running.port)
        yield running


def sync_request(*sites: dict[str, Any], observed: int = 0) -> bytes:
    """A request of Metacontroller to /platform/sync."""
    names = [f"old-{number}.example.com" for number in range(observed)]
    parent = {
        "kind": "Platform",
        "metadata": {"name": "platform", "namespace": "kup6s-pages"},
        "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
    }
    children = {VIRTUAL_HOST: {name: {"metadata": {"name": name}, "spec": {"routes": []}} for name in names}}
    related = {STATIC_SITE: {f"team/{each['metadata']['name']}": each for each in sites}}
    return json.dumps({"parent": parent, "children": children, "related": related}).encode()


def test_every_call_is_counted_once_across_processes_and_during_scrapes(
    fresh: HooksWithMetrics,
) -> None:
    body = sync_request(*(stored_site(f"site-{number}") for number in range(7)))
    calls = [("/platform/sync", body)] * 60 + [("/virtualhost/sync", b"{}")] * 20 + [("/nowhere", b"")] * 10
    with ThreadPoolExecutor(8) as pool:
        scrapes = [pool.submit(fresh.page) for _ in range(10)]
        assert sorted(pool.map(lambda call: fresh.call(*call), calls)) == [200] * 60 + [400] * 20 + [404] * 10
        assert all(metrics.mistakes(scrape.result().text) == [] for scrape in scrapes)
    page = metrics.page_when(fresh.page, lambda now: now.total("pages_hook_requests_total") == 80)
    assert page.value("pages_hook_requests_total", hook="/platform/sync", code="200") == 60
    assert page.value("pages_hook_requests_total", hook="/virtualhost/sync", code="400") == 20
    assert page.value("pages_hook_children_total", hook="/platform/sync") == 7 * 60
    assert page.value("pages_hook_duration_seconds_count", hook="/platform/sync") == 60
    assert (page.value("pages_platform_sites"), page.value("pages_platform_virtual_hosts")) == (7, 7)


def test_counts_survive_the_death_of_workers(fresh: HooksWithMetrics) -> None:
    for expected in (20, 40):
        for _ in range(20):
            assert fresh.call("/platform/sync", sync_request()) == 200
        eventually(lambda: fresh.calls() == expected)  # noqa: B023 - called at once
        before = fresh.workers()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: len(fresh.workers()) == WORKERS and not fresh.workers() & before)  # noqa: B023
        eventually(lambda: answer(fresh.port, "/readyz")[0] == 200)
    assert fresh.calls() == 40


def test_rejections_are_shown_by_reason_until_they_are_gone(hooks: HooksWithMetrics) -> None:
    taken = [stored_site(name, domain="www.example.com") for name in ("one", "two")]
    for _ in range(20):  # so that each process has set the number
        hooks.call(
            "/platform/sync", sync_request(*taken, {"metadata": {"name": "bad", "namespace": "team"}, "spec": {}})
        )
    eventually(lambda: hooks.page().value("pages_platform_rejected_sites", reason="PathConflict") == 1)
    assert hooks.page().value("pages_platform_rejected_sites", reason="InvalidSpec") == 1
    hooks.call("/platform/sync", sync_request(taken[0]))
    eventually(lambda: hooks.page().total("pages_platform_rejected_sites") == 0)


def test_removals_on_hold_are_shown(hooks: HooksWithMetrics) -> None:
    hooks.call("/platform/sync", sync_request(observed=30))
    eventually(lambda: hooks.page().value("pages_platform_held_domains") == 30)
    hooks.call("/platform/sync", sync_request())
    eventually(lambda: hooks.page().value("pages_platform_held_domains") == 0)


def test_the_page_follows_the_conventions_and_has_every_metric(hooks: HooksWithMetrics) -> None:
    hooks.call("/platform/sync", sync_request(stored_site("one")))
    page = metrics.page_when(hooks.page, lambda now: now.total("pages_hook_requests_total") > 0)
    assert metrics.mistakes(page.text) == []
    assert {each.name.removesuffix("_total") for each in METRICS} <= {family.name for family in page.families()}
    assert page.value("process_resident_memory_bytes")
    if metrics.PROMTOOL.exists():
        assert metrics.promtool_complaints(page.text) == ""


def test_the_files_of_the_metrics_are_removed(tmp_path: Path) -> None:
    with HooksWithMetrics(tmp_path) as hooks:
        wait_until_ready(hooks, hooks.port)
        hooks.call("/platform/sync", sync_request())
        folders = {shared_folder(pid) for pid in hooks.workers()}
        (folder,) = [each for each in folders if each]
        assert folder.stat().st_mode & 0o777 == 0o700
        assert len(list(folder.iterdir())) <= 3 * WORKERS
    assert not folder.exists()


def shared_folder(pid: int) -> Path | None:
    """The folder of the files that hold a worker's counts."""
    match = re.search(r"(/\S+/pages-metrics-[^/]+)/", Path(f"/proc/{pid}/maps").read_text())
    return Path(match[1]) if match else None


def test_an_invalid_metrics_address_is_rejected() -> None:
    done = pages("hooks", "--metrics-bind", "nonsense")
    assert done.returncode == 1
    assert "--metrics-bind nonsense: write HOST:PORT" in done.stderr


def test_every_reason_for_a_rejection_has_a_label() -> None:
    """Other reasons would be counted as Other."""
    explained = {reason.name for group in GROUPS for reason in group.reasons}
    decide = ast.walk(ast.parse(Path(claims.__file__).read_text()))
    words = {node.value for node in decide if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert words & explained | {"InvalidSpec"} == set(REASONS)
