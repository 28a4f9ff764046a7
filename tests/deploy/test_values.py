"""Wrong values are rejected before anything is installed, with a message that names the value."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from tests.support.chart import CHART, VARIANTS, helm

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"unknown": 1}, "unknown"),
        ({"syncer": {"allowedHost": ["x.example.com"]}}, "allowedHost"),
        ({"syncer": {"allowedHosts": ["https://user@x.example.com"]}}, "/syncer/allowedHosts/0"),
        ({"syncer": {"allowedHosts": "x.example.com"}}, "/syncer/allowedHosts"),
        ({"syncer": {"workers": 0}}, "/syncer/workers"),
        ({"syncer": {"extraArgs": ["keep-releases=1"]}}, "/syncer/extraArgs/0"),
        ({"syncer": {"cache": {"sizeLimit": "ten"}}}, "/syncer/cache/sizeLimit"),
        ({"nginx": {"replicas": "two"}}, "/nginx/replicas"),
        ({"nginx": {"replicas": 0}}, "/nginx/replicas"),
        ({"platform": {"pagesDomain": "example"}}, "/platform/pagesDomain"),
        ({"platform": {"pagesDomain": "https://pages.example.com"}}, "/platform/pagesDomain"),
        ({"platform": {"tls": {"mode": "Sometimes"}}}, "/platform/tls/mode"),
        ({"platform": {"domainPolicies": [{"domains": ["a.example"]}]}}, "namespaces"),
        ({"platform": {"reservedDomains": ["*"]}}, "/platform/reservedDomains/0"),
        ({"persistence": {"accessMode": "ReadOnlyMany"}}, "/persistence/accessMode"),
        ({"persistence": {"size": "big"}}, "/persistence/size"),
        ({"persistence": {"size": 20}}, "/persistence/size"),
        ({"persistence": {"annotations": {"helm.sh/resource-policy": "x"}}}, "/persistence/annotations/helm.sh"),
        ({"commonLabels": {"app.kubernetes.io/instance": "x"}}, "/commonLabels/app.kubernetes.io"),
        ({"commonLabels": {"team": "web & more"}}, "/commonLabels/team"),
        ({"nginx": {"podLabels": {"pages.kup6s.com/nginx": "false"}}}, "/nginx/podLabels/pages.kup6s.com"),
        ({"nginx": {"podAnnotations": {"checksum/nginx-config": "x"}}}, "/nginx/podAnnotations/checksum"),
        ({"runAs": {"user": 0}}, "/runAs/user"),
        ({"image": {"tag": "a b"}}, "/image/tag"),
        ({"syncer": {"image": {"digest": "sha256:abc"}}}, "/syncer/image/digest"),
        ({"metacontroller": {"bundled": "no"}}, "/metacontroller/bundled"),
        ({"metacontroller": {"podLabels": {"app.kubernetes.io/name": 1}}}, "/metacontroller/podLabels"),
        ({"networkPolicies": {"git": {"except": ["10.0.0.0"]}}}, "/networkPolicies/git/except/0"),
        ({"networkPolicies": {"apiServer": {"ports": []}}}, "/networkPolicies/apiServer/ports"),
        ({"webhooks": {"secretKeys": []}}, "/webhooks/secretKeys"),
        ({"webhooks": {"rate": {"average": -1}}}, "/webhooks/rate/average"),
        ({"metrics": {"serviceMonitor": {"interval": "soon"}}}, "/metrics/serviceMonitor/interval"),
        ({"metrics": {"prometheusRule": {"runbookUrl": "docs.example.com"}}}, "/metrics/prometheusRule/runbookUrl"),
        ({"metrics": {"grafanaDashboard": {"labels": {"grafana_dashboard": 1}}}}, "/metrics/grafanaDashboard/labels"),
        ({"dashboard": True}, "/dashboard"),
    ],
)
def test_helm_rejects_wrong_values(wrong: dict[str, Any], named: str) -> None:
    done = helm("template", "r", str(CHART), "-f", "-", stdin=yaml.safe_dump(wrong))
    assert done.returncode == 1, done.stdout
    assert named in done.stderr


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"platform": {"pagesDomain": "pages.example.com"}}, "needs platform.tls.issuerRef.name"),
        (
            {"platform": {"pagesDomain": "pages.example.com", "tls": {"mode": "Wildcard"}}},
            "needs platform.tls.wildcardSecretName",
        ),
        ({"syncer": {"allowedHosts": []}}, "syncer.allowedHosts is empty"),
        *(
            ({"metrics": {"enabled": False, name: {"enabled": True}}}, f"metrics.{name}.enabled needs metrics.enabled")
            for name in ("serviceMonitor", "prometheusRule", "grafanaDashboard")
        ),
    ],
)
def test_contradictory_values_are_rejected_with_the_next_step(values: dict[str, Any], sentence: str) -> None:
    done = helm("template", "r", str(CHART), "-f", "-", stdin=yaml.safe_dump(values))
    assert done.returncode == 1
    assert sentence in done.stderr


def test_an_old_kubernetes_is_rejected() -> None:
    assert helm("template", "r", str(CHART), "--kube-version", "1.30.0").returncode == 0
    done = helm("template", "r", str(CHART), "--kube-version", "1.29.9")
    assert done.returncode == 1
    assert "Kubernetes v1.29.9 is too old" in done.stderr
    assert "--kube-version" in done.stderr, "a Helm without a cluster has one in mind, and an old Helm an old one"


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_matches_the_schema_in_another_validator(name: str) -> None:
    """Helm 3 uses another validator than Helm 4."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(dict(VARIANTS[name]), SCHEMA)


def test_every_value_is_in_the_schema_and_has_a_default() -> None:
    jsonschema.validate(VALUES, SCHEMA)
    assert set(SCHEMA["properties"]) - {"global"} == set(VALUES)
    for name, value in VALUES.items():
        described = SCHEMA["properties"][name].get("properties")
        if described:
            assert set(described) == set(value), name


def test_every_section_of_the_values_has_a_comment() -> None:
    text = (CHART / "values.yaml").read_text()
    blocks = re.split(r"\n\n", text)
    assert not [block for block in blocks if "#" not in block]
