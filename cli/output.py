"""The formats of ``-o``, as kubectl has them: a table, wide, names, or the objects themselves."""

import json
from collections.abc import Sequence
from typing import Any

import click
import tabulate
import yaml

from cli.diagnosis.facts import Object, moment, status
from pages import spans

FORMATS = ("table", "wide", "json", "yaml", "name")
_COLUMNS = ("NAMESPACE", "NAME", "URL", "STATUS", "COMMIT", "LAST SYNC")
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
        help="The format; json and yaml print the objects themselves, several as a List.",
    )(command)


def show(sites: Sequence[Object], output: str, *, single: bool) -> str:
    """The sites, sorted."""
    sites = sorted(sites, key=lambda site: (site["metadata"]["namespace"], site["metadata"]["name"]))
    match output:
        case "json" | "yaml":
            return dump(sites[0] if single else {"apiVersion": "v1", "kind": "List", "items": list(sites)}, output)
        case "name":
            return "\n".join(f"staticsite.pages.kup6s.com/{site['metadata']['name']}" for site in sites)
        case _:
            return table(sites, wide=output == "wide")


def dump(content: Any, output: str) -> str:  # noqa: ANN401 - JSON
    """JSON or YAML, with the keys in their order."""
    if output == "json":
        return json.dumps(content, indent=2)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).rstrip("\n")


def table(sites: Sequence[Object], *, wide: bool) -> str:
    """A line for each site."""
    if not sites:
        return "No sites."
    rows = [(*_cells(site), *(_wide_cells(site) if wide else ()), _message(site, wide=wide)) for site in sites]
    headers = (*_COLUMNS, *(_WIDE if wide else ()), "MESSAGE")
    return tabulate.tabulate(rows, headers=headers, tablefmt="plain", disable_numparse=True)


def _cells(site: Object) -> tuple[str, ...]:
    current = status(site)
    return (
        site["metadata"]["namespace"],
        site["metadata"]["name"],
        current.get("url") or "-",
        current.get("phase") or "Pending",
        (current.get("lastCommit") or "-")[:12],
        f"{spans.age(moment(current['lastSync']))} ago" if current.get("lastSync") else "never",
    )


def _wide_cells(site: Object) -> tuple[str, ...]:
    spec, created = site["spec"], moment(site["metadata"].get("creationTimestamp"))
    return spec.get("repo", "-"), spec.get("branch", "main"), spec.get("path", "/"), spans.age(created)


def _message(site: Object, *, wide: bool) -> str:
    """The first line, so that each site has one line; `pages why` shows the rest."""
    message: str = (status(site).get("message") or "").partition("\n")[0]
    if not wide and len(message) > _NARROW_MESSAGE:
        return f"{message[: _NARROW_MESSAGE - 1]}…"
    return message
