"""The options that say how the volume is used."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from pages.cli import options
from syncer.volume.policy import DiskPolicy, Quota

_DISK = (
    click.option(
        "--grace",
        default="10m",
        show_default=True,
        callback=options.duration,
        help="How long files are kept that are not served any more, for those who still read them.",
    ),
    click.option(
        "--keep-releases",
        type=click.IntRange(0),
        default=3,
        show_default=True,
        help="How many releases before the live one are kept of each site after that, while there is room.",
    ),
    click.option(
        "--keep-for",
        default="168h",
        show_default=True,
        callback=options.duration,
        help="How long such a release is kept at most.",
    ),
    click.option(
        "--keep-free",
        type=click.FloatRange(0, 50),
        default=1.0,
        show_default=True,
        metavar="PERCENT",
        help="How much of the volume and of the cache is never used; old releases go before that.",
    ),
    click.option(
        "--site-quota",
        default="2Gi",
        show_default=True,
        callback=options.size(),
        metavar="BYTES",
        help="What all kept releases of one site may use of the volume, unchanged files counted once; 0: no limit.",
    ),
    click.option(
        "--site-quota-files",
        type=click.IntRange(0),
        default=100_000,
        show_default=True,
        help="How many files and folders they may have; 0: no limit.",
    ),
    click.option(
        "--namespace-quota",
        default="20Gi",
        show_default=True,
        callback=options.size(),
        metavar="BYTES",
        help="What all sites of one namespace may use of the volume; 0: no limit.",
    ),
    click.option(
        "--namespace-quota-files",
        type=click.IntRange(0),
        default=1_000_000,
        show_default=True,
        help="How many files and folders they may have; 0: no limit.",
    ),
    click.option(
        "--verify",
        default="16Mi",
        show_default=True,
        callback=options.size(),
        metavar="BYTES",
        help="How much of what is served is read back each minute, to find what the disk or somebody has changed.",
    ),
)


def disk(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it gets what they say as ``disk``."""

    @functools.wraps(command)
    def with_disk(
        *,
        grace: timedelta,
        keep_releases: int,
        keep_for: timedelta,
        keep_free: float,
        site_quota: int,
        site_quota_files: int,
        namespace_quota: int,
        namespace_quota_files: int,
        verify: int,
        **others: Any,  # noqa: ANN401 - whatever else the command takes
    ) -> None:
        policy = DiskPolicy(
            grace_seconds=grace.total_seconds(),
            keep_releases=keep_releases,
            keep_seconds=keep_for.total_seconds(),
            keep_free=keep_free / 100,
            site=Quota(site_quota, site_quota_files),
            namespace=Quota(namespace_quota, namespace_quota_files),
            verify_bytes=verify,
        )
        command(disk=policy, **others)

    wrapped: Callable[..., None] = with_disk
    for option in reversed(_DISK):
        wrapped = option(wrapped)
    return wrapped
