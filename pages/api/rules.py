"""Redirects and headers as models: those of a StaticSite, of its files and of a route."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, WrapValidator, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler

from pages import rule_syntax
from pages.api.objects import Model

MAX_PROBLEMS = 40
MAX_PROBLEM_LENGTH = 512

RedirectFrom = Annotated[str, AfterValidator(rule_syntax.redirect_from)]
RedirectTo = Annotated[str, AfterValidator(rule_syntax.redirect_to)]
HeaderFor = Annotated[str, AfterValidator(rule_syntax.header_for)]
HeaderName = Annotated[str, AfterValidator(rule_syntax.header_name)]
HeaderValue = Annotated[str, AfterValidator(rule_syntax.header_value)]


class Redirect(Model):
    """Redirects requests for ``from`` to ``to``."""

    from_: RedirectFrom = Field(alias="from")
    to: RedirectTo
    status: Literal[301, 302, 303, 307, 308] = 301

    @model_validator(mode="after")
    def _splat_is_defined(self) -> Self:
        if ":splat" in self.to and not rule_syntax.has_splat(self.from_):
            raise ValueError("to contains ':splat', so from must end with '/*'")
        return self


class HeaderRule(Model):
    """Adds headers to the responses for ``for``."""

    for_: HeaderFor = Field(alias="for")
    values: dict[HeaderName, HeaderValue] = Field(min_length=1, max_length=rule_syntax.MAX_HEADER_VALUES)

    @model_validator(mode="after")
    def _headers_are_allowed(self) -> Self:
        for name, value in self.values.items():
            rule_syntax.header(name, value)
        return self


class Problem(Model):
    """A line of ``_redirects`` or ``_headers`` that is not a valid rule, or that works differently here."""

    file: str = Field(max_length=32)
    line: int
    message: str = Field(max_length=MAX_PROBLEM_LENGTH)


class SiteRules(Model):
    """The rules in ``_redirects`` and ``_headers`` of the live release."""

    redirects: list[Redirect] = Field(default_factory=list, max_length=rule_syntax.MAX_FILE_REDIRECTS)
    headers: list[HeaderRule] = Field(default_factory=list, max_length=rule_syntax.MAX_HEADERS)
    problems: list[Problem] = Field(default_factory=list, max_length=MAX_PROBLEMS)


class RouteRules(Model):
    """The redirects and headers of a route, either from the site or from its files."""

    redirects: list[Redirect] = Field(default_factory=list, max_length=rule_syntax.MAX_FILE_REDIRECTS)
    headers: list[HeaderRule] = Field(default_factory=list, max_length=rule_syntax.MAX_HEADERS)


def _or_none(value: Any, handler: ModelWrapValidatorHandler[SiteRules]) -> SiteRules | None:  # noqa: ANN401 - JSON
    """None for an invalid value: the site stays readable, and the syncer writes the rules of its status again."""
    try:
        return handler(value)
    except ValidationError:
        return None


KnownRules = Annotated[SiteRules | None, WrapValidator(_or_none)]
