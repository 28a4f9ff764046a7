"""Redirects and headers as models: those of a StaticSite, and what a status reports about them.

The models check the shape of a rule only. The compiler in ``syncer/content/rules`` has the grammar, one for StaticSites
and files: it ignores a rule that it cannot follow, and reports it in ``status.rules``.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, WrapValidator
from pydantic.functional_validators import ModelWrapValidatorHandler

from pages.api.objects import Model

MAX_REDIRECTS = 50
MAX_HEADERS = 20
MAX_FROM_LENGTH = 1024
MAX_TO_LENGTH = 4096
MAX_HEADER_NAMES = 50
MAX_HEADER_NAME_LENGTH = 64
MAX_HEADER_VALUE_LENGTH = 8 << 10
MAX_PROBLEMS = 40
MAX_PROBLEM_LENGTH = 512

_FROM = re.compile(r"(/|(?i:https?)://)[^\x00-\x1f\x7f]*")
_TO = re.compile(r"/|/[^/\\\x00-\x1f\x7f][^\x00-\x1f\x7f]*|(?i:https?)://[^\x00-\x1f\x7f]+")
_NAME = re.compile(r"(! ?)?[A-Za-z0-9-]{1,64}")
_VALUE = re.compile(r"([!-~]([ -~]*[!-~])?)?")


def _from(value: str) -> str:
    if not _FROM.fullmatch(value):
        raise ValueError("must be one line that begins with '/', such as /old, /blog/:year/:title or /news/*")
    return value


def _to(value: str) -> str:
    if not _TO.fullmatch(value):
        raise ValueError("must be a path such as /new or a URL such as https://www.example.com/new")
    return value


def _header_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("must be the name of a header; use at most 64 letters, digits and '-'")
    return value


def _header_value(value: str) -> str:
    if not _VALUE.fullmatch(value):
        raise ValueError("must be printable ASCII on one line, without leading or trailing spaces")
    return value


RuleFrom = Annotated[str, Field(max_length=MAX_FROM_LENGTH), AfterValidator(_from)]
RuleTo = Annotated[str, Field(max_length=MAX_TO_LENGTH), AfterValidator(_to)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[str, Field(max_length=MAX_HEADER_VALUE_LENGTH), AfterValidator(_header_value)]


class Redirect(Model):
    """Answers requests for ``from`` with ``to``: a redirect, or a page of the site for 200, 404 and 410."""

    from_: RuleFrom = Field(alias="from")
    to: RuleTo
    status: Literal[200, 301, 302, 303, 307, 308, 404, 410] = 301


class HeaderRule(Model):
    """Sets headers of the responses for ``for``. A name such as ``! X-Frame-Options`` removes a header."""

    for_: RuleFrom = Field(alias="for")
    values: dict[HeaderName, HeaderValue] = Field(min_length=1, max_length=MAX_HEADER_NAMES)


class Problem(Model):
    """A rule that is ignored, or that works differently here."""

    file: str = Field(max_length=32)
    line: int
    message: str = Field(max_length=MAX_PROBLEM_LENGTH)

    @property
    def place(self) -> str:
        """``_redirects:7``, or ``spec.redirects[0]`` for an entry of the StaticSite."""
        return f"{self.file}[{self.line}]" if self.file.startswith("spec.") else f"{self.file}:{self.line}"


class SiteRules(Model):
    """The rules of the live release: how many are live, without effect or rejected, and the first problems."""

    live: int = 0
    no_effect: int = 0
    rejected: int = 0
    problems: list[Problem] = Field(default_factory=list, max_length=MAX_PROBLEMS)


def _or_none(value: Any, handler: ModelWrapValidatorHandler[SiteRules]) -> SiteRules | None:  # noqa: ANN401 - JSON
    """None for an invalid value: the site stays readable, and the syncer writes the rules of its status again."""
    try:
        return handler(value)
    except ValidationError:
        return None


KnownRules = Annotated[SiteRules | None, WrapValidator(_or_none)]
