"""The parts of the reference that are made from the code: each stands in its page between two comments.

A page says which part it wants: ``<!-- generated: fields staticsite.spec -->``, up to ``<!-- end of generated -->``.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from docs.generate import command_line, conditions, decisions, fields

PAGES = Path(__file__).parents[1]
# Another part is another entry here.
PARTS: dict[str, Callable[..., str]] = {
    "commands": command_line.commands,
    "conditions": conditions.table,
    "decisions": decisions.table,
    "fields": fields.table,
}
_PART = re.compile(r"(<!-- generated: (\S+)((?: \S+)*) -->\n).*?(<!-- end of generated -->)", re.DOTALL)


def fresh(text: str) -> str:
    """A page with its generated parts made anew."""
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]](*found[3].split()).strip()}\n\n{found[4]}", text)


def pages() -> Iterator[tuple[Path, str, str]]:
    """Each page that has generated parts, as it is and as it should be."""
    for path in sorted(PAGES.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if _PART.search(text):
            yield path, text, fresh(text)
