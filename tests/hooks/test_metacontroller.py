"""The manifests of our controllers match the hooks that Metacontroller calls."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from hooks import payload
from hooks.app import create_app

MANIFESTS = sorted((Path(__file__).parents[2] / "metacontroller").glob("*.yaml"))
PLURALS = {
    payload.VIRTUAL_HOST: "virtualhosts",
    payload.CERTIFICATE: "certificates",
    payload.INGRESS_ROUTE: "ingressroutes",
    payload.MIDDLEWARE: "middlewares",
}


@pytest.fixture(params=MANIFESTS, ids=lambda path: path.stem)
def controller(request: pytest.FixtureRequest) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(request.param.read_text())
    return manifest


def test_every_hook_of_the_manifests_is_served(controller: dict[str, Any]) -> None:
    routes = {rule.rule for rule in create_app().url_map.iter_rules()}
    for name, hook in controller["spec"]["hooks"].items():
        assert urlsplit(hook["webhook"]["url"]).path in routes, name
        assert hook["version"] == "v2"
        assert hook["webhook"]["timeout"]


def test_children_are_updated_in_place_and_selected_by_owner(controller: dict[str, Any]) -> None:
    assert controller["spec"]["generateSelector"] is True
    assert {each["updateStrategy"]["method"] for each in controller["spec"]["childResources"]} == {"InPlace"}


def test_the_manifests_declare_every_kind_of_child() -> None:
    declared = {
        path.stem: {
            (each["apiVersion"], each["resource"])
            for each in yaml.safe_load(path.read_text())["spec"]["childResources"]
        }
        for path in MANIFESTS
    }
    assert declared == {
        "platform": {resource(payload.VIRTUAL_HOST), resource(payload.CERTIFICATE)},
        "virtualhost": {resource(each) for each in (payload.CERTIFICATE, payload.INGRESS_ROUTE, payload.MIDDLEWARE)},
    }


def resource(kind: str) -> tuple[str, str]:
    return kind.partition(".")[2], PLURALS[kind]
