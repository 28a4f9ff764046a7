"""Fields, from the schemas in crds/: name, default, meaning."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from docs.generate import markdown

CRDS = Path(__file__).parents[2] / "crds"
Schema = dict[str, Any]


def table(part: str) -> str:
    """The fields of ``staticsite.spec``, or of another kind and part."""
    kind, _, top = part.partition(".")
    schema = _schema(kind)["properties"][top]
    rows = list(_rows(schema, top))
    return "\n\n".join([markdown.table(["field", "default", "meaning"], rows), *_rules(schema)])


def _schema(kind: str) -> Schema:
    definition = yaml.safe_load((CRDS / f"{kind}.yaml").read_text(encoding="utf-8"))
    schema: Schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _rows(schema: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    for name, field in schema.get("properties", {}).items():
        where = f"{path}.{name}"
        yield f"`{where}`", _default(name, field, schema), _meaning(field)
        if name != "conditions":  # the same for every kind: conditions.md
            yield from _rows(field, where)
            yield from _rows(field.get("items", {}), f"{where}[]")


def _default(name: str, field: Schema, parent: Schema) -> str:
    if name in parent.get("required", []):
        return "required"
    default = field.get("default")
    if default in ("", None, [], {}):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _meaning(field: Schema) -> str:
    """The description of the field, and the rules of the API server."""
    item = field.get("items", {})
    return " ".join(
        [markdown.plain(field.get("description", "")), *_bounds(field), *_messages(field), *_messages(item)]
    )


def _bounds(field: Schema) -> Iterator[str]:
    if choices := field.get("enum"):
        yield f"One of {', '.join(f'`{each}`' for each in choices)}."
    if most := field.get("maxItems"):
        yield f"At most {most:,}."
    if "minimum" in field and "maximum" in field:
        yield f"From {field['minimum']} to {field['maximum']}."


def _messages(field: Schema) -> list[str]:
    """The API server's messages for broken rules, as sentences."""
    messages = [rule["message"] for rule in field.get("x-kubernetes-validations", [])]
    return [f"{markdown.plain(each[0].upper() + each[1:])}." for each in messages]


def _rules(schema: Schema) -> list[str]:
    """Rules for several fields together."""
    rules = [f"- {markdown.plain(rule['message'])}" for rule in schema.get("x-kubernetes-validations", [])]
    return ["\n".join(rules)] if rules else []
