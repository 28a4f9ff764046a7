"""YAML files <-> objects. What is wrong in a file is a Problem with file and line, and never harms another object."""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from pages import api, mistakes
from pages.api import ALLOW_LOCAL, Model, Platform, StaticSite, VirtualHost
from pages.core import Namespace, Secret
from pages.yaml_nodes import Document, Malformed, documents

_MAX_FILE_BYTES = 4 << 20
_SUFFIXES = {".yaml", ".yml", ".json"}
# What the API server adds to metadata: accepted, so that `kubectl get -o yaml` can be used as a manifest, and dropped.
_SERVER_METADATA = {
    "deletionGracePeriodSeconds",
    "finalizers",
    "generateName",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
}

RawObject = dict[str, Any]


Object = StaticSite | Platform | VirtualHost | Secret | Namespace
_KINDS: dict[tuple[str, str], type[Object]] = {
    (api.API_VERSION, "StaticSite"): StaticSite,
    (api.API_VERSION, "Platform"): Platform,
    (api.API_VERSION, "VirtualHost"): VirtualHost,
    ("v1", "Secret"): Secret,
    ("v1", "Namespace"): Namespace,
}


@dataclass(frozen=True)
class Problem:
    """Something wrong in a file; it reads ``sites/blog.yaml:12: StaticSite pages/blog: spec.repo must be …``."""

    path: Path
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return f"{place}: {self.message}"


@dataclass(frozen=True)
class Manifest:
    """An object as it was written (``raw``, without its status) and understood, and where."""

    object: Object
    raw: RawObject = field(repr=False)
    path: Path
    line: int

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace and name."""
        metadata = self.object.metadata
        return self.object.kind, "" if self.object.kind == "Namespace" else metadata.namespace, metadata.name


@dataclass
class Contents:
    """What some files hold. Not ``complete`` where a file or folder could not be read at all."""

    manifests: list[Manifest] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True


def read(paths: Iterable[Path], *, allow_local: bool = False) -> Contents:
    """All objects of files and, below folders, of ``*.yaml``, ``*.yml`` and ``*.json`` that are not hidden.

    Of two objects with one name the first counts, in the order of the files' names; the other is a Problem.
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
    """The objects in the text of a file, and what is wrong with it. Objects of other kinds are passed over."""
    manifests: list[Manifest] = []
    problems: list[Problem] = []
    try:
        for document in documents(text):
            for location, raw in _objects(document):
                found = _understand(raw, location, document, path, allow_local=allow_local)
                if isinstance(found, Manifest):
                    manifests.append(found)
                else:
                    problems += found
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
        problem = f"is larger than {_MAX_FILE_BYTES >> 20} MiB, which no manifest should be"
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
    raw: Any,  # noqa: ANN401 - whatever was written
    location: tuple[str | int, ...],
    document: Document,
    path: Path,
    *,
    allow_local: bool,
) -> Manifest | list[Problem]:
    line = document.line_of(location)
    if not isinstance(raw, dict):
        return [Problem(path, line, "is not a Kubernetes object: it has no apiVersion, kind and metadata")]
    try:
        model = _model(raw)
    except ValueError as error:
        return [Problem(path, line, str(error))]
    if model is None:
        return []
    raw = _as_written(raw, path, allow_local=allow_local)
    try:
        understood = model.model_validate(raw, extra="forbid", context={ALLOW_LOCAL: allow_local})
    except ValidationError as error:
        return [
            Problem(
                path,
                document.line_of((*location, *where)),
                f"{_called(raw)}: {sentence}{_hint(raw, model, where, sentence)}",
            )
            for where, sentence in mistakes.explain(error)
        ]
    return Manifest(understood, raw, path, line)


def _model(raw: RawObject) -> type[Object] | None:
    """The model of an object's kind, or None for kinds that are not ours. Raises ValueError for a mistaken one."""
    version, kind = raw.get("apiVersion"), raw.get("kind")
    for name, value in (("apiVersion", version), ("kind", kind)):
        if not isinstance(value, str):
            raise ValueError(f"{name} is {'missing' if value is None else 'not text'}: is this a Kubernetes object?")  # noqa: TRY004
    if model := _KINDS.get((str(version), str(kind))):
        return model
    if str(version).partition("/")[0] != api.GROUP:
        if kind in {"StaticSite", "Platform"}:
            raise ValueError(f"{kind}: apiVersion must be {api.API_VERSION}, not {version}")
        return None
    if version != api.API_VERSION:
        raise ValueError(f"{kind}: apiVersion must be {api.API_VERSION}, not {version}")
    ours = [each for group, each in _KINDS if group == api.API_VERSION]
    raise ValueError(f"kind {kind!r} is not known{_did_you_mean(str(kind), ours)}")


def _as_written(raw: RawObject, path: Path, *, allow_local: bool) -> RawObject:
    """Without what the API server adds; a repository that is a folder beside the manifest by its full path."""
    raw = {key: value for key, value in raw.items() if key != "status"}
    if isinstance(raw.get("metadata"), dict):
        raw["metadata"] = {key: value for key, value in raw["metadata"].items() if key not in _SERVER_METADATA}
    spec = raw.get("spec")
    repo = spec.get("repo") if isinstance(spec, dict) else None
    if allow_local and isinstance(spec, dict) and isinstance(repo, str) and repo.startswith(("./", "../")):
        raw["spec"] = spec | {"repo": str((path.parent / repo).resolve())}
    return raw


def _called(raw: RawObject) -> str:
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return f"{raw['kind']} {metadata.get('namespace') or 'default'}/{metadata.get('name') or '(no name)'}"


def _hint(raw: RawObject, model: type[Object], where: tuple[str | int, ...], sentence: str) -> str:
    """What the next step may be."""
    value: Any = raw
    for part in where:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    if sentence.endswith("is not a known field"):
        return _did_you_mean(str(where[-1]), _fields(model))
    if "must be text" in sentence and isinstance(value, bool | int | float):
        return ": put it in quotes"
    if where[-1:] == ("repo",) and isinstance(value, str) and value.startswith(("/", ".", "file:")):
        return " (a folder of this machine needs --allow-local)"
    return ""


def _fields(model: type[Object]) -> set[str]:
    """The JSON names of all fields of a model and of the models in it."""
    names: set[str] = set()
    for info in model.model_fields.values():
        names.add(info.alias or "")
        for inner in (info.annotation, *get_args(info.annotation)):
            if isinstance(inner, type) and issubclass(inner, Model):
                names |= _fields(inner)  # type: ignore[arg-type]  # any model has fields
    return names


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f": did you mean {close[0]}?" if close else ""


def _first_of_each(manifests: Sequence[Manifest]) -> tuple[list[Manifest], list[Problem]]:
    first: dict[tuple[str, str, str], Manifest] = {}
    problems = []
    for each in manifests:
        winner = first.setdefault(each.key, each)
        if winner is not each:
            there = f"{winner.path}:{winner.line}"
            problems.append(
                Problem(
                    each.path, each.line, f"{_called(each.raw)} is also in {there}, which counts: rename one of them"
                )
            )
    return list(first.values()), problems
