"""The generated parts of the docs: each is in its page between two comments.

The first comment names the part: ``<!-- generated: fields staticsite.spec -->``, up to ``<!-- end of generated -->``.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from docs.generate import command_line, conditions, decisions, fields, metrics

PAGES = Path(__file__).parents[1]
# To add a part, add an entry here.
PARTS: dict[str, Callable[..., str]] = {
    "commands": command_line.commands,
    "conditions": conditions.table,
    "decisions": decisions.table,
    "fields": fields.table,
    "metrics": metrics.table,
}
_PART = re.compile(r"(<!-- generated: (\S+)((?: \S+)*) -->\n).*?(<!-- end of generated -->)", re.DOTALL)


def fresh(text: str) -> str:
    """Return the page with its generated parts updated."""
    return _PART.sub(lambda match: f"{match[1]}\n{PARTS[match[2]](*match[3].split()).strip()}\n\n{match[4]}", text)


def pages() -> Iterator[tuple[Path, str, str]]:
    """Each page with generated parts: its path, its text, and its text after an update."""
    for path in sorted(PAGES.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if _PART.search(text):
            yield path, text, fresh(text)
