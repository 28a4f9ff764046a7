"""The list of decisions, from their pages: the title, and the sentence that says why it came up."""

import re
from pathlib import Path

from docs.generate import markdown

DECISIONS = Path(__file__).parents[1] / "decisions"
_PAGE = re.compile(r"# \d+\. (?P<title>.+)\n\n\*\*Context\.\*\* (?P<why>.+?[.!?:;])\s", re.DOTALL)


def table() -> str:
    """All decisions, in the order in which they were taken."""
    return markdown.table(["", "decision", "why it came up"], map(_row, sorted(DECISIONS.glob("[0-9]*.md"))))


def _row(path: Path) -> tuple[str, str, str]:
    found = _PAGE.match(path.read_text(encoding="utf-8"))
    if not found:
        raise ValueError(f"{path} does not begin with '# <number>. <title>' and '**Context.** <sentence>'")
    return str(int(path.name[:4])), f"[{found['title']}]({path.name})", found["why"].rstrip(":;")
