"""Every folder of tests/cases/hooks is an example: what Metacontroller sends, and what we answer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from hooks import platform, virtualhost
from tests.support import crds

CASES = Path(__file__).parents[1] / "cases" / "hooks"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
STAGES = {"platform": platform.sync, "virtualhost": virtualhost.sync}


class Loader(yaml.SafeLoader):
    """YAML without times: they are text in the API."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the base class has it
        first: [each for each in resolvers if not each[0].endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader=Loader)  # noqa: S506 - a safe loader


each_case = pytest.mark.parametrize(
    "case",
    sorted(path.parent for path in CASES.glob("*/*/request.yaml")),
    ids=lambda path: f"{path.parent.name}-{path.name}",
)


@each_case
def test_the_answer_is_as_the_example_says(case: Path) -> None:
    answer = STAGES[case.parent.name](load(case / "request.yaml"), now=NOW)
    assert answer == load(case / "answer.yaml")


@each_case
def test_the_answer_is_what_the_api_server_stores(case: Path) -> None:
    """Where it is not, Metacontroller writes each object again at each look."""
    request, answer = load(case / "request.yaml"), load(case / "answer.yaml")
    parent = {key: request["parent"][key] for key in ("apiVersion", "kind")}
    objects = [*answer["children"], {**parent, "status": answer["status"]}]
    named = [each for each in objects if crds.is_here(each)]
    assert [crds.stored(each) for each in named] == named
    if len(named) < len(objects):
        pytest.skip("the kinds of Traefik and cert-manager are not here: run `make tools` once")


def test_there_are_examples_of_both_stages() -> None:
    assert {path.parent.parent.name for path in CASES.glob("*/*/answer.yaml")} == STAGES.keys()
