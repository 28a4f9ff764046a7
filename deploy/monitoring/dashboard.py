"""The Grafana dashboard as code: ``python deploy/monitoring/dashboard.py`` writes dashboard.json next to it."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

Panel = dict[str, Any]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
FRESH = "1m"


class Query(NamedTuple):
    """An expression, and the legend of its lines."""

    expression: str
    legend: str = ""


def reference(number: int) -> dict[str, Any]:
    """The id of a query within its panel."""
    return {"refId": chr(ord("A") + number)}


def panel(
    kind: str,
    title: str,
    about: str,
    queries: list[Query],
    *,
    unit: str,
    width: int,
    options: Panel | None = None,
    defaults: Panel | None = None,
) -> Panel:
    """A panel, without its position."""
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "targets": [
            {"datasource": SOURCE, "expr": query.expression, "legendFormat": query.legend, **reference(number)}
            for number, query in enumerate(queries)
        ],
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, **(defaults or {})}, "overrides": []},
        "options": options or {},
        "gridPos": {"h": 4 if kind == "stat" else 8, "w": width},
    }


def stat(title: str, about: str, expression: str, unit: str = "short", *, good: str = "", bad: str = "") -> Panel:
    """One number. It is green from ``good``, or red from ``bad``."""
    steps = [{"color": "red" if good else "green", "value": None}]
    if good or bad:
        steps.append({"color": "green" if good else "red", "value": float(good or bad)})
    thresholds = {"mode": "absolute", "steps": steps}
    return panel("stat", title, about, [Query(expression)], unit=unit, width=4, defaults={"thresholds": thresholds})


def lines(title: str, about: str, *queries: Query, unit: str = "short", width: int = 8) -> Panel:
    """A chart of values over time."""
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    options = {"legend": legend, "tooltip": {"mode": "multi"}}
    return panel("timeseries", title, about, list(queries), unit=unit, width=width, options=options)


def table(title: str, about: str, query: Query, unit: str, width: int) -> Panel:
    """A table of the highest values."""
    result = panel("table", title, about, [query], unit=unit, width=width)
    result["targets"][0] |= {"format": "table", "instant": True}
    result["transformations"] = [{"id": "organize", "options": {"excludeByName": {"Time": True}}}]
    return result


def quantile(share: float, metric: str, by: str, selector: str = "") -> str:
    """The quantile of a histogram."""
    return f"histogram_quantile({share}, sum by (le{by}) (rate({metric}_bucket{selector}[$__rate_interval])))"


def rate(metric: str, by: str, selector: str = "") -> str:
    """The rate per second."""
    return f"sum by ({by}) (rate({metric}{selector}[$__rate_interval]))"


ROWS: dict[str, list[Panel]] = {
    "Overview": [
        stat("Working syncers", "Exactly one holds the Lease.", "sum(pages_syncer_leader) or vector(0)", good="1"),
        stat("Sites", "StaticSites in all namespaces.", 'sum(pages_sites{condition="Ready"})'),
        stat(
            "Sites that are not ready",
            "Sites whose condition Ready is false.",
            'sum(pages_sites{condition="Ready", status="False"})',
            bad="1",
        ),
        stat(
            "Longest wait",
            "The longest time that a repository has been due.",
            "max(pages_queue_oldest_age_seconds)",
            "s",
            bad="1200",
        ),
        stat(
            "Time since the last round",
            "At most a minute while the syncer is healthy.",
            "time() - max(pages_syncer_last_round_timestamp_seconds)",
            "s",
            bad="300",
        ),
        stat("Domains on hold", "Domains whose removal is on hold.", "max(pages_platform_held_domains)", bad="1"),
    ],
    "Publishing": [
        lines("Syncs", "By result.", Query(rate("pages_syncs_total", "result"), "{{result}}"), unit="ops"),
        lines(
            "Time to publish",
            "From the start of a sync until the commit is live.",
            *(
                Query(quantile(share, "pages_sync_duration_seconds", "", '{result="published"}'), f"{share:.0%}")
                for share in (0.5, 0.95, 0.99)
            ),
            unit="s",
        ),
        lines(
            "Failures by reason",
            "By reason of the condition Synced.",
            Query(rate("pages_syncs_total", "reason", '{result="failed"}'), "{{reason}}"),
            unit="ops",
        ),
        lines(
            "Queue",
            "Repositories that are due, and repositories that are being synced.",
            Query("sum(pages_queue_depth)", "due"),
            Query("sum(pages_queue_running)", "running"),
        ),
        lines(
            "Webhooks",
            "Deliveries by forge and outcome.",
            Query(rate("pages_webhook_deliveries_total", "forge, outcome"), "{{forge}} {{outcome}}"),
            unit="ops",
        ),
        lines(
            "Reports",
            "Commit statuses, statuses and Events.",
            Query(rate("pages_commit_statuses_total", "result"), "commit status {{result}}"),
            Query(rate("pages_status_writes_total", "result"), "status {{result}}"),
            Query(rate("pages_events_total", "result"), "Event {{result}}"),
            unit="ops",
        ),
    ],
    "Git servers": [
        lines(
            "Requests",
            "By kind, client and outcome.",
            Query(rate("pages_git_requests_total", "kind, by, outcome"), "{{kind}} by {{by}}: {{outcome}}"),
            unit="ops",
        ),
        lines(
            "Duration of a request",
            "The 95th percentile.",
            Query(quantile(0.95, "pages_git_request_duration_seconds", ", kind, by"), "{{kind}} by {{by}}"),
            unit="s",
        ),
        lines(
            "Received",
            "Responses to our own requests, and files written to the volume.",
            Query("sum(rate(pages_git_received_bytes_total[$__rate_interval]))", "received"),
            Query("sum(rate(pages_release_written_bytes_total[$__rate_interval]))", "written to the volume"),
            unit="Bps",
        ),
    ],
    "Disk": [
        lines(
            "Used",
            "Used share of the file system.",
            Query("1 - min by (disk) (pages_disk_free_bytes / pages_disk_size_bytes)", "{{disk}}"),
            Query("1 - min by (disk) (pages_disk_inodes_free / (pages_disk_inodes > 0))", "{{disk}}: files"),
            unit="percentunit",
        ),
        lines(
            "Releases",
            "Live releases, and releases kept for a rollback.",
            Query("sum by (state) (pages_releases)", "{{state}}"),
            Query("sum(increase(pages_releases_damaged_total[$__rate_interval]))", "damaged"),
        ),
        lines(
            "Files of releases",
            "Written, or reused from the previous release.",
            Query(rate("pages_release_files_total", "how"), "{{how}}"),
            unit="ops",
        ),
    ],
    "Hooks": [
        lines(
            "Calls", "By hook and status.", Query(rate("pages_hook_requests_total", "hook, code"), "{{hook}} {{code}}")
        ),
        lines(
            "Duration of an answer",
            "The 99th percentile.",
            Query(quantile(0.99, "pages_hook_duration_seconds", ", hook"), "{{hook}}"),
            unit="s",
        ),
        lines(
            "Rejected sites",
            "By reason, in the last answer.",
            Query("max by (reason) (pages_platform_rejected_sites) > 0", "{{reason}}"),
        ),
    ],
    "Sites": [
        lines(
            "Conditions that are not true",
            "Sites by condition and reason.",
            Query("sum by (condition, reason) (pages_sites_not_true)", "{{condition}}: {{reason}}"),
            width=12,
        ),
        table(
            "Longest time without a successful sync",
            "Among the sites that have metrics of their own.",
            Query(
                "topk(20, time() - max by (site_namespace, site_name) (pages_site_last_success_timestamp_seconds))",
            ),
            "s",
            12,
        ),
    ],
    "Processes": [
        lines(
            "Memory",
            "Resident memory. For the hooks, the sum of all processes.",
            Query("process_resident_memory_bytes and on (instance) pages_build_info", "{{instance}}"),
            unit="bytes",
            width=12,
        ),
        lines(
            "CPU",
            "CPU seconds per second.",
            Query(
                "rate(process_cpu_seconds_total[$__rate_interval]) and on (instance) pages_build_info", "{{instance}}"
            ),
            width=12,
        ),
    ],
}


def placed() -> Iterator[Panel]:
    """All panels with their positions, row by row and from left to right."""
    numbers, top = count(1), 0
    for title, panels in ROWS.items():
        yield {
            "id": next(numbers),
            "type": "row",
            "title": title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": top},
        }
        top, left = top + 1, 0
        for each in panels:
            size = each["gridPos"]
            if left + size["w"] > WIDTH:
                top, left = top + size["h"], 0
            yield {**each, "id": next(numbers), "gridPos": {**size, "x": left, "y": top}}
            left += size["w"]
        top += panels[-1]["gridPos"]["h"]


def dashboard() -> dict[str, Any]:
    """The dashboard in the format that Grafana imports."""
    return {
        "uid": "kup6s-pages",
        "title": "kup6s-pages",
        "description": "Static sites published from git.",
        "tags": ["kup6s-pages"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": FRESH,
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]
        },
        "panels": list(placed()),
    }


if __name__ == "__main__":
    Path(__file__).with_suffix(".json").write_text(json.dumps(dashboard(), indent=1) + "\n")
