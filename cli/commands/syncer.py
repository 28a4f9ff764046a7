"""``pages syncer``: from git to the volume, for the StaticSites of a cluster."""

import functools
import logging
import signal
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import logging_setup
from cli.commands.hooks import LOG_LEVEL
from cli.options import common, disk, metrics_port, site_limits
from cli.processes import gunicorn
from cli.processes.listener import Listener
from syncer.disk.policy import DiskPolicy
from syncer.egress.hosts import AllowedHosts
from syncer.limits import Limits
from syncer.schedule.schedule import Capacity
from syncer.webhooks import trust
from syncer.webhooks.trust import Trust

if TYPE_CHECKING:  # the process above the worker only waits, and should be small
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from flask import Flask
    from gunicorn.workers.base import Worker

    from syncer.cluster.cluster_syncer import ClusterSyncer

_MIN_LEASE_SECONDS = 5
_THREADS = 16  # a client that sends slowly holds one for a while


@click.command()
@click.option(
    "--allowed-hosts",
    callback=common.allowed_hosts,
    required=True,
    metavar="HOST,...",
    help=f"The git servers that a StaticSite may name: {common.HOSTS}.",
)
@click.option(
    "--namespace",
    default="kup6s-pages",
    show_default=True,
    help="The system namespace: where the Platform, the VirtualHosts and the Lease are.",
)
@click.option(
    "--volume",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/sites"),
    show_default=True,
    help="The shared volume; nginx serves its folder live.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/cache"),
    show_default=True,
    help="Where git mirrors are kept. It may be lost at any time.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True, help=common.WORKERS)
