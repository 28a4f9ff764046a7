"""Reads and writes manifests. A mistake in a file becomes a Problem with file and line, and affects no other object."""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from pages import api, mistakes
from pages.api import ALLOW_LOCAL, Model, Object, Platform, StaticSite, VirtualHost
from pages.core import Namespace, Secret
from pages.yaml_nodes import Document, Malformed, documents

_MAX_FILE_BYTES = 4 << 20
_SUFFIXES = {".yaml", ".yml", ".json"}
# Fields that the API server adds to metadata. We accept and drop them, so that the output of `kubectl get -o yaml` is a
# valid manifest.
_SERVER_METADATA = {
    "deletionGracePeriodSeconds",
    "finalizers",
    "generateName",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
}

ManifestObject = StaticSite | Platform | VirtualHost | Secret | Namespace
_KINDS: dict[tuple[str, str], type[ManifestObject]] = {
    (api.API_VERSION, "StaticSite"): StaticSite,
    (api.API_VERSION, "Platform"): Platform,
    (api.API_VERSION, "VirtualHost"): VirtualHost,
    ("v1", "Secret"): Secret,
    ("v1", "Namespace"): Namespace,
}


@dataclass(frozen=True)
class Problem:
    """A mistake in a file: ``sites/blog.yaml:12: StaticSite pages/blog: spec.repo must be …``."""

    path: Path
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return f"{place}: {self.message}"


@dataclass(frozen=True)
class Manifest:
    """An object from a file, parsed and as it was written (``raw``, without its status), and its place in the file."""

    object: ManifestObject
    raw: Object = field(repr=False)
    path: Path
    line: int

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace and name."""
        metadata = self.object.metadata
        return self.object.kind, "" if self.object.kind == "Namespace" else metadata.namespace, metadata.name


@dataclass
class Contents:
    """The contents of some files. Not ``complete`` if a file or folder could not be read."""

    manifests: list[Manifest] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True


def read(paths: Iterable[Path], *, allow_local: bool = False) -> Contents:
    """Read all objects from the files, and from the ``*.yaml``, ``*.yml`` and ``*.json`` files in the folders.

    Hidden files are skipped. If two objects have the same name, the first in the order of the file names is used, and
    the other becomes a Problem.
    """
    contents = Contents()
    for path in paths:
        for file in _files(path, contents):
            text = _read_text(file, contents)
            if text is not None:
                manifests, problems = parse(text, file, allow_local=allow_local)
                contents.manifests += manifests
                contents.problems += problems
    contents.manifests, duplicates = _first_of_each(contents.manifests)
    contents.problems += duplicates
    return contents


def parse(text: str, path: Path, *, allow_local: bool = False) -> tuple[list[Manifest], list[Problem]]:
    """The objects in the text of a file, and its mistakes. Objects of other kinds are skipped."""
    manifests: list[Manifest] = []
    problems: list[Problem] = []
    try:
        for document in documents(text):
            for location, raw in _objects(document):
                result = _understand(raw, location, document, path, allow_local=allow_local)
                if isinstance(result, Manifest):
                    manifests.append(result)
                else:
                    problems += result
    except Malformed as error:
        problems.append(Problem(path, error.line, str(error)))
    return manifests, problems


def dump(objects: Iterable[Mapping[str, Any]]) -> str:
    """The objects as YAML documents, keys in the order in which people write them."""
    return yaml.safe_dump_all((dict(each) for each in objects), sort_keys=False, allow_unicode=True, width=120)


def _files(path: Path, contents: Contents) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        contents.complete = False
        contents.problems.append(Problem(Path(error.filename), None, f"cannot be read: {error.strerror}"))

    if not path.is_dir():
        yield path
        return
    for folder, names, files in os.walk(path, onerror=unreadable):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield from (Path(folder, file) for file in sorted(files) if _is_manifest(file))


def _is_manifest(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix in _SUFFIXES


def _read_text(path: Path, contents: Contents) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
        if len(data) <= _MAX_FILE_BYTES:
            return data.decode()
        problem = f"is larger than {_MAX_FILE_BYTES >> 20} MiB, the limit for a manifest"
    except OSError as error:
        contents.complete = False
        problem = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    contents.problems.append(Problem(path, None, problem))
    return None


def _objects(document: Document) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The document itself, or the items of a List."""
    value = document.value
    if isinstance(value, dict) and str(value.get("kind")).endswith("List") and isinstance(value.get("items"), list):
        for index, item in enumerate(value["items"]):
            yield ("items", index), item
    elif value is not None:
        yield (), value


