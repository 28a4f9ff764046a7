"""The options of `pages syncer`."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from cli.options import common, disk, metrics_port, site_limits
from syncer.schedule.lanes import Capacity
from syncer.settings import HOUSEKEEPING_SECONDS, Binds, ClusterSettings, Settings
from syncer.webhooks import trust
from syncer.webhooks.trust import Trust

_MIN_LEASE = timedelta(seconds=5)


def _lease(context: click.Context, parameter: click.Parameter, value: str) -> timedelta:
    lease = common.duration(context, parameter, value)
    if lease < _MIN_LEASE:
        raise click.BadParameter(f"must be at least {_MIN_LEASE.seconds}s")
    return lease


def _token_key(_context: click.Context, _parameter: click.Parameter, file: Path | None) -> bytes | None:
    if file is None:
        return None
    key = file.read_bytes().strip()
    if len(key) < trust.MIN_KEY_BYTES:
        raise click.BadParameter(
            f"{file} has {len(key)} bytes, but needs {trust.MIN_KEY_BYTES}; "
            "to create a key: head -c 32 /dev/urandom | base64"
        )
    return key


_OPTIONS: dict[str, common.Decorator] = {
    "allowed_hosts": click.option(
        "--allowed-hosts",
        callback=common.allowed_hosts,
        required=True,
        metavar="HOST,...",
        help=f"The git servers that StaticSites may use: {common.HOSTS}.",
    ),
    "namespace": common.option(
        "--namespace", "kup6s-pages", "The system namespace, with the Platform, the VirtualHosts and the Lease."
    ),
    "volume": common.option(
        "--volume",
        Path("/sites"),
        "The shared volume; nginx serves its folder live.",
        type=click.Path(path_type=Path, file_okay=False),
    ),
    "cache": common.option(
        "--cache",
        Path("/cache"),
        "Where git mirrors are kept. It may be deleted at any time.",
        type=click.Path(path_type=Path, file_okay=False),
    ),
    "workers": common.option("--workers", 4, common.WORKERS, type=click.IntRange(1, 64)),
    "per_host": click.option(
        "--per-host",
        type=click.IntRange(1, 64),
        help="Syncs from one git server at the same time.  [default: one less than --workers]",
    ),
    "per_namespace": click.option(
        "--per-namespace",
        type=click.IntRange(1, 64),
        help="Syncs for one namespace at the same time.  [default: one less than --workers]",
    ),
    "heartbeat": common.option(
        "--heartbeat",
        "1h",
        "How often to refresh lastSync if nothing else changes. Each write makes the hooks process all sites.",
        callback=common.duration,
    ),
    "lease": common.option(
        "--lease", "15s", "How long to wait for a missing leader before taking over.", callback=_lease
    ),
    "token_key_file": click.option(
        "--token-key-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True),
        callback=_token_key,
        help="A file with at least 32 secret bytes, from which the status.syncToken of each site is derived. Without "
        "it, sites have no tokens.",
    ),
    "webhook_secret_file": common.WEBHOOK_SECRET,
    "without_webhooks": click.option(
        "--without-webhooks", is_flag=True, help="Disable webhooks, /sync and /site; poll only."
    ),
    "bind": common.option(
        "--bind",
        "0.0.0.0:8080",
        "Where forges and tenants reach /webhook, /sync and /site, through Traefik.",
        metavar="HOST:PORT",
    ),
    "health_bind": common.option(
        "--health-bind",
        "0.0.0.0:8081",
        "Where the cluster reaches /healthz and /readyz. Let no other clients reach it.",
        metavar="HOST:PORT",
    ),
    "dashboard_bind": click.option(
        "--dashboard-bind",
        default="",
        metavar="HOST:PORT",
        help="Where to show all sites to administrators, such as 0.0.0.0:8082. It has no login: put an authenticating "
        "proxy in front of it (docs/how-to/dashboard.md).  [default: nowhere]",
    ),
    "metrics_bind": metrics_port.metrics_bind("0.0.0.0:9091"),
    "site_metrics": metrics_port.site_metrics,
    "disk": disk.disk,
    "limits": site_limits.limits,
}


def _settings(values: dict[str, Any]) -> ClusterSettings:
    policy = values["disk"]
    settings = ClusterSettings(
        namespace=values["namespace"],
        lease=values["lease"],
        binds=Binds(
            api="" if values["without_webhooks"] else values["bind"],
            health=values["health_bind"],
            dashboard=values["dashboard_bind"],
            metrics=values["metrics_bind"],
        ),
        site_metrics=values["site_metrics"],
        syncer=Settings(
            volume=values["volume"],
            cache=values["cache"],
            hosts=values["allowed_hosts"],
            limits=values["limits"],
            disk=policy,
            capacity=Capacity.of(values["workers"], values["per_host"], values["per_namespace"]),
            trust=Trust(values["webhook_secret_file"], values["token_key_file"]),
            heartbeat=values["heartbeat"],
            # What is kept for less than a minute should not wait a minute to be deleted.
            housekeeping_seconds=min(HOUSEKEEPING_SECONDS, max(1.0, policy.grace_seconds)),
        ),
    )
    _check_trust(settings)
    return settings


def _check_trust(settings: ClusterSettings) -> None:
    """Reject webhooks that nothing could verify, and a secret that no webhook could use (W1)."""
    trusted = settings.syncer.trust
    if not settings.binds.api and trusted.platform_secret:
        raise click.UsageError("--without-webhooks and --webhook-secret-file exclude each other; remove one of them")
    if settings.binds.api and not trusted.platform_secret and not trusted.token_key:
        raise click.UsageError(
            "webhooks cannot be verified: pass --webhook-secret-file (one secret of the forges) or --token-key-file "
            "(a token for each site), or both; or pass --without-webhooks"
        )


cluster_settings = common.grouped("settings", _OPTIONS, _settings)
