"""A model of what a Kubernetes API server does with our schemas: defaults, structure, patterns, CEL rules.

It uses jsonschema, RE2 and a CEL interpreter, so that a case takes a millisecond; tests/cluster asks a real server.
"""

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import celpy
import celpy.adapter
import celpy.evaluation
import jsonschema
import re2
import yaml

from tests.support.control_plane import TOOLS

FOLDER = Path(__file__).parents[2] / "crds"
_OPEN = "x-kubernetes-preserve-unknown-fields"


@cache
def schema(kind: str) -> dict[str, Any]:
    """The OpenAPI schema of a kind."""
    crd = yaml.safe_load((FOLDER / f"{kind.lower()}.yaml").read_text())
    found: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def defaulted(kind: str, written: dict[str, Any]) -> dict[str, Any]:
    """The object with the schema's defaults."""
    filled = copy.deepcopy(written)
    _fill(schema(kind), filled)
    return filled


def has_schema(written: dict[str, Any]) -> bool:
    """Whether the schema of the object is available. Those of other projects come with `make tools`."""
    return (written["apiVersion"], written["kind"]) in _schemas()


def stored(written: dict[str, Any]) -> dict[str, Any]:
    """The object as the API server stores it: without unknown fields, and with the defaults of its schema."""
    schema = _schemas()[written["apiVersion"], written["kind"]]
    properties = schema["properties"]
    parts = {key: _pruned(properties.get(key, {}), written[key]) for key in written.keys() & {"spec", "status"}}
    filled = {**written, **copy.deepcopy(parts)}
    _fill(schema, filled)
    return filled


@cache
def _schemas() -> dict[tuple[str, str], dict[str, Any]]:
    """The schemas of all kinds, by apiVersion and kind."""
    files = [*FOLDER.glob("*.yaml"), *(TOOLS / "crds").glob("*.yaml")]
    definitions = [each for file in files for each in yaml.load_all(file.read_text(), yaml.CSafeLoader) if each]
    return {
        (f"{each['spec']['group']}/{version['name']}", each["spec"]["names"]["kind"]): version["schema"][
            "openAPIV3Schema"
        ]
        for each in definitions
        for version in each["spec"]["versions"]
    }


def _pruned(part: dict[str, Any], value: Any) -> Any:
    if isinstance(value, list):
        return [_pruned(part.get("items", {}), each) for each in value]
    if not isinstance(value, dict):
        return value
    properties, other = part.get("properties", {}), part.get("additionalProperties")
    if other is None and not part.get(_OPEN):
        value = {name: inner for name, inner in value.items() if name in properties}
    others = other if isinstance(other, dict) else {_OPEN: True}
    return {name: _pruned(properties.get(name, others), inner) for name, inner in value.items()}


def mistakes(kind: str, written: dict[str, Any]) -> list[str]:
    """Why the API server would reject the object; empty if it would not."""
    filled = defaulted(kind, written)
    found = [error.message for error in _validator(kind).iter_errors(filled)]
    return found or list(_broken_rules(schema(kind), filled))


@cache
def _validator(kind: str) -> Any:
    extend: Any = jsonschema.validators.extend
    made = extend(jsonschema.Draft7Validator, {"pattern": _pattern})
    return made(schema(kind))


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    if isinstance(value, str) and not re2.search(pattern, value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern}")


def _fill(part: dict[str, Any], value: Any) -> None:
    if isinstance(value, dict):
        for name, inner in part.get("properties", {}).items():
            if name not in value and "default" in inner:
                value[name] = copy.deepcopy(inner["default"])
            if name in value:
                _fill(inner, value[name])
        if isinstance(others := part.get("additionalProperties"), dict):
            for name in value.keys() - part.get("properties", {}).keys():
                _fill(others, value[name])
    elif isinstance(value, list):
        for each in value:
            _fill(part.get("items", {}), each)


def _broken_rules(part: dict[str, Any], value: Any) -> Iterator[str]:
    for rule in part.get("x-kubernetes-validations", []):
        try:
            holds = bool(_program(rule["rule"]).evaluate({"self": celpy.adapter.json_to_cel(value)}))
        except celpy.evaluation.CELEvalError:
            holds = False
        if not holds:
            yield rule["message"]
    if isinstance(value, dict):
        for name, inner in part.get("properties", {}).items():
            if name in value:
                yield from _broken_rules(inner, value[name])
    elif isinstance(value, list):
        if part.get("x-kubernetes-list-type") == "set" and any(value.count(each) > 1 for each in value):
            yield "names something twice"
        for each in value:
            yield from _broken_rules(part.get("items", {}), each)


@cache
def _program(rule: str) -> Any:
    environment = celpy.Environment()
    return environment.program(environment.compile(rule))
