"""The chart installs the alerts and the dashboard unchanged, for its own namespace."""

import json
import re
from pathlib import Path

import jsonschema
import yaml

from tests.monitoring.test_alerts import RULES, needs_promtool, run
from tests.monitoring.test_dashboard import DASHBOARD
from tests.support.chart import CHART, VARIANTS, find, of_kind, render, variant
from tests.support.control_plane import ROOT, SYSTEM, Object


def rules(objects: list[Object]) -> dict[str, Object]:
    """The alerts of the rendered PrometheusRule, by name."""
    groups = find(objects, "PrometheusRule", "kup6s-pages")["spec"]["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_without_a_runbook_url_the_rules_equal_the_file() -> None:
    objects = render({"metrics": {"prometheusRule": {"enabled": True}}})
    assert find(objects, "PrometheusRule", "kup6s-pages")["spec"] == yaml.safe_load(RULES.read_text())


def test_a_runbook_url_links_to_the_section_of_the_alert() -> None:
    for name, rule in rules(variant("monitored")).items():
        assert rule["annotations"]["runbook_url"] == f"https://docs.example.com/how-to/alerts/#{name.lower()}"
        assert "runbook" not in rule["annotations"]


def test_the_rules_use_the_namespace_of_the_release() -> None:
    text = json.dumps([rule["expr"] for rule in rules(render(VARIANTS["monitored"], namespace="static")).values()])
    assert text.count(r"namespace=\"static\"") == 2
    assert SYSTEM not in text


@needs_promtool
def test_prometheus_accepts_the_rendered_rules(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(find(variant("monitored"), "PrometheusRule", "kup6s-pages")["spec"]))
    assert f"{len(rules(variant('monitored')))} rules found" in run("check", "rules", file)


def test_the_dashboard_has_the_label_of_the_sidecar() -> None:
    found = find(variant("monitored"), "ConfigMap", "kup6s-pages-dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["kup6s-pages.json"]) == DASHBOARD
    assert {each["metadata"]["name"] for each in of_kind(variant("served"), "ConfigMap")} == {"nginx-config"}


def test_the_values_in_the_how_to_exist_in_the_chart() -> None:
    shown = re.findall(r"```yaml\n(metrics:\n.*?)```", (ROOT / "docs/how-to/monitor.md").read_text(), re.DOTALL)
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert len(shown) == 1
    jsonschema.validate(yaml.safe_load(shown[0]), schema)
