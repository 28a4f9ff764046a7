"""deploy/webhook: what of the syncer is public, and what stands before it."""

import re
from typing import Any

import jsonschema
import pytest
import yaml

from pages.cli.syncer import syncer
from syncer.app import MAX_BODY_BYTES
from tests.support.control_plane import ROOT, SYSTEM, TOOLS

DOCUMENTS = list(yaml.safe_load_all((ROOT / "deploy/webhook/webhook.yaml").read_text()))


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """The specs of a kind, by name."""
    return {each["metadata"]["name"]: each["spec"] for each in DOCUMENTS if each["kind"] == kind}


def default_port(option: str) -> int:
    (found,) = (parameter.default for parameter in syncer.params if option in parameter.opts)
    return int(str(found).rpartition(":")[2])


def test_everything_is_in_the_system_namespace() -> None:
    assert {each["metadata"]["namespace"] for each in DOCUMENTS} == {SYSTEM}


def test_w8_only_the_apis_paths_are_public() -> None:
    (route,) = of_kind("IngressRoute")["pages-webhook"]["routes"]
    assert set(re.findall(r"PathPrefix\(`([^`]*)`\)", route["match"])) == {"/webhook/", "/sync/", "/site/"}
    assert route["match"].startswith("Host(`webhook.pages.example.com`) && (")
    assert "Path(" not in route["match"]


def test_w8_health_has_a_port_that_no_service_leads_to() -> None:
    (port,) = of_kind("Service")["pages-syncer"]["ports"]
    assert port["targetPort"] == default_port("--bind")
    assert port["targetPort"] != default_port("--health-bind")
    (service,) = of_kind("IngressRoute")["pages-webhook"]["routes"][0]["services"]
    assert (service["name"], service["port"]) == ("pages-syncer", port["name"])


def test_w3_w4_rate_and_body_are_limited_before_the_syncer() -> None:
    middlewares = of_kind("Middleware")
    (route,) = of_kind("IngressRoute")["pages-webhook"]["routes"]
    assert [each["name"] for each in route["middlewares"]] == list(middlewares)
    assert middlewares["pages-webhook-rate"]["rateLimit"]["average"] > 0
    assert middlewares["pages-webhook-body"]["buffering"]["maxRequestBodyBytes"] == MAX_BODY_BYTES


def test_traefik_knows_all_of_it() -> None:
    file = TOOLS / "crds/traefik.yaml"
    if not file.is_file():
        pytest.skip("Traefik's CRDs are not there: run `make tools` once")
    crds = {each["spec"]["names"]["kind"]: each for each in yaml.safe_load_all(file.read_text()) if each}
    for each in DOCUMENTS:
        if each["apiVersion"] == "traefik.io/v1alpha1":
            schema = crds[each["kind"]]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
            jsonschema.validate(each, schema)
            known = schema["properties"]["spec"]["properties"]
            assert set(each["spec"]) <= set(known)
            for name, content in each["spec"].items():
                assert not isinstance(content, dict) or set(content) <= set(known[name].get("properties", content))
