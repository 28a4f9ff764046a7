"""``pages why``: where the chain from a StaticSite to its visitors is broken, and how to fix it."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import click

from cli import exits
from cli.backends import Backend, find, key, syncer_api
from cli.backends.visit import is_address, visit
from cli.diagnosis.chain import judge
from cli.diagnosis.facts import Facts, Response, status
from cli.diagnosis.verdicts import State, Verdict, first_broken
from cli.options.backend import asks, complete_sites, namespace_option
from cli.output import dump
from pages import names

_LOOPBACK = "127.0.0.1"
_COLOURS = {
    State.OK: "green",
    State.BROKEN: "red",
    State.WAITING: "yellow",
    State.WARNING: "yellow",
    State.UNKNOWN: "bright_black",
}


def _address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_address(value):
        raise click.BadParameter(f"{value!r} is not an IP address, for example 192.0.2.7 or 2001:db8::7")
    return value


@click.command()
@click.argument("site", metavar="SITE", shell_complete=complete_sites)
@namespace_option
@click.option("--no-request", is_flag=True, help="Do not request the page itself.")
@click.option(
    "--address",
    "--resolve",
    callback=_address,
    metavar="IP",
    help="Request the page from this address, not from DNS's.",
)
@click.option(
    "--api",
    metavar="URL",
    help="In a cluster: the address for webhooks, e.g. https://webhook.pages.example.com; it reports the last one.",
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
    """Explain why a site is not live: check each link from its StaticSite to its page, and show how to fix it.

    The links: StaticSite, syncer, git, release, VirtualHost, IngressRoute, Certificate, and a real HTTP request. Where
    you lack permission to view an object in a cluster, the site's status is used. SITE is a name or NAMESPACE/NAME.
    Secrets are never shown.

    \b
    Exit codes: 0 nothing is broken, 1 a link is broken, 2 wrong usage or no such site, 3 the cluster or `pages serve`
    cannot be reached.

    \b
    Examples:
      pages why blog
      pages why team/blog --address 192.0.2.7
      pages why team/blog --api https://webhook.pages.example.com
    """  # noqa: D301 - click wants the backspace
    target = find(backend, site, namespace)
    facts = backend.facts(target)
    if not no_request:
        facts = replace(facts, response=_visit(facts, address))
    verdicts = judge(facts)
    if output == "text":
        _print(facts, verdicts)
        click.echo("".join(f"{note}\n" for note in (*backend.mistakes(), *backend.notes())), err=True, nl=False)
        click.echo("\n".join(syncer_api.lines(target, api or backend.api_url())))
    else:
        click.echo(dump(_fields(facts, verdicts), output))
    sys.exit(exits.NOT_READY if first_broken(verdicts) else exits.OK)


def _visit(facts: Facts, address: str | None) -> Response | None:
    """Request the page, if the site has an address."""
    url = status(facts.site).get("url")
    if not url or facts.served is False:
        return None
    if facts.served:  # not every resolver knows that names below localhost belong to this machine
        return visit(url, address or _LOOPBACK)
    pages_domain = (facts.platform.object or {}).get("spec", {}).get("pagesDomain")
    has_platform_name = pages_domain and facts.site["spec"].get("domain")
    name = names.default_domain(facts.site["metadata"]["name"], pages_domain) if has_platform_name else None
    return visit(url, address, name)


def _print(facts: Facts, verdicts: list[Verdict]) -> None:
    click.echo(f"{key(facts.site)}  {status(facts.site).get('url') or '(no URL yet)'}")
    for line in _lines(verdicts):
        click.echo(line, color=False if "NO_COLOR" in os.environ else None)
    click.echo()
    for line in _conclusion(verdicts):
        click.echo(line)


def _lines(verdicts: list[Verdict]) -> Iterator[str]:
    for each in verdicts:
        sign = click.style(f"{each.state.sign} {each.state.word:<8}", fg=_COLOURS[each.state])
        yield f"{sign} {each.name:<13} {each.text.partition(chr(10))[0]}"


def _conclusion(verdicts: list[Verdict]) -> Iterator[str]:
    stop = first_broken(verdicts)
    if stop is None:
        has_warnings = any(each.state is State.WARNING for each in verdicts)
        yield "The site is live, with warnings (marked !)." if has_warnings else "No problems found."
        return
    verb = "It stops at" if stop.state is State.BROKEN else "It waits at"
    yield f"{verb} {stop.name} ({stop.reason}): {stop.text.rstrip()}"
    if stop.remedy:
        yield "What to do:"
        yield from (f"  {line}" for line in stop.remedy.splitlines())


def _fields(facts: Facts, verdicts: list[Verdict]) -> dict[str, object]:
    stop = first_broken(verdicts)
    return {
        "site": key(facts.site),
        "url": status(facts.site).get("url"),
        "ready": stop is None,
        "stopsAt": stop and {"link": stop.name, "reason": stop.reason, "message": stop.text, "remedy": stop.remedy},
        "links": [
            {"link": each.name, "state": each.state.word, "reason": each.reason, "message": each.text}
            for each in verdicts
        ],
    }
