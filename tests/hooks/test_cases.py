"""Every folder of tests/cases/hooks is an example: a request of Metacontroller, and our answer."""

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
    """A YAML loader that leaves times as text, as the API does."""

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
def test_the_answer_equals_that_of_the_example(case: Path) -> None:
    answer = STAGES[case.parent.name](load(case / "request.yaml"), now=NOW)
    assert answer == load(case / "answer.yaml")


@each_case
def test_the_answer_is_what_the_api_server_stores(case: Path) -> None:
    """If it were not, Metacontroller would write each object again at each request."""
    request, answer = load(case / "request.yaml"), load(case / "answer.yaml")
    parent = {key: request["parent"][key] for key in ("apiVersion", "kind")}
    objects = [*answer["children"], {**parent, "status": answer["status"]}]
    named = [each for each in objects if crds.has_schema(each)]
    assert [crds.stored(each) for each in named] == named
    if len(named) < len(objects):
        pytest.skip("the CRDs of Traefik and cert-manager are missing; run `make tools` once")


def test_both_stages_have_examples() -> None:
    assert {path.parent.parent.name for path in CASES.glob("*/*/answer.yaml")} == STAGES.keys()
