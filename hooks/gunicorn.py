"""Gunicorn's settings: ``gunicorn --config python:hooks.gunicorn 'hooks.app:create_app()'``.

Stateless and CPU-bound, so a process per worker. Metacontroller waits as long as its manifests say (30 s).
"""

import gc
import os

bind = os.environ.get("PAGES_HOOKS_BIND", "127.0.0.1:8080")
workers = int(os.environ.get("PAGES_HOOKS_WORKERS", "2"))
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 30
keepalive = 75
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108 - a heartbeat file, not data
accesslog = None
errorlog = "-"


def post_worker_init(_worker: object) -> None:
    """Spare the garbage collector the libraries: it would walk them all in the middle of large requests."""
    gc.collect()
    gc.freeze()
