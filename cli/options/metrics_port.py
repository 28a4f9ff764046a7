"""Where a command shows its metrics, and of how many sites."""

from collections.abc import Callable

import click

from cli.options import common
from cli.processes.listener import Listener

_OFF = {"-", ""}
_MOST_SITES = 5_000
_MOST_CONNECTIONS = 32


def metrics_bind(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """``--metrics-bind``, with this default."""
    return click.option(
        "--metrics-bind",
        default=default,
        show_default=True,
        metavar="HOST:PORT",
        help="Where Prometheus asks for /metrics (docs/how-to/monitor.md); - for nowhere. It shows the names of sites.",
    )


def site_metrics(command: Callable[..., None]) -> Callable[..., None]:
    """``--site-metrics`` and ``--site-metrics-max``."""
    most = common.option(
        "--site-metrics-max",
        _MOST_SITES,
        "How many sites have metrics of their own at most: the first by namespace and name.",
        type=click.IntRange(0),
    )
    whether = click.option(
        "--site-metrics/--no-site-metrics",
        default=True,
        show_default=True,
        help="Whether each site has metrics of its own.",
    )
    return whether(most(command))


def listen(bind: str) -> Listener | None:
    """The port, taken at once so that one in use shows; None where there is to be none."""
    return None if bind in _OFF else Listener.for_option("--metrics-bind", bind, _MOST_CONNECTIONS)
