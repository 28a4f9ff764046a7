"""The options for the metrics: where a command serves them, and for how many sites."""

from typing import Any

import click

from cli.options import common
from cli.processes.listener import Listener

_OFF = {"-", ""}
_MOST_SITES = 5_000
_MOST_CONNECTIONS = 32


def metrics_bind(default: str) -> common.Decorator:
    """``--metrics-bind``, with this default."""
    return click.option(
        "--metrics-bind",
        default=default,
        show_default=True,
        metavar="HOST:PORT",
        help="The address for /metrics (docs/how-to/monitor.md); - to turn it off. Metrics include the names of sites.",
    )


def _most_sites(values: dict[str, Any]) -> int:
    most: int = values["site_metrics_max"]
    return most if values["site_metrics"] else 0


site_metrics = common.grouped(
    "site_metrics",
    {
        "site_metrics": click.option(
            "--site-metrics/--no-site-metrics",
            default=True,
            show_default=True,
            help="Whether each site has metrics of its own.",
        ),
        "site_metrics_max": common.option(
            "--site-metrics-max",
            _MOST_SITES,
            "The number of sites with metrics of their own: the first ones by namespace and name.",
            type=click.IntRange(0),
        ),
    },
    _most_sites,
)


def listen(bind: str) -> Listener | None:
    """Listens at once, so that a port in use is reported at the start; None where metrics are turned off."""
    return None if bind in _OFF else Listener.for_option("--metrics-bind", bind, _MOST_CONNECTIONS)
