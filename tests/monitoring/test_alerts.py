"""The alert rules use existing metrics, each of them can fire, and each has a section in the runbook."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.names import EXTERNAL, known, named
from tests.support.control_plane import ROOT
from tests.support.metrics import PROMTOOL

RULES = ROOT / "deploy/monitoring/alerts.yaml"
RUNBOOK = ROOT / "docs/how-to/alerts.md"
needs_promtool = pytest.mark.skipif(not PROMTOOL.exists(), reason="promtool is not built: run `make tools` once")


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@pytest.mark.parametrize("name", alerts())
def test_an_alert_has_a_summary_a_severity_and_a_runbook(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    assert rule["for"]
    anchor = re.sub(r"[^a-z0-9-]", "", name.lower())
    assert rule["annotations"]["runbook"] == f"docs/how-to/alerts.md#{anchor}"
    section = RUNBOOK.read_text().partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert "**Means**" in section and "**Do**" in section


def test_every_section_of_the_runbook_belongs_to_an_alert() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE) == list(alerts())


@pytest.mark.parametrize("name", alerts())
def test_an_alert_uses_existing_metrics_and_labels(name: str) -> None:
    found = named(alerts()[name]["expr"])
    assert found
    for metric, labels in found:
        assert metric in EXTERNAL or labels <= known()[metric], (metric, labels)


def run(*arguments: str | Path) -> str:
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_prometheus_accepts_the_rules() -> None:
    assert f"{len(alerts())} rules found" in run("check", "rules", "--lint=all", "--lint-fatal", RULES)


@needs_promtool
def test_each_alert_fires_on_its_problem_and_not_otherwise() -> None:
    cases = yaml.safe_load((Path(__file__).parent / "alerts_test.yaml").read_text())["tests"]
    assert {case["name"] for case in cases} == {"all is well", *alerts()}
    assert {each["alertname"] for each in cases[0]["alert_rule_test"]} == set(alerts())
    assert "SUCCESS" in run("test", "rules", Path(__file__).parent / "alerts_test.yaml")


def test_the_how_to_creates_a_prometheusrule_from_the_alerts(tmp_path: Path) -> None:
    script = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/how-to/monitor.md").read_text(), re.DOTALL)[0]
    script = script.replace("kubectl apply -f -", "cat")
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    made = yaml.safe_load(done.stdout)
    assert made["kind"] == "PrometheusRule"
    assert made["spec"] == yaml.safe_load(RULES.read_text())
