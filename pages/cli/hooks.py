"""``pages hooks``: the hooks that Metacontroller calls."""

import logging
from typing import TYPE_CHECKING, Any

import click

from pages.cli import gunicorn, logs, metrics_options
from pages.cli.shared_metrics import SharedMetrics

if TYPE_CHECKING:
    from flask import Flask
    from gunicorn.workers.base import Worker

LOG_LEVEL = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What to log: lines of JSON, to stderr.",
)


@click.command()
@click.option(
    "--bind",
    default="127.0.0.1:8080",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen. Whoever can call a hook learns nothing that is secret, but may keep it busy.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Processes that answer at the same time.",
)
@metrics_options.metrics_bind("0.0.0.0:9090")
@LOG_LEVEL
def hooks(bind: str, workers: int, metrics_bind: str, log_level: str) -> None:
    """Answer Metacontroller's hooks.

    Stateless: it asks nobody, keeps nothing and needs no rights. metacontroller/*.yaml name its addresses:
    /platform/customize, /platform/sync and /virtualhost/sync. /healthz says that it runs, /readyz that it decides.

    \b
    Examples:
      pages hooks
      pages hooks --bind 0.0.0.0:8080 --workers 4
    """  # noqa: D301 - click wants the backspace
    logs.set_level(logging.getLevelNamesMapping()[log_level.upper()])
    settings: dict[str, Any] = {"workers": workers, "post_worker_init": gunicorn.collect_seldom}
    listener = metrics_options.listen(metrics_bind)
    if listener is None:
        gunicorn.run(_create_app, bind, **settings)
        return
    shared = SharedMetrics(listener)

    def start(worker: "Worker") -> None:
        gunicorn.collect_seldom(worker)
        shared.show()

    settings |= {"pre_fork": shared.seat, "post_fork": lambda _, worker: shared.take(worker), "post_worker_init": start}
    with shared.folder():
        gunicorn.run(_create_app, bind, **settings)


def _create_app() -> "Flask":
    from hooks.app import create_app  # noqa: PLC0415 - in the worker: the process above it only waits

    return create_app()
