"""Edits one field of a manifest in its text: comments, order and quotes of everything else stay."""

from pathlib import Path
from typing import Any

import yaml

from cli.diagnosis.facts import Object
from pages import yaml_nodes

_PERMISSIONS = 0o777


def set_revision(file: Path, site: Object, revision: str | None) -> str:
    """Set or remove ``spec.revision``, and describe the change. Raises ValueError where an edit is not safe."""
    text = file.read_text()
    changed = _edited(text, site, revision)
    if changed is None:
        return f"{file}: spec.revision was not set"
    current = _document(changed, site).value["spec"].get("revision")
    if current != revision:
        raise ValueError("its text is not laid out as expected")
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_text(changed)
    temporary.chmod(file.stat().st_mode & _PERMISSIONS)
    temporary.replace(file)
    return f"{file}: spec.revision is now {revision or 'not set'}"


def _edited(text: str, site: Object, revision: str | None) -> str | None:
    """The new text; None where there is nothing to remove."""
    spec = _spec_of(text, site)
    lines = text.splitlines(keepends=True)
    entry = next(((key, value) for key, value in spec.value if key.value == "revision"), None)
    if entry:
        start, end = entry[0].start_mark, entry[1].end_mark
        if end.line != start.line:
            raise ValueError("its revision takes more than one line")
        lines[start.line : start.line + 1] = [_line(start.column, revision)] if revision else []
    elif revision:
        first = spec.value[0][0].start_mark
        lines.insert(first.line, _line(first.column, revision))
    else:
        return None
    return "".join(lines)


def _line(column: int, revision: str) -> str:
    return f'{" " * column}revision: "{revision}"\n'


def _document(text: str, site: Object) -> Any:  # noqa: ANN401 - unchecked YAML
    identity = site["metadata"]["namespace"], site["metadata"]["name"]
    for document in yaml_nodes.documents(text):
        value = document.value
        if not isinstance(value, dict) or value.get("kind") != "StaticSite":
            continue
        metadata = value.get("metadata") or {}
        if (metadata.get("namespace", "default"), metadata.get("name")) == identity:
            return document
    raise ValueError("it does not have the site as a document of its own")


def _spec_of(text: str, site: Object) -> yaml.MappingNode:
    node = _document(text, site).node
    spec = next((value for key, value in node.value if key.value == "spec"), None)
    if not isinstance(spec, yaml.MappingNode) or spec.flow_style or node.flow_style or not spec.value:
        raise ValueError("its spec is not written as a block of lines")
    return spec
