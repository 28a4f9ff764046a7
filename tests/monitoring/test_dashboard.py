"""The Grafana dashboard: Prometheus accepts each query, and each uses existing metrics."""

import json
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.names import EXTERNAL, known, named
from tests.support.control_plane import ROOT
from tests.support.metrics import PROMTOOL

FOLDER = ROOT / "deploy/monitoring"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
NOT_DRAWN = {
    "pages_releases_written_total",  # the same as pages_syncs_total{result="published"}
    "pages_site_synced",  # for alerts
    "pages_sites_omitted",
    "pages_sources",
    "pages_volume_writable",  # for alerts
    "pages_platform_sites",
    "pages_platform_virtual_hosts",
    "pages_hook_children_total",
}


def expressions() -> list[str]:
    return [target["expr"] for panel in PANELS for target in panel["targets"]]


def test_dashboard_json_equals_the_output_of_the_program() -> None:
    made = runpy.run_path(str(FOLDER / "dashboard.py"))["dashboard"]()
    assert made == DASHBOARD, "run: python deploy/monitoring/dashboard.py"


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_uses_existing_metrics_and_labels(panel: dict[str, Any]) -> None:
    assert panel["title"] and panel["description"] and panel["targets"]
    for target in panel["targets"]:
        found = named(target["expr"])
        assert found
        for metric, labels in found:
            assert metric in EXTERNAL or labels <= known()[metric], (metric, labels)


def test_every_metric_is_on_a_panel_or_listed_as_omitted() -> None:
    drawn = {metric for expression in expressions() for metric, _ in named(expression)}
    shown = {name for name in known() if not name.endswith(("_sum", "_count"))}
    assert shown - drawn == NOT_DRAWN


def test_panels_have_unique_ids_and_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))


@pytest.mark.skipif(not PROMTOOL.exists(), reason="promtool is not built: run `make tools` once")
def test_prometheus_accepts_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions())
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run([PROMTOOL, "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
