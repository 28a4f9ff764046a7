"""Generates the parts of the reference that come from the code. In its page a part stands between two comments.

The first comment names the part: ``<!-- generated: fields staticsite.spec -->``, up to ``<!-- end of generated -->``.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from docs.generate import command_line, conditions, decisions, fields, metrics

PAGES = Path(__file__).parents[1]
# To add a part, add an entry.
PARTS: dict[str, Callable[..., str]] = {
    "commands": command_line.commands,
    "conditions": conditions.table,
    "decisions": decisions.table,
    "fields": fields.table,
    "metrics": metrics.table,
}
_PART = re.compile(r"(<!-- generated: (\S+)((?: \S+)*) -->\n).*?(<!-- end of generated -->)", re.DOTALL)


def fresh(text: str) -> str:
    """A page with its parts generated again."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]](*part[3].split()).strip()}\n\n{part[4]}", text)


def pages() -> Iterator[tuple[Path, str, str]]:
    """Each page that has generated parts, as it is and as it should be."""
    for path in sorted(PAGES.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if _PART.search(text):
            yield path, text, fresh(text)
