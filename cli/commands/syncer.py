"""``pages syncer``: from git to the volume, for the StaticSites of a cluster."""

import logging
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

import click

from cli import logging_setup
from cli.commands.hooks import LOG_LEVEL
from cli.options import metrics_port
from cli.options.cluster_settings import cluster_settings
from cli.processes import gunicorn
from cli.processes.listener import Listener
from syncer.settings import ClusterSettings

if TYPE_CHECKING:  # the process above the worker only waits, and should be small
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication

    from flask import Flask
    from gunicorn.workers.base import Worker as GunicornWorker

    from syncer.cluster.cluster_syncer import ClusterSyncer

_THREADS = 16  # a client that sends slowly occupies one for a while


@click.command()
@cluster_settings
@LOG_LEVEL
def syncer(settings: ClusterSettings, log_level: str) -> None:
    """Keep the volume in sync with the git repositories of all StaticSites, and report on each in its status.

    It finds the Kubernetes API as kubectl does: by KUBECONFIG, or by its ServiceAccount in a pod. Several may run: one
    holds the Lease and works, the others wait. /healthz says whether it is running, /readyz whether it is the one at
    work. To configure forges, see docs/how-to/webhooks-*.md.

    \b
    Examples:
      pages syncer --allowed-hosts forge.example.com --webhook-secret-file /secrets/webhook
      KUBECONFIG=~/.kube/config pages syncer --without-webhooks --allowed-hosts '*.example.com' \\
        --volume /tmp/sites --cache /tmp/git
    """  # noqa: D301 - click wants the backspace
    logging_setup.set_level(logging.getLevelNamesMapping()[log_level.upper()])
    worker = Worker(settings)
    gunicorn.run(
        worker.load,
        settings.binds.api or settings.binds.health,
        workers=1,
        worker_class="cli.processes.impatient.ImpatientWorker",
        threads=_THREADS,
        keepalive=0,  # after a rejected request, the rest of its body is not read (W4)
        post_worker_init=worker.start,
        worker_exit=worker.stop,
    )


class Worker:
    """The one worker process of gunicorn. Its ports are opened above it, so that one in use is reported at once."""

    def __init__(self, settings: ClusterSettings) -> None:
        binds = settings.binds
        self._settings = settings
        self._health = Listener.for_option("--health-bind", binds.health) if binds.api else None
        self._dashboard = Listener.for_option("--dashboard-bind", binds.dashboard) if binds.dashboard else None
        self._metrics = metrics_port.listen(binds.metrics)
        self._started = ExitStack()

    @cached_property
    def syncer(self) -> "ClusterSyncer":
        """The syncer, built in the worker: the process above it should stay small."""
        from syncer.cluster.cluster_syncer import ClusterSyncer, NoCluster  # noqa: PLC0415

        try:
            return ClusterSyncer(self._settings)
        except NoCluster as error:
            gunicorn.give_up(str(error))

    def load(self) -> "Flask":
        """The application on gunicorn's own port."""
        return self.syncer.parts.api() if self._settings.binds.api else self.health()

    def health(self) -> "Flask":
        """The application that answers /healthz and /readyz."""
        from syncer.cluster.health import create_app  # noqa: PLC0415

        return create_app(self.syncer)

    def apps(self) -> "Iterator[tuple[Listener, WSGIApplication]]":
        """The applications on other ports."""
        from pages import metrics  # noqa: PLC0415

        if self._health:
            yield self._health, self.health()
        if self._dashboard:
            yield self._dashboard, self.syncer.parts.dashboard()
        if self._metrics:
            yield self._metrics, metrics.create_app(metrics.of_one_process(self.syncer.registry))

    def start(self, worker: "GunicornWorker") -> None:
        """Start to work; called in the worker."""
        gunicorn.freeze(worker)
        self.syncer.start()
        self._started.callback(self.syncer.stop)
        for listener, app in self.apps():
            listener.start(app)

    def stop(self, _server: object, _worker: object) -> None:
        """Stop all work, if it was started."""
        self._started.close()
