"""JSON schemas for kubeconform, from files on this machine: what the API server publishes, and CRDs.

Unknown fields are mistakes, as in ``kubeconform -strict``, except where a CRD allows them.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.support.chart import CHART
from tests.support.control_plane import ROOT, TOOLS

SWAGGER = TOOLS / "swagger.json"
_OPEN = "x-kubernetes-preserve-unknown-fields"
# Written as a string, a number or both; the published types say only "string".
_SCALARS = ("io.k8s.apimachinery.pkg.api.resource.Quantity", "io.k8s.apimachinery.pkg.util.intstr.IntOrString")


def write(folder: Path) -> str:
    """Write all of them; what to give to ``kubeconform -schema-location``."""
    definitions = json.loads(SWAGGER.read_text())["definitions"]
    strict = {name: _closed(each) for name, each in definitions.items()}
    for name in _SCALARS:
        strict[name] = {"type": ["string", "number"]}
    (folder / "_definitions.json").write_text(json.dumps({"definitions": strict}))
    for name, each in definitions.items():
        for kind in each.get("x-kubernetes-group-version-kind", []):
            reference = {"$ref": f"_definitions.json#/definitions/{name}"}
            _file(folder, kind["group"], kind["version"], kind["kind"]).write_text(json.dumps(reference))
    for crds in (TOOLS / "crds", ROOT / "tests/deploy/crds", CHART / "crds"):
        for file in crds.glob("*.yaml"):
            _write_crds(folder, file)
    return f"{folder}/{{{{ .ResourceKind }}}}_{{{{ .Group }}}}_{{{{ .ResourceAPIVersion }}}}.json"


def _write_crds(folder: Path, file: Path) -> None:
    for crd in filter(None, yaml.safe_load_all(file.read_text())):
        if crd["kind"] != "CustomResourceDefinition":
            continue
        spec = crd["spec"]
        for version in spec["versions"]:
            schema = _closed(version["schema"]["openAPIV3Schema"])
            if "properties" in schema:
                schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
            _file(folder, spec["group"], version["name"], spec["names"]["kind"]).write_text(json.dumps(schema))


def _file(folder: Path, group: str, version: str, kind: str) -> Path:
    """The file name that kubeconform expects: for a core kind it uses the version as the group."""
    return folder / f"{kind.lower()}_{group or version}_{version}.json"


def _closed(schema: Any) -> Any:
    """The schema, closed for every object that lists its fields."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    closed: dict[str, Any] = {
        key: {name: _closed(each) for name, each in value.items()} if key == "properties" else _closed(value)
        for key, value in schema.items()
        if key not in ("default", "format")
    }
    if "$ref" in closed:
        closed["$ref"] = closed["$ref"].replace("#/definitions/", "_definitions.json#/definitions/")
    if isinstance(closed.get("properties"), dict) and not closed.get(_OPEN):
        closed.setdefault("additionalProperties", False)
    return closed
