"""``_headers``, in Netlify's syntax: a path at a line's beginning, and below it, indented, ``Name: value``. Pure."""

from pages import rule_syntax
from pages.api import HeaderRule
from syncer.content.lines import BadLine, Lines

FILE = "_headers"


def parse(lines: Lines) -> list[HeaderRule]:
    """The rules of the file; lines that are none are noted. One header that is named twice has both values."""
    found: dict[str, dict[str, str]] = {}
    path: str | None = None
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        with lines.noting(number):
            if line[0] in " \t":
                if path is None:
                    raise BadLine("a header stands below the path that it is for")
                if path:
                    _add(found[path], line.strip())
                continue
            path = ""  # what stands below a bad path is not for the one before
            path = _path(line.strip())
            found.setdefault(path, {})
        if len(found) > rule_syntax.MAX_HEADERS:
            lines.note(number, f"a file has at most {rule_syntax.MAX_HEADERS} paths; from here on they are left out")
            found.popitem()
            break
    return [HeaderRule.model_validate({"for": each, "values": values}) for each, values in found.items() if values]


def _path(text: str) -> str:
    if "://" in text:
        raise BadLine("a rule for another host is not supported")
    if "*" in text[:-1] or ":" in text:
        raise BadLine("placeholders, and '*' elsewhere than at the end, are not supported")
    try:
        return rule_syntax.header_for(text)
    except ValueError as error:
        raise BadLine(f"the path {error}") from None


def _add(values: dict[str, str], text: str) -> None:
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if text.startswith("!"):
        raise BadLine("taking a header away is not supported")
    if not colon:
        raise BadLine("a header is written `Name: value`")
    known = next((each for each in values if each.lower() == name.lower()), None)
    joined = f"{values[known]}, {value}" if known else value
    try:
        rule_syntax.header_name(name)
        rule_syntax.header_value(value)
        rule_syntax.header_value(joined)
        rule_syntax.header(name, joined)
    except ValueError as error:
        raise BadLine(f"{name[:64]!r} {error}" if "not a site's" not in str(error) else str(error)) from None
    if known is None and len(values) == rule_syntax.MAX_HEADER_VALUES:
        raise BadLine(f"a path has at most {rule_syntax.MAX_HEADER_VALUES} headers")
    values[known or name] = joined
