"""The models and the CRDs accept the same values and have the same fields."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import ValidationError

from pages import mistakes
from pages.api import CustomResource, Model, Platform, StaticSite, VirtualHost
from tests.support import crds

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "fields.yaml").read_text())
SAMPLES = Path(__file__).parents[1] / "cases" / "kup6s-pages-1.0"
MODELS: dict[str, type[CustomResource]] = {"StaticSite": StaticSite, "Platform": Platform, "VirtualHost": VirtualHost}


def value_of(written: Any) -> Any:
    """``{repeat: a, times: 3}`` means aaa; with ``with: b``, it means abbb."""
    if isinstance(written, dict) and "repeat" in written:
        if "with" in written:
            return written["repeat"] + written["with"] * written["times"]
        return written["repeat"] * written["times"]
    return written


def cases(verdict: str) -> Iterator[Any]:
    for kind, table in CASES.items():
        for field, values in table["fields"].items():
            for value in map(value_of, values.get(verdict, [])):
                changed = copy.deepcopy(table["base"])
                *parents, last = field.split(".")
                target = changed
                for parent in parents:
                    target = target[parent]
                target[last] = value
                yield pytest.param(kind, changed, id=f"{kind}.{field}={str(value)[:40]!r}")


@pytest.mark.parametrize(("kind", "written"), list(cases("good")))
def test_a_good_value_is_accepted_by_both(kind: str, written: dict[str, Any]) -> None:
    MODELS[kind].model_validate(written)
    assert crds.mistakes(kind, written) == []


@pytest.mark.parametrize(("kind", "written"), list(cases("bad")))
def test_a_bad_value_is_rejected_by_both(kind: str, written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        MODELS[kind].model_validate(written)
    assert all(sentence for _, sentence in mistakes.explain(raised.value))
    assert crds.mistakes(kind, written) != []


@pytest.mark.parametrize("kind", MODELS)
def test_models_and_crds_have_the_same_defaults(kind: str) -> None:
    base = CASES[kind]["base"]
    assert crds.defaulted(kind, base)["spec"] == MODELS[kind].model_validate(base).dump()["spec"]
    with_status = {**base, "status": {}}
    assert crds.defaulted(kind, with_status)["status"] == MODELS[kind].model_validate(with_status).dump()["status"]


@pytest.mark.parametrize("kind", MODELS)
def test_models_and_crds_have_the_same_fields(kind: str) -> None:
    for part in ("spec", "status"):
        field = MODELS[kind].model_fields[part]
        assert fields_of_model(model_in(field.annotation)) == fields_of_schema(crds.schema(kind)["properties"][part])


@pytest.mark.parametrize("kind", MODELS)
def test_every_text_list_and_mapping_has_a_limit(kind: str) -> None:
    """Without a limit, the API server rejects CEL rules as too expensive, and etcd stores values of any size."""
    unlimited = []

    def visit(part: dict[str, Any], path: str) -> None:
        limit = {"string": "maxLength", "array": "maxItems"}.get(part.get("type", ""))
        if limit and limit not in part and "enum" not in part:
            unlimited.append(path)
        if "additionalProperties" in part and "maxProperties" not in part:
            unlimited.append(path)
        for name, inner in part.get("properties", {}).items():
            visit(inner, f"{path}.{name}")
        for inner in (part.get("items"), part.get("additionalProperties")):
            if inner:
                visit(inner, f"{path}[]")

    visit(
        {"type": "object", "properties": {key: crds.schema(kind)["properties"][key] for key in ("spec", "status")}},
        kind,
    )
    assert unlimited == []


def fields_of_model(model: type[Model]) -> dict[str, Any]:
    """The fields by name: whether each is required, and the fields below it."""
    return {
        info.alias or name: (
            info.is_required(),
            fields_of_model(inner) if (inner := model_in(info.annotation)) else None,
        )
        for name, info in model.model_fields.items()
    }


def fields_of_schema(part: dict[str, Any]) -> dict[str, Any]:
    fields = {}
    for name, inner in part.get("properties", {}).items():
        below = inner.get("items", inner)
        fields[name] = (name in part.get("required", []), fields_of_schema(below) if "properties" in below else None)
    return fields


def model_in(annotation: Any) -> Any:
    """The model in ``Model``, ``Model | None`` or ``list[Model]``; None for plain values."""
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return annotation
    return next(filter(None, map(model_in, get_args(annotation))), None)


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_manifest_for_kup6s_pages_1_0_is_accepted_unchanged(sample: Path) -> None:
    for written in yaml.safe_load_all(sample.read_text()):
        if written["kind"] == "StaticSite":
            StaticSite.model_validate(written, extra="forbid")
            assert crds.mistakes("StaticSite", written) == []
