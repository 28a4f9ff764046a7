"""The options of `pages syncer`."""

import functools
from collections.abc import Callable
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


_OPTIONS = (
    click.option(
        "--allowed-hosts",
        callback=common.allowed_hosts,
        required=True,
        metavar="HOST,...",
        help=f"The git servers that StaticSites may use: {common.HOSTS}.",
    ),
    common.option(
        "--namespace", "kup6s-pages", "The system namespace, with the Platform, the VirtualHosts and the Lease."
    ),
    common.option(
        "--volume",
        Path("/sites"),
        "The shared volume; nginx serves its folder live.",
        type=click.Path(path_type=Path, file_okay=False),
    ),
    common.option(
        "--cache",
        Path("/cache"),
        "Where git mirrors are kept. It may be deleted at any time.",
        type=click.Path(path_type=Path, file_okay=False),
    ),
    common.option("--workers", 4, common.WORKERS, type=click.IntRange(1, 64)),
    click.option(
        "--per-host",
        type=click.IntRange(1, 64),
        help="Syncs from one git server at the same time.  [default: one less than --workers]",
    ),
    click.option(
        "--per-namespace",
        type=click.IntRange(1, 64),
        help="Syncs for one namespace at the same time.  [default: one less than --workers]",
    ),
    common.option(
        "--heartbeat",
        "1h",
        "How often to refresh lastSync if nothing else changes. Each write makes the hooks process all sites.",
        callback=common.duration,
    ),
    common.option("--lease", "15s", "How long to wait for a missing leader before taking over.", callback=_lease),
    click.option(
        "--token-key-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True),
        callback=_token_key,
        help="A file with at least 32 secret bytes, from which the status.syncToken of each site is derived. Without "
        "it, sites have no tokens.",
    ),
    common.WEBHOOK_SECRET,
    click.option("--without-webhooks", is_flag=True, help="Disable webhooks, /sync and /site; poll only."),
    common.option(
        "--bind",
        "0.0.0.0:8080",
        "Where forges and tenants reach /webhook, /sync and /site, through Traefik.",
        metavar="HOST:PORT",
    ),
    common.option(
        "--health-bind",
        "0.0.0.0:8081",
        "Where the cluster reaches /healthz and /readyz. Let no other clients reach it.",
        metavar="HOST:PORT",
    ),
    click.option(
        "--dashboard-bind",
        default="",
        metavar="HOST:PORT",
        help="Where to show all sites to administrators, such as 0.0.0.0:8082. It has no login: put an authenticating "
        "proxy in front of it (docs/how-to/dashboard.md).  [default: nowhere]",
    ),
    metrics_port.metrics_bind("0.0.0.0:9091"),
    metrics_port.site_metrics,
    disk.disk,
    site_limits.limits,
)


def cluster_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it gets their values as ``settings``."""

    @functools.wraps(command)
    def with_settings(**given: Any) -> None:  # noqa: ANN401 - the values of all options
        binds = Binds(
            api="" if given.pop("without_webhooks") else given["bind"],
            health=given.pop("health_bind"),
            dashboard=given.pop("dashboard_bind"),
            metrics=given.pop("metrics_bind"),
        )
        del given["bind"]
        most_sites, site_metrics = given.pop("site_metrics_max"), given.pop("site_metrics")
        settings = ClusterSettings(
            namespace=given.pop("namespace"),
            lease=given.pop("lease"),
            binds=binds,
            site_metrics=most_sites if site_metrics else 0,
            syncer=_syncer_settings(given),
        )
        _check_trust(settings)
        command(settings=settings, **given)

    wrapped: Callable[..., None] = with_settings
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _syncer_settings(given: dict[str, Any]) -> Settings:
    policy = given.pop("disk")
    return Settings(
        volume=given.pop("volume"),
        cache=given.pop("cache"),
        hosts=given.pop("allowed_hosts"),
        limits=given.pop("limits"),
        disk=policy,
        capacity=Capacity.of(given.pop("workers"), given.pop("per_host"), given.pop("per_namespace")),
        trust=Trust(given.pop("webhook_secret_file"), given.pop("token_key_file")),
        heartbeat=given.pop("heartbeat"),
        # What is kept for less than a minute should not wait a minute to be deleted.
        housekeeping_seconds=min(HOUSEKEEPING_SECONDS, max(1.0, policy.grace_seconds)),
    )


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
