"""``pages hooks``: the hooks that Metacontroller calls."""

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import logging_setup
from cli.options import metrics_port
from cli.processes import gunicorn
from cli.processes.shared_metrics import SharedMetrics
from hooks.bearer import NoToken, Tokens

if TYPE_CHECKING:
    from flask import Flask
    from gunicorn.workers.base import Worker

LOG_LEVEL = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The least severe level to log, as lines of JSON to stderr.",
)


@click.command()
@click.option(
    "--bind",
    default="127.0.0.1:8080",
    show_default=True,
    metavar="HOST:PORT",
    help="The address to listen on. Callers of a hook learn no secrets, but can keep it busy.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Number of processes.",
)
@metrics_port.metrics_bind("0.0.0.0:9090")
@click.option(
    "--tokens",
    "token_folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of files, for example a mounted Secret, each with a token that callers send as Bearer. Without it, "
    "callers need no token.",
)
@LOG_LEVEL
def hooks(bind: str, workers: int, metrics_bind: str, token_folder: Path | None, log_level: str) -> None:
    """Answer Metacontroller's hooks.

    Stateless: it makes no requests, stores nothing and needs no permissions. metacontroller/*.yaml call
    /platform/customize, /platform/sync and /virtualhost/sync. /healthz reports that it is running, /readyz that it
    answers hooks.

    \b
    Examples:
      pages hooks
      pages hooks --bind 0.0.0.0:8080 --tokens /secrets --workers 4
    """  # noqa: D301 - click wants the backspace
    logging_setup.set_level(logging.getLevelNamesMapping()[log_level.upper()])
    app = partial(_create_app, _tokens(token_folder) if token_folder else None)
    settings: dict[str, Any] = {"workers": workers, "post_worker_init": gunicorn.collect_seldom}
    listener = metrics_port.listen(metrics_bind)
    if listener is None:
        gunicorn.run(app, bind, **settings)
        return
    shared = SharedMetrics(listener)

    def start(worker: "Worker") -> None:
        gunicorn.collect_seldom(worker)
        shared.show()

    settings |= {"pre_fork": shared.seat, "post_fork": lambda _, worker: shared.take(worker), "post_worker_init": start}
    with shared.folder():
        gunicorn.run(app, bind, **settings)


def _create_app(tokens: Tokens | None) -> "Flask":
    from hooks.app import create_app  # noqa: PLC0415 - in the worker: its parent process only waits

    return create_app(tokens=tokens)


def _tokens(folder: Path) -> Tokens:
    try:
        return Tokens(folder)
    except (NoToken, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--tokens") from None
