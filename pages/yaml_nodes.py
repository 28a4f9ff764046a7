"""Parses YAML and keeps the line of every value. Untrusted files can neither run code nor exhaust memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

_MAX_DEPTH = 50
_MAX_VALUES = 200_000
_TAG = "tag:yaml.org,2002:"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Malformed(ValueError):
    """A file that we cannot parse, with the line (from 1) of the mistake."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Document:
    """One YAML document: its value, and its nodes, which have the line numbers."""

    value: Any
    node: yaml.Node

    def line_of(self, location: Sequence[str | int]) -> int:
        """The line of the value at the location. If there is no such value, the line of its nearest existing parent."""
        node, line = self.node, _line(self.node)
        for part in location:
            child = _child(node, part)
            if child is None:
                return line
            line, node = child
        return line


def documents(text: str) -> Iterator[Document]:
    """Yield the documents of a file. Raises Malformed at the first document that is not valid YAML."""
    try:
        for node in yaml.compose_all(text, Loader=_LOADER):
            if node is not None:
                yield Document(_Builder().build(node, 0), node)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error) from None
    except yaml.reader.ReaderError as error:
        raise Malformed(f"is not YAML: {error.reason}", text[: error.position].count("\n") + 1) from None
    except RecursionError:
        raise Malformed(f"is nested more than {_MAX_DEPTH} levels deep", 1) from None


def _syntax_error(error: yaml.MarkedYAMLError) -> Malformed:
    mark = error.problem_mark or error.context_mark
    what = " ".join(filter(None, (error.context, error.problem)))
    where = f" (column {mark.column + 1})" if mark else ""
    return Malformed(f"is not YAML: {what}{where}", mark.line + 1 if mark else 1)


class _Builder:
    """Builds plain values from nodes. It counts them, because aliases can make a small file very large."""

    def __init__(self) -> None:
        self._values = 0
        self._scalars = SafeConstructor()

    def build(self, node: yaml.Node, depth: int) -> Any:  # noqa: ANN401 - unchecked input
        self._values += 1
        if self._values > _MAX_VALUES:
            raise Malformed(f"has more than {_MAX_VALUES} values; split the file", _line(node))
        if depth > _MAX_DEPTH:
            raise Malformed(f"is nested more than {_MAX_DEPTH} levels deep", _line(node))
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.build(each, depth + 1) for each in node.value]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Malformed("has a key that is not text; put it in quotes", _line(key))
            if key.tag == f"{_TAG}merge":
                raise Malformed("merge keys (<<) are not supported; write the fields out", _line(key))
            if key.value in mapping:
                raise Malformed(f"has the key {key.value!r} twice; remove one of them", _line(key))
            mapping[key.value] = self.build(value, depth + 1)
        return mapping

    def _scalar(self, node: yaml.Node) -> Any:  # noqa: ANN401 - unchecked input
        kind = node.tag.removeprefix(_TAG)
        if kind in {"null", "bool", "int", "float"}:
            try:
                return getattr(self._scalars, f"construct_yaml_{kind}")(node)
            except ValueError as error:
                raise Malformed(f"has a value that is not a valid {kind}: {error}", _line(node)) from None
        if kind in {"str", "timestamp"}:  # in the API, times are text
            return node.value
        raise Malformed(f"has the unsupported tag {node.tag}; remove it", _line(node))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return _line(key), value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return _line(node.value[part]), node.value[part]
    return None
