"""``pages status``: how the sites are doing."""

import sys
import time

import click

from cli import exits
from cli.backends import Backend, find
from cli.diagnosis.facts import Object
from cli.options.backend import asks, complete_sites, namespace_option
from cli.output import output_option, show

_LOOK_SECONDS = 2.0


@click.command()
@click.argument("site", required=False, metavar="[SITE]", shell_complete=complete_sites)
@namespace_option
@click.option("-A", "--all-namespaces", is_flag=True, help="The sites of all namespaces.")
@click.option("-w", "--watch", is_flag=True, help="Print again whenever something changes, until Ctrl-C.")
@output_option
@asks
def status(  # noqa: PLR0917 - click passes them by name
    backend: Backend, site: str | None, namespace: str | None, all_namespaces: bool, watch: bool, output: str
) -> None:
    """Show how the sites are doing, all of them or one: SITE is a name or NAMESPACE/NAME.

    \b
    Exit codes: 0 all shown sites are ready, 1 one is not (or a manifest has a mistake), 2 wrong usage or no such
    site, 3 the cluster or `pages serve` cannot be asked.

    \b
    Examples:
      pages status
      pages status -A -o wide
      pages status demo/welcome -o yaml
    """  # noqa: D301 - click wants the backspace
    shown: tuple[list[Object], list[str]] | None = None
    while True:
        sites, notes = _sites(backend, site, namespace, all_namespaces=all_namespaces), backend.notes()
        if (sites, notes) != shown:  # not their text, whose ages grow
            shown = sites, notes
            if text := show(sites, output, single=site is not None):
                click.echo(text)
            for note in notes:
                click.echo(note, err=True)
        if not watch:
            break
        time.sleep(_LOOK_SECONDS)
    whole = site is not None or backend.is_whole()
    sys.exit(exits.OK if whole and all(_is_ready(each) for each in sites) else exits.NOT_READY)


def _sites(backend: Backend, site: str | None, namespace: str | None, *, all_namespaces: bool) -> list[Object]:
    if all_namespaces and (site or namespace):
        raise click.UsageError("-A is all sites: leave SITE and --namespace out, or name a site as NAMESPACE/NAME")
    if site:
        return [find(backend, site, namespace)]
    return backend.sites(None if all_namespaces else namespace or backend.default_namespace)


def _is_ready(site: Object) -> bool:
    return (site.get("status") or {}).get("phase") in {"Ready", "Suspended"}
