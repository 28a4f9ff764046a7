"""Every folder of tests/cases/hooks is an example: a request of Metacontroller, and our answer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from hooks import platform, virtualhost

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


@pytest.mark.parametrize(
    "case",
    sorted(path.parent for path in CASES.glob("*/*/request.yaml")),
    ids=lambda path: f"{path.parent.name}-{path.name}",
)
def test_the_answer_equals_that_of_the_example(case: Path) -> None:
    answer = STAGES[case.parent.name](load(case / "request.yaml"), now=NOW)
    assert answer == load(case / "answer.yaml")


def test_both_stages_have_examples() -> None:
    assert {path.parent.parent.name for path in CASES.glob("*/*/answer.yaml")} == STAGES.keys()
