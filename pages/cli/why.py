"""``pages why``: what is known of one site: its conditions, the last webhook about it, its last commit status."""

import sys
from pathlib import Path
from typing import Any

import click
import requests
import tabulate

from pages.cli.status import is_meant
from syncer.stores.state import State

_SECONDS = 10
Object = dict[str, Any]


@click.command()
@click.argument("site", metavar="SITE")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".pages"),
    show_default=True,
    help="The directory that was given to `pages serve`.",
)
@click.option(
    "--cluster", is_flag=True, help="Look into the cluster, as kubectl does, instead of the state of `pages serve`."
)
@click.option(
    "--api",
    metavar="URL",
    help="With --cluster: where webhooks go, such as https://webhook.pages.example.com; it knows of the last one.",
)
def why(site: str, state: Path, cluster: bool, api: str | None) -> None:
    """Show what is known of one site: its conditions, the last webhook about it, its last commit status.

    SITE is a name or NAMESPACE/NAME. Webhooks are remembered until the syncer starts anew. Secrets are never shown.

    \b
    Exit codes: 0 the site is ready, 1 it is not, 2 wrong usage.

    \b
    Examples:
      pages why blog
      pages why team/blog --cluster --api https://webhook.pages.example.com
    """  # noqa: D301 - click wants the backspace
    if api and not cluster:
        raise click.UsageError("--api goes with --cluster; the state of `pages serve` knows where its own is")
    found = _in_cluster(site) if cluster else _in_state(site, State(state))
    if not cluster and (port := State(state).api_port()):
        api = f"http://127.0.0.1:{port}"
    _print(found)
    for line in _webhooks(found, api):
        click.echo(line)
    sys.exit(0 if found.get("status", {}).get("phase") == "Ready" else 1)


def _in_state(site: str, kept: State) -> Object:
    if not kept.exists():
        raise click.UsageError(f"there is no state of `pages serve` in {kept.folder}: name its directory with --state")
    objects = [each for _, each in kept.sites() if is_meant(each, site, None)]
    if len(objects) != 1:
        problem = "there is no site" if not objects else "there are several sites"
        raise click.UsageError(f"{problem} {site!r}; `pages status` lists those that there are")
    return objects[0]


def _in_cluster(site: str) -> Object:
    import httpx2  # noqa: PLC0415 - half a second that only this needs
    from lightkube import ApiError, Client, ConfigError  # noqa: PLC0415

    from syncer.stores.cluster import STATIC_SITE  # noqa: PLC0415

    namespace, _, name = site.rpartition("/")
    try:
        found = Client().get(STATIC_SITE, name, namespace=namespace or "default")
    except (ApiError, ConfigError, httpx2.HTTPError) as error:
        raise click.ClickException(f"{site} cannot be read: {error}") from None
    return dict(found)


def _print(site: Object) -> None:
    metadata, status = site["metadata"], site.get("status", {})
    click.echo(f"{metadata['namespace']}/{metadata['name']}  {status.get('url') or '(no URL yet)'}")
    rows = [
        (each["type"], each["status"], each["reason"], each.get("message", "")) for each in status.get("conditions", [])
    ]
    click.echo(tabulate.tabulate(rows, tablefmt="plain", disable_numparse=True) or "Nothing is said of it yet.")


def _webhooks(site: Object, api: str | None) -> list[str]:
    """What the API tells the site's owner."""
    metadata, token = site["metadata"], site.get("status", {}).get("syncToken")
    if not api or not token:
        missing = "the site has no syncToken" if api else "there is no API to ask"
        return [f"Webhooks and commit status: not known here ({missing})."]
    url = f"{api.rstrip('/')}/site/{metadata['namespace']}/{metadata['name']}"
    try:
        answer = requests.get(url, headers={"X-API-Key": token}, timeout=_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        told = answer.json()
        lines = [f"Last webhook: {_delivery(told['lastDelivery']) or 'none since the syncer started'}."]
        if refused := _delivery(told["lastRefusedDelivery"]):
            lines.append(f"Last webhook that was refused: {refused}.")
        if told["commitStatus"]:
            lines.append(f"Last commit status: {told['commitStatus']}.")
    except (requests.RequestException, LookupError, TypeError) as error:
        return [f"Webhooks and commit status: {api} does not tell ({type(error).__name__})."]
    return lines


def _delivery(told: Object | None) -> str:
    return f"{told['time']} {told['forge']} {told['event']}: {told['outcome']}" if told else ""
