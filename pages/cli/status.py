"""``pages status``: how the sites of a `pages serve` are doing."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import tabulate
import yaml

from syncer.stores.state import State

HEADERS = ("NAMESPACE", "NAME", "URL", "STATUS", "COMMIT", "LAST SYNC", "MESSAGE")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@click.command()
@click.argument("site", required=False, metavar="[SITE]")
@click.option("-n", "--namespace", help="Only the sites of this namespace.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".pages"),
    show_default=True,
    help="The directory that was given to `pages serve`.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="How to print.",
)
def status(site: str | None, namespace: str | None, state: Path, output: str) -> None:
    """Show how the sites of `pages serve` are doing, all of them or one: SITE is a name or NAMESPACE/NAME.

    \b
    Exit codes: 0 all shown sites are ready, 1 one is not (or a manifest has a mistake), 2 wrong usage.

    \b
    Examples:
      pages status
      pages status demo/welcome -o yaml
    """  # noqa: D301 - click wants the backspace
    kept = State(state)
    if not kept.exists():
        raise click.UsageError(f"there is no state of `pages serve` in {state}: name its directory with --state")
    objects = [each for _, each in kept.sites() if is_meant(each, site, namespace)]
    if site and not objects:
        raise click.UsageError(f"there is no site {site!r}; `pages status` lists those that there are")
    if output == "table":
        click.echo(_table(objects))
    else:
        _dump(objects, output, single=site is not None and len(objects) == 1)
    problems = [] if site else kept.problems()
    for problem in problems:
        click.echo(problem, err=True)
    if not kept.is_served():
        click.echo("`pages serve` is not running: this is how it left them.", err=True)
    sys.exit(0 if not problems and all(_is_ready(each) for each in objects) else 1)


def is_meant(site: dict[str, Any], name: str | None, namespace: str | None) -> bool:
    """Whether the site has that name, or NAMESPACE/NAME, and is in that namespace."""
    metadata = site["metadata"]
    if namespace and metadata["namespace"] != namespace:
        return False
    return name in {None, metadata["name"], f"{metadata['namespace']}/{metadata['name']}"}


def _is_ready(site: dict[str, Any]) -> bool:
    return site.get("status", {}).get("phase") in {"Ready", "Suspended"}


def _table(sites: list[dict[str, Any]]) -> str:
    if not sites:
        return "No sites."
    return tabulate.tabulate([_row(site) for site in sites], headers=HEADERS, tablefmt="plain", disable_numparse=True)


def _row(site: dict[str, Any]) -> tuple[str, ...]:
    status = site.get("status", {})
    found = status.get("lastSync")
    age = _age(datetime.fromisoformat(found), datetime.now(UTC)) if found else "never"
    metadata = site["metadata"]
    return (
        metadata["namespace"],
        metadata["name"],
        status.get("url") or "-",
        status.get("phase", "Pending"),
        (status.get("lastCommit") or "-")[:12],
        age,
        status.get("message", ""),
    )


def _age(moment: datetime, now: datetime) -> str:
    seconds = int((now - moment).total_seconds())
    for unit, size in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit} ago"
    return f"{max(seconds, 0)}s ago"


def _dump(sites: list[dict[str, Any]], output: str, *, single: bool) -> None:
    answer = sites[0] if single else {"apiVersion": "v1", "kind": "List", "items": sites}
    if output == "json":
        click.echo(json.dumps(answer, indent=2))
    else:
        click.echo(yaml.safe_dump(answer, sort_keys=False, allow_unicode=True), nl=False)
