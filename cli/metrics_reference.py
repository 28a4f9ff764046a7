"""docs/reference/metrics.md, made of the definitions: ``python -m cli.metrics_reference`` prints it."""

from collections.abc import Iterable

import click

import hooks.metrics
from pages import metrics
from pages.metrics import Metric
from syncer.metrics import counted, observed

_HEAD = """\
# Metrics

<!-- Made by `python -m cli.metrics_reference`; change the definitions, not this page. -->

`pages syncer` shows its own on port 9091, `pages hooks` on port 9090 ([how to monitor](../how-to/monitor.md)). Times
are in seconds, sizes in bytes. Of several syncers only the one at work has more to tell than `pages_syncer_leader` and
what it has counted itself. The hooks' processes are added up. `process_*` are Prometheus's usual ones.
"""


def markdown() -> str:
    """The page."""
    parts = [
        ("The syncer, counted", counted.METRICS),
        ("The syncer, as it is when Prometheus looks", observed.METRICS),
        ("The hooks", hooks.metrics.METRICS),
        ("Both", (metrics.BUILD_INFO,)),
    ]
    return "\n".join([_HEAD, *(f"## {title}\n\n{_table(rows)}" for title, rows in parts)])


def _table(rows: Iterable[Metric]) -> str:
    lines = ["| name | type | labels | what it says |", "| --- | --- | --- | --- |"]
    for row in rows:
        labels = ", ".join(f"`{label}`" for label in row.labels) or "none"
        lines.append(f"| `{row.name}` | {row.kind} | {labels} | {row.help} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    click.echo(markdown(), nl=False)
