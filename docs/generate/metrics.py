"""Metrics, from their definitions."""

from collections.abc import Iterable

import hooks.metrics
from docs.generate import markdown
from pages import metrics
from pages.metrics import Metric
from syncer.metrics import counted, observed

_GROUPS = (
    ("The syncer: counters", counted.METRICS),
    ("The syncer: state at the time of the scrape", observed.METRICS),
    ("The hooks", hooks.metrics.METRICS),
    ("Both", (metrics.BUILD_INFO,)),
)


def table() -> str:
    """All metrics, a table for each group."""
    return "\n\n".join(f"## {title}\n\n{_table(group)}" for title, group in _GROUPS)


def _table(group: Iterable[Metric]) -> str:
    rows = [
        (f"`{each.name}`", each.kind, ", ".join(f"`{label}`" for label in each.labels) or "none", each.help)
        for each in group
    ]
    return markdown.table(["name", "type", "labels", "meaning"], rows)
