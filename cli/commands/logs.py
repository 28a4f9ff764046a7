"""``pages logs``: what happened with a site."""

from datetime import timedelta

import click

from cli.backends import Backend, LogWanted, find
from cli.options.backend import asks, complete_sites, namespace_option
from pages import validation


def _since(_context: click.Context, _parameter: click.Parameter, value: str | None) -> timedelta | None:
    try:
        return validation.duration(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("logs")
@click.argument("site", metavar="SITE", shell_complete=complete_sites)
@namespace_option
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option("--since", callback=_since, metavar="DURATION", help="Only what is younger, such as 10m or 2h.")
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines.")
@asks
def log(  # noqa: PLR0917 - click passes them by name
    backend: Backend, site: str, namespace: str | None, follow: bool, since: timedelta | None, tail: int | None
) -> None:
    """Show what happened with a site. SITE is a name or NAMESPACE/NAME.

    In a cluster these are the lines of the syncer's log about the site, for those who may read it; else the site's
    Events and conditions, which its namespace's roles show. With `pages serve` it is how each sync ended.

    \b
    Exit codes: 0, 2 wrong usage or no such site, 3 the cluster or `pages serve` cannot be asked, 130 Ctrl-C.

    \b
    Examples:
      pages logs blog
      pages logs team/blog -f --since 10m
    """  # noqa: D301 - click wants the backspace
    found = find(backend, site, namespace)
    for line in backend.log(found, LogWanted(tail, since, follow)):
        click.echo(line)
