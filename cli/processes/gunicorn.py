"""Runs one of our applications in gunicorn, with settings from our command line."""

import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import structlog
from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

if TYPE_CHECKING:  # the parent of the workers only waits, and should be small
    from flask import Flask

log = structlog.get_logger(__name__)

# Less than the 60 s that our pods have between SIGTERM and SIGKILL.
GRACEFUL_SECONDS = 30
_COLLECT_AFTER = 100_000  # objects; Python's default of 700 takes three quarters of the time of a large request


class _Logger(glogging.Logger):
    """Sends gunicorn's lines to our log."""

    def setup(self, cfg: object) -> None:  # noqa: ARG002 - gunicorn's signature
        self.error_log.propagate = True


_SETTINGS = {
    "worker_class": "gthread",
    "threads": 4,
    "timeout": 60,
    "graceful_timeout": GRACEFUL_SECONDS,
    "keepalive": 75,
    "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: PTH112, S108 - a heartbeat, no data
    "control_socket_disable": True,
    "logger_class": _Logger,
}


def run(load: Callable[[], "Flask"], bind: str, **settings: Any) -> None:  # noqa: ANN401 - gunicorn's own
    """Serve until SIGTERM or SIGINT. ``load`` creates the application, in each worker."""
    _Server(load, {**_SETTINGS, "bind": bind, **settings}).run()


def give_up(problem: str) -> NoReturn:
    """End the worker and its parent process, because another worker would fail as well."""
    log.error("not_started", error=problem)
    sys.exit(Arbiter.WORKER_BOOT_ERROR)


def freeze(_worker: object) -> None:
    """Exclude the libraries from garbage collection, because they are never freed."""
    gc.collect()
    gc.freeze()


def collect_seldom(worker: object) -> None:
    """Collect garbage rarely during large requests, because parsed JSON has no cycles."""
    freeze(worker)
    gc.set_threshold(_COLLECT_AFTER, 50, 100)


class _Server(BaseApplication):
    def __init__(self, load: Callable[[], "Flask"], settings: dict[str, Any]) -> None:
        self._load = load
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> "Flask":  # type: ignore[override] # a Flask is a WSGI application
        return self._load()
