"""One field of a manifest, changed in the text as it stands: comments, order and quotes of all else stay."""

from pathlib import Path
from typing import Any

import yaml

from cli.diagnosis.facts import Object
from pages import yaml_nodes


def set_revision(file: Path, site: Object, revision: str | None) -> str:
    """Set ``spec.revision``, or take it away; says what was done. Raises ValueError where it cannot be done safely."""
    text = file.read_text()
    spec = _spec_of(text, site)
    lines = text.splitlines(keepends=True)
    entry = next(((key, value) for key, value in spec.value if key.value == "revision"), None)
    if entry:
        number = entry[0].start_mark.line
        if entry[1].end_mark.line != number:
            raise ValueError("its revision is more than a line")
        lines[number : number + 1] = [_line(entry[0].start_mark.column, revision)] if revision else []
    elif revision:
        first = spec.value[0][0].start_mark
        lines.insert(first.line, _line(first.column, revision))
    else:
        return f"{file}: spec.revision was not set"
    changed = "".join(lines)
    if _revision_in(changed, site) != revision:
        raise ValueError("its text is not laid out as expected")
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_text(changed)
    temporary.chmod(file.stat().st_mode & 0o777)
    temporary.replace(file)
    return f"{file}: spec.revision is now {revision or 'not set'}"


def _line(column: int, revision: str) -> str:
    return f'{" " * column}revision: "{revision}"\n'


def _document(text: str, site: Object) -> Any:  # noqa: ANN401 - whatever was written
    for document in yaml_nodes.documents(text):
        value = document.value
        if not isinstance(value, dict) or value.get("kind") != "StaticSite":
            continue
        metadata = value.get("metadata") or {}
        if (metadata.get("namespace", "default"), metadata.get("name")) == _name(site):
            return document
    raise ValueError("the site is not in it as a document of its own")


def _spec_of(text: str, site: Object) -> yaml.MappingNode:
    node = _document(text, site).node
    spec = next((value for key, value in node.value if key.value == "spec"), None)
    if not isinstance(spec, yaml.MappingNode) or spec.flow_style or node.flow_style or not spec.value:
        raise ValueError("its spec is not written as a block of lines")
    return spec


def _revision_in(text: str, site: Object) -> str | None:
    found: str | None = _document(text, site).value["spec"].get("revision")
    return found


def _name(site: Object) -> tuple[str, str]:
    return site["metadata"]["namespace"], site["metadata"]["name"]
