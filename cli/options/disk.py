"""The options for the use of the volume."""

from typing import Any

import click

from cli.options import common
from syncer.disk.policy import DiskPolicy, Quota

_SIZE = {"metavar": "BYTES", "callback": common.size()}
_OPTIONS = {
    "grace": common.option(
        "--grace",
        "10m",
        "How long to keep files that are no longer served, for visitors who are still reading them.",
        callback=common.duration,
    ),
    "keep_releases": common.option(
        "--keep-releases",
        3,
        "How many releases before the live one to keep of each site after that, while disk space allows.",
        type=click.IntRange(0),
    ),
    "keep_for": common.option(
        "--keep-for", "168h", "How long to keep such a release at most.", callback=common.duration
    ),
    "keep_assets_for": common.option(
        "--keep-assets-for",
        "24h",
        "How long to serve assets with a content hash in their names after they have left the live release, for pages "
        "that are still open; 0s to stop at once.",
        callback=common.duration,
    ),
    "keep_free": common.option(
        "--keep-free",
        1.0,
        "The part of the volume and of the cache to keep free; old releases are removed to reach it.",
        type=click.FloatRange(0, 50),
        metavar="PERCENT",
    ),
    "site_quota": common.option(
        "--site-quota",
        "2Gi",
        "The space for all kept releases of a site, unchanged files counted once; 0 for no limit.",
        **_SIZE,
    ),
    "site_quota_files": common.option(
        "--site-quota-files",
        100_000,
        "How many files and folders they may have; 0 for no limit.",
        type=click.IntRange(0),
    ),
    "namespace_quota": common.option(
        "--namespace-quota", "20Gi", "The space for all sites of a namespace; 0 for no limit.", **_SIZE
    ),
    "namespace_quota_files": common.option(
        "--namespace-quota-files",
        1_000_000,
        "How many files and folders they may have; 0 for no limit.",
        type=click.IntRange(0),
    ),
    "verify": common.option(
        "--verify",
        "16Mi",
        "How much of the live releases to read back each minute, to find files that were damaged or changed.",
        **_SIZE,
    ),
}


def _policy(values: dict[str, Any]) -> DiskPolicy:
    return DiskPolicy(
        grace_seconds=values["grace"].total_seconds(),
        keep_releases=values["keep_releases"],
        keep_seconds=values["keep_for"].total_seconds(),
        keep_free=values["keep_free"] / 100,
        keep_assets_seconds=values["keep_assets_for"].total_seconds(),
        site=Quota(values["site_quota"], values["site_quota_files"]),
        namespace=Quota(values["namespace_quota"], values["namespace_quota_files"]),
        verify_bytes=values["verify"],
    )


disk = common.grouped("disk", _OPTIONS, _policy)
