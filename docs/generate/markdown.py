"""Markdown that is also readable as text."""

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`[^`]*`)")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. The cells are Markdown."""
    return "\n".join(_line(each) for each in (head, ["---"] * len(head), *rows))


def plain(text: str) -> str:
    """Plain text with code. Placeholders such as <name> would be HTML, and stars emphasis, so both are escaped."""
    parts = _CODE.split(text)
    parts[::2] = [each.replace("<", "&lt;").replace("*", "\\*") for each in parts[::2]]
    return "".join(parts)


def _line(cells: Iterable[str]) -> str:
    return "".join(f"| {cell} " if cell else "| " for cell in map(_cell, cells)) + "|"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