@click.option(
    "--per-host",
    type=click.IntRange(1, 64),
    help="Syncs from one git server at the same time.  [default: one less than --workers]",
)
@click.option(
    "--per-namespace",
    type=click.IntRange(1, 64),
    help="Syncs for one namespace at the same time.  [default: one less than --workers]",
)
@click.option(
    "--heartbeat",
    default="1h",
    show_default=True,
    callback=common.duration,
    help="How often lastSync is refreshed while nothing else changes. Each write makes the hooks look at everything.",
)
@click.option(
    "--lease",
    default="15s",
    show_default=True,
    callback=common.duration,
    help="How long a syncer that is gone is waited for before another takes over.",
)
@click.option(
    "--token-key-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True),
    help="A file with at least 32 bytes of secret, from which each site's status.syncToken is made. Without it there "
    "are no tokens.",
)
@common.WEBHOOK_SECRET
@click.option(
    "--without-webhooks", is_flag=True, help="Neither take webhooks nor answer /sync and /site: only polling is left."
)
@click.option(
    "--bind",
    default="0.0.0.0:8080",
    show_default=True,
    metavar="HOST:PORT",
    help="Where forges and tenants reach /webhook, /sync and /site, by way of Traefik.",
)
@click.option(
    "--health-bind",
    default="0.0.0.0:8081",
    show_default=True,
    metavar="HOST:PORT",
    help="Where the cluster asks for /healthz and /readyz. Nobody else should be able to.",
)
@click.option(
    "--dashboard-bind",
    default="",
    metavar="HOST:PORT",
    help="Where to show all sites to administrators, such as 0.0.0.0:8082. It asks for no password: put a proxy before "
    "it that does (docs/how-to/dashboard.md).  [default: nowhere]",
)
@metrics_port.metrics_bind("0.0.0.0:9091")
@metrics_port.site_metrics
@disk.disk
@LOG_LEVEL
@site_limits.limits
def syncer(  # noqa: PLR0917 - click passes them by name
    allowed_hosts: AllowedHosts,
    namespace: str,
    volume: Path,
    cache: Path,
    workers: int,
    per_host: int | None,
    per_namespace: int | None,
    heartbeat: timedelta,
    lease: timedelta,
    token_key_file: Path | None,
    webhook_secret_file: bytes | None,
    without_webhooks: bool,
    bind: str,
    health_bind: str,
    dashboard_bind: str,
    metrics_bind: str,
    site_metrics: bool,
    site_metrics_max: int,
    log_level: str,
    limits: Limits,
    disk: DiskPolicy,
) -> None:
    """Keep the volume current with the git repositories of all StaticSites, and say at each how it is.

    It finds the Kubernetes API as kubectl does: by KUBECONFIG, or by its ServiceAccount in a pod. Several may run; one
    holds the Lease and works, the others wait. /healthz says that it goes round, /readyz that it is the one at work.
    Forges are configured in docs/how-to/webhooks-*.md.

    \b
    Examples:
      pages syncer --allowed-hosts forge.example.com --webhook-secret-file /secrets/webhook
      KUBECONFIG=~/.kube/config pages syncer --without-webhooks --allowed-hosts '*.example.com' \\
        --volume /tmp/sites --cache /tmp/git
    """  # noqa: D301 - click wants the backspace
    _check_lease(lease)
    trust = Trust(webhook_secret_file, _token_key(token_key_file) if token_key_file else None)
    _check_trust(trust, without_webhooks=without_webhooks)
    logging_setup.set_level(logging.getLevelNamesMapping()[log_level.upper()])

    @functools.cache
    def at_work() -> "ClusterSyncer":
        """The worker's, made there."""
        from syncer.cluster.cluster_syncer import ClusterSyncer, Settings  # noqa: PLC0415

        settings = Settings(
            namespace=namespace,
            volume=volume,
            cache=cache,
            hosts=allowed_hosts,
            capacity=Capacity.of(workers, per_host, per_namespace),
            heartbeat=heartbeat,
            disk=disk,
            lease=lease,
            trust=trust,
            limits=limits,
            site_metrics=site_metrics_max if site_metrics else 0,
        )
        return ClusterSyncer(settings)

    def health() -> "Flask":
        from syncer.cluster.health import create_app  # noqa: PLC0415

        return create_app(at_work().sick, at_work().not_ready)

    def api() -> "Flask":
        from syncer.app import create_app  # noqa: PLC0415

        return create_app(trust, at_work().engine(), at_work().record)

    def dashboard() -> "Flask":
        from syncer.dashboard.app import create_app  # noqa: PLC0415

        return create_app(at_work().view())

    def shown_metrics() -> "WSGIApplication":
        from pages import metrics  # noqa: PLC0415

        return metrics.create_app(metrics.of_one_process(at_work().registry))

    beside: list[tuple[Listener | None, Callable[[], WSGIApplication]]] = [
        (None if without_webhooks else Listener.for_option("--health-bind", health_bind), health),
        (_listener("--dashboard-bind", dashboard_bind), dashboard),
        (metrics_port.listen(metrics_bind), shown_metrics),
    ]

    def start(worker: "Worker") -> None:
        from syncer.cluster.cluster_syncer import NoCluster  # noqa: PLC0415

        gunicorn.freeze(worker)
        try:
            at_work().start(on_lost=lambda: worker.handle_exit(signal.SIGTERM, None))
        except NoCluster as error:
            gunicorn.give_up(str(error))
        for listener, app in beside:
            if listener:
                listener.start(app())

    gunicorn.run(
        health if without_webhooks else api,
        health_bind if without_webhooks else bind,
        workers=1,
        worker_class="cli.processes.impatient.ImpatientWorker",
        threads=_THREADS,
        keepalive=0,  # after a request that was refused, the rest of its body is not read (W4)
        post_worker_init=start,
        worker_exit=lambda _server, _worker: at_work().stop(),
    )


def _listener(option: str, bind: str) -> Listener | None:
    return Listener.for_option(option, bind) if bind else None


def _check_lease(lease: timedelta) -> None:
    if lease < timedelta(seconds=_MIN_LEASE_SECONDS):
        raise click.BadParameter(f"must be at least {_MIN_LEASE_SECONDS}s", param_hint="--lease")


def _check_trust(trust: Trust, *, without_webhooks: bool) -> None:
    """Nothing is taken from just anybody, and nobody should believe that webhooks arrive when none can (W1)."""
    if without_webhooks and trust.platform_secret:
        raise click.UsageError("--without-webhooks and --webhook-secret-file exclude each other")
    if not without_webhooks and not trust.platform_secret and not trust.token_key:
        raise click.UsageError(
            "nobody could sign a webhook: give --webhook-secret-file (a secret of the forges'), or --token-key-file "
            "(each site has its own), or both; or say --without-webhooks"
        )


def _token_key(file: Path) -> bytes:
    key = file.read_bytes().strip()
    if len(key) < trust.MIN_KEY_BYTES:
        raise click.BadParameter(
            f"{file} holds {len(key)} bytes; {trust.MIN_KEY_BYTES} are needed: head -c 32 /dev/urandom | base64",
            param_hint="--token-key-file",
        )
    return key
