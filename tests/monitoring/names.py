"""The metrics and labels in queries, and those that exist."""

import re
from functools import cache

import hooks.metrics
from pages import metrics
from syncer.metrics import counted, observed

# cert-manager's own, and Prometheus's of any process.
EXTERNAL = {
    "certmanager_certificate_expiration_timestamp_seconds",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
}
_SUFFIXES = ("_bucket", "_sum", "_count")
_SELECTOR = re.compile(r"\b((?:pages|certmanager|process)_[a-z0-9_]+)(?:\{([^}]*)\})?")
_AGGREGATION = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")


@cache
def known() -> dict[str, set[str]]:
    """The labels of all our series, by name (tests compare these with real pages)."""
    found: dict[str, set[str]] = {}
    for each in (*counted.METRICS, *observed.METRICS, *hooks.metrics.METRICS, metrics.BUILD_INFO):
        labels = set(each.labels)
        if each.kind == "histogram":
            found |= {
                f"{each.name}{suffix}": labels | ({"le"} if suffix == "_bucket" else set()) for suffix in _SUFFIXES
            }
        else:
            found[each.name] = labels
    return found


def named(expression: str) -> list[tuple[str, set[str]]]:
    """The metrics in an expression, with the labels that it selects or aggregates by."""
    without = _AGGREGATION.sub(" ", expression)
    found = [
        (name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))) for name, selector in _SELECTOR.findall(without)
    ]
    grouped = {label.strip() for group in _AGGREGATION.findall(expression) for label in group.split(",")}
    return [(name, labels | grouped) for name, labels in found]
