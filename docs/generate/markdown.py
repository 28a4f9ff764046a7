"""Markdown that reads well as text, too."""

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`[^`]*`)")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what is in a cell is Markdown already."""
    return "\n".join(_line(each) for each in (head, ["---"] * len(head), *rows))


def plain(text: str) -> str:
    """Text that is no Markdown but for code: a placeholder such as <name> would be HTML, and a star emphasis."""
    parts = _CODE.split(text)
    parts[::2] = [each.replace("<", "&lt;").replace("*", "\\*") for each in parts[::2]]
    return "".join(parts)


def _line(cells: Iterable[str]) -> str:
    return "".join(f"| {cell} " if cell else "| " for cell in map(_cell, cells)) + "|"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
