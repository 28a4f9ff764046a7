"""``pages why``: where the way of a site to its visitors stops, and what to do about it."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import click

from cli import exits
from cli.backends import Backend, find, key, syncer_api
from cli.backends.visit import is_address, visit
from cli.diagnosis.chain import judge
from cli.diagnosis.facts import Answer, Facts, status
from cli.diagnosis.verdicts import Link, State, first_broken
from cli.options.backend import asks, complete_sites, namespace_option
from cli.output import dump_yaml
from pages import names

_WELL = "All is well, as far as can be seen from here."
_COLOURS = {
    State.OK: "green",
    State.BROKEN: "red",
    State.WAITING: "yellow",
    State.WARNING: "yellow",
    State.UNKNOWN: "bright_black",
}


def _address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_address(value):
        raise click.BadParameter(f"{value!r} is no IP address, such as 192.0.2.7 or 2001:db8::7")
    return value


@click.command()
@click.argument("site", metavar="SITE", shell_complete=complete_sites)
@namespace_option
@click.option("--no-request", is_flag=True, help="Do not ask for the page itself.")
@click.option(
    "--address", "--resolve", callback=_address, metavar="IP", help="Ask for the page there, whatever DNS says."
)
@click.option(
    "--api",
    metavar="URL",
    help="In a cluster: where webhooks go, such as https://webhook.pages.example.com; it knows of the last one.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@asks
def why(  # noqa: PLR0917 - click passes them by name
    backend: Backend,
    site: str,
    namespace: str | None,
    no_request: bool,
    address: str | None,
    api: str | None,
    output: str,
) -> None:
    """Say why a site is not live: walk from its StaticSite to its page, and say where that stops and what to do.

    StaticSite, syncer, git, release, VirtualHost, IngressRoute, Certificate, and a real HTTP request. What you may not
    see in a cluster is judged by the site's status. SITE is a name or NAMESPACE/NAME. Secrets are never shown.

    \b
    Exit codes: 0 all is well, 1 it is not, 2 wrong usage or no such site, 3 the cluster or `pages serve` cannot be
    asked.

    \b
    Examples:
      pages why blog
      pages why team/blog --address 192.0.2.7
      pages why team/blog --api https://webhook.pages.example.com
    """  # noqa: D301 - click wants the backspace
    found = find(backend, site, namespace)
    facts = backend.facts(found)
    if not no_request:
        facts = replace(facts, answer=_visit(facts, address))
    links = judge(facts)
    stop = first_broken(links)
    if output == "text":
        _print(facts, links, stop)
        for note in backend.notes():
            click.echo(note, err=True)
        for line in syncer_api.lines(found, api or _own_api(backend)):
            click.echo(line)
    else:
        _dump(facts, links, stop, output)
    sys.exit(exits.NOT_READY if stop else exits.OK)


def _visit(facts: Facts, address: str | None) -> Answer | None:
    """Ask for the page, where the site has an address at all."""
    url = status(facts.site).get("url")
    if not url or facts.served is False:
        return None
    if facts.served:  # its names are this machine's, whatever the resolver makes of names below localhost
        return visit(url, address or "127.0.0.1")
    platform = (facts.platform.object or {}).get("spec", {}).get("pagesDomain")
    own = names.default_domain(facts.site["metadata"]["name"], platform) if platform else None
    return visit(url, address, own if facts.site["spec"].get("domain") else None)


def _own_api(backend: Backend) -> str | None:
    from cli.backends.local import Local  # noqa: PLC0415 - a cluster needs none of it

    return backend.api() if isinstance(backend, Local) else None


def _print(facts: Facts, links: list[Link], stop: Link | None) -> None:
    click.echo(f"{key(facts.site)}  {status(facts.site).get('url') or '(no URL yet)'}")
    for line in _lines(links):
        click.echo(line, color=False if "NO_COLOR" in os.environ else None)
    if stop is None:
        warned = any(link.state is State.WARNING for link in links)
        click.echo("\nIt is live; but see what is marked with !." if warned else f"\n{_WELL}")
        return
    verb = "It stops at" if stop.state is State.BROKEN else "It waits at"
    click.echo(f"\n{verb} {stop.name} ({stop.reason}): {stop.text.rstrip()}")
    if stop.remedy:
        click.echo("What to do:")
        for line in stop.remedy.splitlines():
            click.echo(f"  {line}")


def _lines(links: list[Link]) -> Iterator[str]:
    for link in links:
        sign = click.style(f"{link.state.sign} {link.state.word:<8}", fg=_COLOURS[link.state])
        yield f"{sign} {link.name:<13} {link.text.partition(chr(10))[0]}"


def _dump(facts: Facts, links: list[Link], stop: Link | None, output: str) -> None:
    told = {
        "site": key(facts.site),
        "url": status(facts.site).get("url"),
        "ready": stop is None,
        "stopsAt": stop and {"link": stop.name, "reason": stop.reason, "message": stop.text, "remedy": stop.remedy},
        "links": [
            {"link": each.name, "state": each.state.word, "reason": each.reason, "message": each.text} for each in links
        ],
    }
    click.echo(json.dumps(told, indent=2) if output == "json" else dump_yaml(told))
