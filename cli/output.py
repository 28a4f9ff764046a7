"""``-o``, as kubectl has it: a table, wide, names, or the objects themselves."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import tabulate
import yaml

from cli.diagnosis.facts import Object, moment

FORMATS = ("table", "wide", "json", "yaml", "name")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_COLUMNS = ("NAMESPACE", "NAME", "URL", "STATUS", "COMMIT", "LAST SYNC", "MESSAGE")
_WIDE = ("REPO", "BRANCH", "PATH", "AGE")
_NARROW_MESSAGE = 100


def output_option(command: Any) -> Any:  # noqa: ANN401 - click's own
    """``-o``."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="How to print; json and yaml are the objects, a List where they are many.",
    )(command)


def show(sites: Sequence[Object], output: str, *, single: bool) -> str:
    """The sites, sorted."""
    sites = sorted(sites, key=lambda site: (site["metadata"]["namespace"], site["metadata"]["name"]))
    match output:
        case "json" | "yaml":
            answer = sites[0] if single else {"apiVersion": "v1", "kind": "List", "items": list(sites)}
            return json.dumps(answer, indent=2) if output == "json" else dump_yaml(answer)
        case "name":
            return "\n".join(f"staticsite.pages.kup6s.com/{site['metadata']['name']}" for site in sites)
        case _:
            return _table(sites, wide=output == "wide")


def dump_yaml(content: Any) -> str:  # noqa: ANN401 - JSON
    """YAML with the keys in the order in which they came."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).rstrip("\n")


def age(then: datetime | None, now: datetime | None = None) -> str:
    """``5m``; nothing known is a dash."""
    if then is None:
        return "-"
    return span((now or datetime.now(UTC)) - then, ("d", "h", "m", "s"))


def span(length: timedelta, units: tuple[str, str, str, str]) -> str:
    """Whole days, hours or minutes from two on, else seconds, in these words."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in zip(units, (_DAY, _HOUR, _MINUTE), strict=False):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}{units[-1]}"


def _table(sites: Sequence[Object], *, wide: bool) -> str:
    if not sites:
        return "No sites."
    rows = [_row(site, wide=wide) for site in sites]
    headers = _COLUMNS[:-1] + (_WIDE if wide else ()) + _COLUMNS[-1:]
    return tabulate.tabulate(rows, headers=headers, tablefmt="plain", disable_numparse=True)


def _row(site: Object, *, wide: bool) -> tuple[str, ...]:
    metadata, spec, status = site["metadata"], site["spec"], site.get("status") or {}
    synced = moment(status["lastSync"]) if status.get("lastSync") else None
    # One line a site: what to apply, and the rest of a long story, is for `pages why`.
    message = (status.get("message") or "").partition("\n")[0]
    if not wide and len(message) > _NARROW_MESSAGE:
        message = f"{message[: _NARROW_MESSAGE - 1]}…"
    return (
        metadata["namespace"],
        metadata["name"],
        status.get("url") or "-",
        status.get("phase") or "Pending",
        (status.get("lastCommit") or "-")[:12],
        f"{age(synced)} ago" if synced else "never",
        *_more(metadata, spec, wide=wide),
        message,
    )


def _more(metadata: Object, spec: Object, *, wide: bool) -> tuple[str, ...]:
    if not wide:
        return ()
    created = moment(metadata["creationTimestamp"]) if metadata.get("creationTimestamp") else None
    return spec.get("repo", "-"), spec.get("branch", "main"), spec.get("path", "/"), age(created)
