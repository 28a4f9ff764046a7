"""``pages doctor``: whether the platform itself is well, for its administrator."""

import json
import sys

import click

from cli import exits
from cli.backends import Backend
from cli.diagnosis.verdicts import Link, State
from cli.options.backend import asks
from cli.output import dump_yaml

_COLOURS = {State.OK: "green", State.BROKEN: "red", State.WARNING: "yellow", State.UNKNOWN: "bright_black"}


@click.command()
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@asks
def doctor(backend: Backend, output: str) -> None:
    """Look at everything that the platform needs, and say what is wrong and what to do. For administrators.

    In a cluster: the kinds (CRDs), Metacontroller and its controllers, rights, Platform, Traefik, cert-manager,
    deployments, volume, Lease, and the DNS of the Platform's pagesDomain. With `pages serve`: nginx, git, the state.

    \b
    Exit codes: 0 all is well (warnings count as well), 1 something is not, 2 wrong usage, 3 the cluster cannot be
    asked.

    \b
    Examples:
      pages doctor
      pages doctor --context prod -o json
    """  # noqa: D301 - click wants the backspace
    checks = _checks(backend)
    if output == "text":
        click.echo(f"Looking at {backend.where}")
        for check in checks:
            _print(check)
    else:
        told = [
            {"check": each.name, "state": each.state.word, "message": each.text, "remedy": each.remedy}
            for each in checks
        ]
        click.echo(json.dumps(told, indent=2) if output == "json" else dump_yaml(told))
    sys.exit(exits.NOT_READY if any(each.state is State.BROKEN for each in checks) else exits.OK)


def _checks(backend: Backend) -> list[Link]:
    if backend.is_cluster:
        from cli.backends import cluster_installation  # noqa: PLC0415
        from cli.backends.cluster import Cluster  # noqa: PLC0415 - half a second that only this needs
        from cli.diagnosis import installation  # noqa: PLC0415

        assert isinstance(backend, Cluster)  # noqa: S101 - there is one kind of cluster
        return installation.examine(cluster_installation.look(backend))
    from cli.backends.local import Local  # noqa: PLC0415
    from cli.serve import checks  # noqa: PLC0415

    assert isinstance(backend, Local)  # noqa: S101
    return checks.examine(backend)


def _print(check: Link) -> None:
    sign = click.style(f"{check.state.sign} {check.state.word:<8}", fg=_COLOURS[check.state])
    click.echo(f"{sign} {check.name:<15} {check.text}")
    if check.state is not State.OK:
        for line in check.remedy.splitlines():
            click.echo(f"{'':27}→ {line}")
