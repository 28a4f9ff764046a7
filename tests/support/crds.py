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

FOLDER = Path(__file__).parents[2] / "crds"


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
