"""``pages rules``: what `_redirects` and `_headers` of a folder do, line by line and path by path."""

from collections.abc import Mapping
from pathlib import Path

import click

from cli import exits
from syncer.content.rules import compile as compiling
from syncer.content.rules import evaluate
from syncer.content.rules.compile import Rules
from syncer.content.rules.evaluate import Request
from syncer.content.rules.findings import State
from syncer.content.rules.hosts import Hosts
from syncer.content.rules.served import Served

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def rules() -> None:
    """Check `_redirects` and `_headers` of a folder before it is pushed."""


def _site_options(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option("--alias", "aliases", multiple=True, metavar="HOST", help="One of spec.aliases; may be repeated."),
        click.option("--domain", default="", metavar="HOST", help="spec.domain. Default: every host is the site's."),
    ):
        command = option(command)
    return command


@rules.command()
@click.argument("folder", type=_FOLDER)
@_site_options
def check(folder: Path, domain: str, aliases: tuple[str, ...]) -> None:
    """Say of every rule in FOLDER whether it is live, a no-op or refused, and why.

    \b
    Exit codes: 0 all rules are live or no-ops, 1 some are refused, 2 wrong usage.

    \b
    Examples:
      pages rules check public
      pages rules check public --domain www.example.com --alias example.com
    """  # noqa: D301 - click wants the backspace
    _, found = _compile(folder, _hosts(domain, aliases))
    for finding in found.findings:
        line = f"{finding.place}  {finding.state}  {finding.message}".rstrip()
        click.echo(_printable(line))
    counts = found.findings.counts
    click.echo(", ".join(f"{counts[state]:,} {state}" for state in State))
    if counts[State.REFUSED]:
        raise SystemExit(exits.NOT_READY)


@rules.command()
@click.argument("folder", type=_FOLDER)
@click.argument("path")
@click.option("--host", default="", metavar="HOST", help="Ask at this host. Default: the domain.")
@_site_options
def explain(folder: Path, path: str, host: str, domain: str, aliases: tuple[str, ...]) -> None:
    """Say what a visitor of PATH gets, and which line decides.

    \b
    Exit codes: 0, 2 wrong usage.

    \b
    Examples:
      pages rules explain public /old/page
      pages rules explain public '/search?q=x' --domain www.example.com --alias example.com --host example.com
    """  # noqa: D301 - click wants the backspace
    if not path.startswith("/"):
        raise click.UsageError(f"PATH {path!r} does not begin with '/'; write it as in the address, such as /old")
    served, found = _compile(folder, _hosts(domain, aliases))
    address, question, query = path.partition("?")
    home = f"https://{domain}" if domain and host.lower() in {each.lower() for each in aliases} else ""
    request = Request(address, query if question else None, (host or domain).lower(), home=home)
    answer = evaluate.evaluate(found.compiled, served, request)
    click.echo(f"{answer.status}  {answer.location or answer.file or 'the page for what is missing'}")
    click.echo(f"decided by {answer.place or ('the alias' if home else 'no rule')}")
    for name, value in answer.headers.items():
        click.echo(f"{name}: {value}")


def _hosts(domain: str, aliases: tuple[str, ...]) -> Hosts | None:
    return Hosts(domain.lower(), frozenset(each.lower() for each in aliases)) if domain or aliases else None


def _compile(folder: Path, hosts: Hosts | None) -> tuple[Served, Rules]:
    paths = [
        each.relative_to(folder).as_posix()
        for each in folder.rglob("*")
        if each.is_file() and not _is_hidden(each.relative_to(folder))
    ]
    published = [each for each in paths if each not in compiling.FILES]
    return Served(published), compiling.compile_rules(_texts(folder), None, published, hosts)


def _texts(folder: Path) -> Mapping[str, bytes]:
    return {name: (folder / name).read_bytes() for name in compiling.FILES if (folder / name).is_file()}


def _is_hidden(path: Path) -> bool:
    return any(each.startswith(".") and each != ".well-known" for each in path.parts)


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
