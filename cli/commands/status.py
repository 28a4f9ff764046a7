"""``pages status``: the state of the sites."""

import sys
import time
from collections.abc import Iterable, Sequence

import click

from cli import exits
from cli.backends import Backend, find
from cli.diagnosis.facts import Object
from cli.diagnosis.facts import status as status_of
from cli.options.backend import asks, complete_sites, namespace_option
from cli.output import output_option, show

_POLL_SECONDS = 2.0


@click.command()
@click.argument("site", required=False, metavar="[SITE]", shell_complete=complete_sites)
@namespace_option
@click.option("-A", "--all-namespaces", is_flag=True, help="Show the sites of all namespaces.")
@click.option("-w", "--watch", is_flag=True, help="Print again after each change, until Ctrl-C.")
@output_option
@asks
def status(  # noqa: PLR0917 - click passes them by name
    backend: Backend, site: str | None, namespace: str | None, all_namespaces: bool, watch: bool, output: str
) -> None:
    """Show the state of all sites, or of one: SITE is a name or NAMESPACE/NAME.

    \b
    Exit codes: 0 all shown sites are ready, 1 one is not (or a manifest has a mistake), 2 wrong usage or no such
    site, 3 the cluster or `pages serve` cannot be reached.

    \b
    Examples:
      pages status
      pages status -A -o wide
      pages status demo/welcome -o yaml
    """  # noqa: D301 - click wants the backspace
    if all_namespaces and (site or namespace):
        raise click.UsageError("-A shows all sites: leave out SITE and --namespace, or name one site as NAMESPACE/NAME")
    place = None if all_namespaces else namespace or backend.default_namespace
    shown: object = None
    while True:
        sites = [find(backend, site, namespace)] if site else backend.sites(place)
        notes = [*backend.mistakes(), *backend.notes()]
        if (sites, notes) != shown:  # compared as objects, because ages in the text always change
            shown = sites, notes
            _print(show(sites, output, single=site is not None), notes)
        if not watch:
            break
        time.sleep(_POLL_SECONDS)
    sys.exit(_exit_code(sites, [] if site else backend.mistakes()))


def _exit_code(sites: Sequence[Object], mistakes: Sequence[str]) -> int:
    return exits.NOT_READY if mistakes or not all(map(_is_ready, sites)) else exits.OK


def _print(text: str, notes: Iterable[str]) -> None:
    if text:
        click.echo(text)
    for note in notes:
        click.echo(note, err=True)


def _is_ready(site: Object) -> bool:
    return status_of(site).get("phase") in {"Ready", "Suspended"}
