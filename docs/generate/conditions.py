"""Conditions and their reasons, from ``pages.reasons``."""

from docs.generate import markdown
from pages.reasons import GROUPS, Group


def table(kind: str) -> str:
    """The conditions of a kind."""
    return "\n\n".join(_group(each) for each in GROUPS if each.kind == kind)


def _group(group: Group) -> str:
    rows = [(f"`{each.name}`", each.meaning, each.who or "", each.what_to_do) for each in group.reasons]
    head = ["reason", "what it means", "who acts", "what to do"]
    return f"### {group.kind}: {group.condition}\n\n{group.about}\n\n{markdown.table(head, rows)}"
