"""Generated files are up to date; run `make manifests` to update them."""

from pathlib import Path

import pytest
import yaml

from tests.support.chart import CHART, INSTALL, RELEASE, helm
from tests.support.control_plane import ROOT, SYSTEM


@pytest.mark.parametrize(
    ("source", "copy"),
    [
        ("deploy/nginx", "files/nginx"),
        ("deploy/monitoring", "files/monitoring"),
        ("metacontroller", "files/metacontroller"),
        ("crds", "crds"),
    ],
)
def test_the_copies_in_the_chart_equal_their_sources(source: str, copy: str) -> None:
    def texts(folder: Path) -> dict[str, str]:
        return {file.name: file.read_text() for file in folder.iterdir() if file.suffix != ".py"}

    there = texts(CHART / copy)
    if copy == "crds":
        del there["metacontroller.yaml"]
    assert there == texts(ROOT / source), "run `make manifests`"


def test_install_yaml_equals_the_rendered_chart() -> None:
    values = ROOT / "deploy/install-values.yaml"
    done = helm("template", RELEASE, str(CHART), "--namespace", SYSTEM, "--values", str(values))
    assert done.returncode == 0, done.stderr
    _, _, written = INSTALL.read_text().partition("\n")
    assert written == done.stdout, "run `make manifests`"


def test_install_yaml_has_no_secrets_and_no_crds() -> None:
    kinds = {each["kind"] for each in yaml.safe_load_all(INSTALL.read_text()) if each}
    assert not kinds & {"Secret", "CustomResourceDefinition", "Platform"}
    assert {"Namespace", "Deployment", "CompositeController", "NetworkPolicy", "ValidatingAdmissionPolicy"} <= kinds
