"""``pages logs``: the log of a site."""

from datetime import timedelta

import click

from cli.backends import Backend, LogSelection, find
from cli.options.backend import asks, complete_sites, namespace_option
from pages import validation


def _since(_context: click.Context, _parameter: click.Parameter, value: str | None) -> timedelta | None:
    try:
        return validation.duration(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("site", metavar="SITE", shell_complete=complete_sites)
@namespace_option
@click.option("-f", "--follow", is_flag=True, help="Follow the log, until Ctrl-C.")
@click.option("--since", callback=_since, metavar="DURATION", help="Show only entries newer than, e.g., 10m or 2h.")
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Show only the last N lines.")
@asks
def logs(  # noqa: PLR0917 - click passes them by name
    backend: Backend, site: str, namespace: str | None, follow: bool, since: timedelta | None, tail: int | None
) -> None:
    """Show the log of a site. SITE is a name or NAMESPACE/NAME.

    In a cluster: the lines of the syncer's log about the site if you have permission to read it, else the site's
    Events and conditions, for which the role `view` in its namespace is enough. With `pages serve`: the outcome of each
    sync.

    \b
    Exit codes: 0, 2 wrong usage or no such site, 3 the cluster or `pages serve` cannot be reached, 130 Ctrl-C.

    \b
    Examples:
      pages logs blog
      pages logs team/blog -f --since 10m
    """  # noqa: D301 - click wants the backspace
    for line in backend.log(find(backend, site, namespace), LogSelection(tail, since, follow)):
        click.echo(line)