def _understand(
    raw: Any,  # noqa: ANN401 - unchecked input
    location: tuple[str | int, ...],
    document: Document,
    path: Path,
    *,
    allow_local: bool,
) -> Manifest | list[Problem]:
    line = document.line_of(location)
    if not isinstance(raw, dict):
        return [Problem(path, line, "is not a Kubernetes object; it needs apiVersion, kind and metadata")]
    try:
        model = _model(raw)
    except ValueError as error:
        return [Problem(path, line, str(error))]
    if model is None:
        return []
    raw = _without_server_fields(raw, path, allow_local=allow_local)
    try:
        understood = model.model_validate(raw, extra="forbid", context={ALLOW_LOCAL: allow_local})
    except ValidationError as error:
        return [
            Problem(
                path,
                document.line_of((*location, *where)),
                f"{_label(raw)}: {sentence}{_hint(raw, model, where, sentence)}",
            )
            for where, sentence in mistakes.explain(error)
        ]
    return Manifest(understood, raw, path, line)


def _model(raw: Object) -> type[ManifestObject] | None:
    """The model of the object's kind, or None for a foreign kind. Raises ValueError if the kind is misspelt."""
    version, kind = raw.get("apiVersion"), raw.get("kind")
    for name, value in (("apiVersion", version), ("kind", kind)):
        if not isinstance(value, str):
            wrong = "missing" if value is None else "not text"
            raise ValueError(f"{name} is {wrong}; every Kubernetes object needs it")  # noqa: TRY004
    if model := _KINDS.get((str(version), str(kind))):
        return model
    in_our_group = str(version).partition("/")[0] == api.GROUP
    if not in_our_group and kind not in {"StaticSite", "Platform"}:
        return None
    if version != api.API_VERSION:
        raise ValueError(f"{kind}: apiVersion must be {api.API_VERSION}, not {version}")
    ours = [each for group, each in _KINDS if group == api.API_VERSION]
    raise ValueError(f"unknown kind {kind!r}{_did_you_mean(str(kind), ours)}")


def _without_server_fields(raw: Object, path: Path, *, allow_local: bool) -> Object:
    """The object without the fields that the API server adds, and with the full path of a local repository."""
    raw = {key: value for key, value in raw.items() if key != "status"}
    if isinstance(raw.get("metadata"), dict):
        raw["metadata"] = {key: value for key, value in raw["metadata"].items() if key not in _SERVER_METADATA}
    spec = raw.get("spec")
    if allow_local and isinstance(spec, dict) and str(spec.get("repo")).startswith(("./", "../")):
        raw["spec"] = spec | {"repo": str((path.parent / spec["repo"]).resolve())}
    return raw


def _label(raw: Object) -> str:
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return f"{raw['kind']} {metadata.get('namespace') or 'default'}/{metadata.get('name') or '(no name)'}"


def _hint(raw: Object, model: type[ManifestObject], where: tuple[str | int, ...], sentence: str) -> str:
    """The next step for the author, or an empty string."""
    value = _value_at(raw, where)
    if sentence.endswith("is not a known field"):
        return _did_you_mean(str(where[-1]), _fields(model))
    if "must be text" in sentence and isinstance(value, bool | int | float):
        return "; put it in quotes"
    if where[-1:] == ("repo",) and isinstance(value, str) and value.startswith(("/", ".", "file:")):
        return "; to use a folder of this machine, pass --allow-local"
    return ""


def _value_at(raw: Object, where: tuple[str | int, ...]) -> object:
    value: Any = raw
    for part in where:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _fields(model: type[ManifestObject]) -> set[str]:
    """The JSON names of all fields of a model and of the models in it."""
    names: set[str] = set()
    for info in model.model_fields.values():
        names.add(info.alias or "")
        for inner in (info.annotation, *get_args(info.annotation)):
            if isinstance(inner, type) and issubclass(inner, Model):
                names |= _fields(inner)  # type: ignore[arg-type]  # any model has fields
    return names


def _did_you_mean(word: str, choices: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(choices), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _first_of_each(manifests: Sequence[Manifest]) -> tuple[list[Manifest], list[Problem]]:
    first: dict[tuple[str, str, str], Manifest] = {}
    problems = []
    for each in manifests:
        winner = first.setdefault(each.key, each)
        if winner is not each:
            there = f"{winner.path}:{winner.line}"
            problems.append(
                Problem(
                    each.path,
                    each.line,
                    f"{_label(each.raw)} is already defined in {there}, which is used; rename or remove one of them",
                )
            )
    return list(first.values()), problems
