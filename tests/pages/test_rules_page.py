"""The page about redirects and headers matches the code."""

import re
from pathlib import Path

import pytest
import yaml

from pages import validation
from pages.api import StaticSite, rules
from syncer.content.rules import bounds, findings, grammar, headers, lines
from syncer.publishing import visitors
from tests.support import crds

PAGE = (Path(__file__).parents[2] / "docs/reference/redirects-and-headers.md").read_text()
LIMITS = dict(re.findall(r"^\| ([^|]+) \| ([^|]*[0-9][^|]*) \|$", PAGE.partition("## Limits")[2], re.MULTILINE))


def numbers(text: str) -> list[int]:
    return [int(each.replace(",", "")) for each in re.findall(r"[0-9][0-9,]*", text)]


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ("aliases", [validation.MAX_ALIASES]),
        ("redirects", [bounds.MAX_REDIRECTS, bounds.MAX_PATTERNS]),
        ("paths with headers", [bounds.MAX_PATHS, rules.MAX_HEADER_NAMES]),
        ("of these, in the StaticSite", [rules.MAX_REDIRECTS, rules.MAX_HEADERS]),
        ("a path of a rule", [rules.MAX_FROM_LENGTH, grammar.MAX_SEGMENTS]),
        ("a target", [rules.MAX_TO_LENGTH]),
        ("a header", [rules.MAX_HEADER_NAME_LENGTH, rules.MAX_HEADER_VALUE_LENGTH]),
        ("headers of one response", [bounds.MAX_ANSWER_HEADERS, bounds.MAX_ANSWER_BYTES >> 10]),
        ("a file", [lines.MAX_BYTES >> 20, lines.MAX_LINES, lines.MAX_LINE_LENGTH]),
        ("all rules, compiled", [bounds.MAX_COMPILED_BYTES >> 20]),
        ("reported problems", [findings.MAX_PROBLEMS]),
    ],
)
def test_the_page_has_the_limits_of_the_code(row: str, values: list[int]) -> None:
    assert numbers(LIMITS[row]) == values


def test_the_page_has_the_password_limits_of_the_code() -> None:
    section = PAGE.partition("## `spec.basicAuth`")[2]
    for text in (
        f"cost of at most {visitors.MAX_BCRYPT_COST}",
        f"{visitors.MAX_USERS} users",
        f"{visitors.MAX_BYTES >> 10} KiB",
    ):
        assert text in section


def test_the_page_names_every_rejected_header() -> None:
    section = PAGE.partition("Not a site's to set")[2].partition("`Strict-Transport-Security`")[0]
    named = {each.lower() for each in re.findall(r"`([A-Za-z0-9-]+)`", section)}
    assert named == set(headers.REFUSED) | set(headers.REFUSED_PREFIXES)


def test_the_example_of_the_page_is_accepted() -> None:
    example = yaml.safe_load(PAGE.partition("```yaml\n")[2].partition("```")[0])
    StaticSite.model_validate(example)
    assert crds.mistakes("StaticSite", example) == []
