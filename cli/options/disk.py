"""The options that say how the volume is used."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from cli.options import common
from syncer.disk.policy import DiskPolicy, Quota

_DISK = (
    common.option(
        "--grace",
        "10m",
        "How long files are kept that are not served any more, for those who still read them.",
        callback=common.duration,
    ),
    common.option(
        "--keep-releases",
        3,
        "How many releases before the live one are kept of each site after that, while there is room.",
        type=click.IntRange(0),
    ),
    common.option(
        "--keep-for",
        "168h",
        "How long such a release is kept at most.",
        callback=common.duration,
    ),
    common.option(
        "--keep-assets-for",
        "24h",
        "How long assets with a content hash in their names are answered that the live release has no more, so that "
        "pages that are open find them; 0s: not at all.",
        callback=common.duration,
    ),
    common.option(
        "--keep-free",
        1.0,
        "How much of the volume and of the cache is never used; old releases go before that.",
        type=click.FloatRange(0, 50),
        metavar="PERCENT",
    ),
    common.option(
        "--site-quota",
        "2Gi",
        "What all kept releases of one site may use of the volume, unchanged files counted once; 0: no limit.",
        callback=common.size(),
        metavar="BYTES",
    ),
    common.option(
        "--site-quota-files",
        100_000,
        "How many files and folders they may have; 0: no limit.",
        type=click.IntRange(0),
    ),
    common.option(
        "--namespace-quota",
        "20Gi",
        "What all sites of one namespace may use of the volume; 0: no limit.",
        callback=common.size(),
        metavar="BYTES",
    ),
    common.option(
        "--namespace-quota-files",
        1_000_000,
        "How many files and folders they may have; 0: no limit.",
        type=click.IntRange(0),
    ),
    common.option(
        "--verify",
        "16Mi",
        "How much of what is served is read back each minute, to find what the disk or somebody has changed.",
        callback=common.size(),
        metavar="BYTES",
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
        keep_assets_for: timedelta,
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
            keep_assets_seconds=keep_assets_for.total_seconds(),
            site=Quota(site_quota, site_quota_files),
            namespace=Quota(namespace_quota, namespace_quota_files),
            verify_bytes=verify,
        )
        command(disk=policy, **others)

    wrapped: Callable[..., None] = with_disk
    for option in reversed(_DISK):
        wrapped = option(wrapped)
    return wrapped
