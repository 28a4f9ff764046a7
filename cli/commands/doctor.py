"""``pages doctor``: whether the platform itself works, for its administrator."""

import sys

import click

from cli import exits
from cli.backends import Backend
from cli.diagnosis.verdicts import State, Verdict
from cli.options.backend import asks
from cli.output import dump

_COLOURS = {State.OK: "green", State.BROKEN: "red", State.WARNING: "yellow", State.UNKNOWN: "bright_black"}
_INDENT = " " * 27


@click.command()
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@asks
def doctor(backend: Backend, output: str) -> None:
    """Check everything that the platform needs: show what is wrong and how to fix it. For administrators.

    In a cluster: the CRDs, Metacontroller and its controllers, permissions, Platform, Traefik, cert-manager,
    Deployments, volume, Lease, and the DNS of the Platform's pagesDomain. With `pages serve`: git, nginx, the state.

    \b
    Exit codes: 0 nothing is broken (there may be warnings), 1 a check failed, 2 wrong usage, 3 the cluster cannot be
    reached.

    \b
    Examples:
      pages doctor
      pages doctor --context prod -o json
    """  # noqa: D301 - click wants the backspace
    verdicts = _examine(backend)
    if output == "text":
        click.echo(f"Checking {backend.where}")
        for verdict in verdicts:
            _print(verdict)
    else:
        fields = [
            {"check": each.name, "state": each.state.word, "message": each.text, "remedy": each.remedy}
            for each in verdicts
        ]
        click.echo(dump(fields, output))
    sys.exit(exits.NOT_READY if any(each.state is State.BROKEN for each in verdicts) else exits.OK)


def _examine(backend: Backend) -> list[Verdict]:
    if backend.is_cluster:
        return backend.examine()
    from cli.serve import checks  # noqa: PLC0415 - a cluster needs no programs of this machine

    return [checks.git(), checks.nginx(), *backend.examine(), checks.local_names()]


def _print(verdict: Verdict) -> None:
    sign = click.style(f"{verdict.state.sign} {verdict.state.word:<8}", fg=_COLOURS[verdict.state])
    click.echo(f"{sign} {verdict.name:<15} {verdict.text}")
    if verdict.state is not State.OK:
        for line in verdict.remedy.splitlines():
            click.echo(f"{_INDENT}→ {line}")
