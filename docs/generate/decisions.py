"""The list of decisions, from their pages: the title, and the first sentence of the context."""

import re
from pathlib import Path

from docs.generate import markdown

DECISIONS = Path(__file__).parents[1] / "decisions"
_PAGE = re.compile(r"# \d+\. (?P<title>.+)\n\n\*\*Context\.\*\* (?P<why>.+?[.!?:;])\s", re.DOTALL)


def table() -> str:
    """All decisions, oldest first."""
    return markdown.table(["", "decision", "context"], map(_row, sorted(DECISIONS.glob("[0-9]*.md"))))


def _row(path: Path) -> tuple[str, str, str]:
    match = _PAGE.match(path.read_text(encoding="utf-8"))
    if not match:
        raise ValueError(f"{path}: the beginning must be '# <number>. <title>', then '**Context.** <sentence>'")
    return str(int(path.name[:4])), f"[{match['title']}]({path.name})", match["why"].rstrip(":;")
