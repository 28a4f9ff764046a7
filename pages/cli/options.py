"""What several commands accept in the same way."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypedDict, TypeVar

import click

from pages import validation
from syncer.hosts import AllowedHosts
from syncer.policy import DiskPolicy, Quota

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SIZE = re.compile(r"([0-9]{1,9})(|Ki|Mi|Gi|Ti)(B?)")
_UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}


def allowed_hosts(_context: click.Context, _parameter: click.Parameter, value: str | None) -> AllowedHosts | None:
    """Git servers, separated by commas."""
    try:
        hosts = None if value is None else AllowedHosts.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if hosts is not None and not hosts.patterns:
        raise click.BadParameter("names no host: write forge.example.com, or *.example.com")
    return hosts


def duration(_context: click.Context, _parameter: click.Parameter, value: str) -> timedelta:
    """``30s``, ``5m``, ``1h30m``."""
    try:
        return validation.duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def size(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    """Bytes: ``500Mi``, ``2GiB``."""
    match = _SIZE.fullmatch(value)
    if not match:
        raise click.BadParameter("must be a number of bytes such as 500Mi or 2GiB")
    return int(match[1]) * _UNITS[match[2]]


class DiskOptions(TypedDict):
    """What the options of ``disk`` give to a command."""

    grace: timedelta
    keep_releases: int
    keep_for: timedelta
    keep_free: float
    site_quota: int
    site_quota_files: int
    namespace_quota: int
    namespace_quota_files: int
    verify: int


def disk(command: _Command) -> _Command:
    """The options that make a DiskPolicy, by ``disk_policy``."""
    for option in reversed(_DISK):
        command = option(command)
    return command


_DISK = (
    click.option(
        "--grace",
        default="10m",
        show_default=True,
        callback=duration,
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
        callback=duration,
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
        callback=size,
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
        callback=size,
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
        callback=size,
        metavar="BYTES",
        help="How much of what is served is read back each minute, to find what the disk or somebody has changed.",
    ),
)


def disk_policy(options: DiskOptions) -> DiskPolicy:
    """What the options of ``disk`` say."""
    return DiskPolicy(
        grace_seconds=options["grace"].total_seconds(),
        keep_releases=options["keep_releases"],
        keep_seconds=options["keep_for"].total_seconds(),
        keep_free=options["keep_free"] / 100,
        site=Quota(options["site_quota"], options["site_quota_files"]),
        namespace=Quota(options["namespace_quota"], options["namespace_quota_files"]),
        verify_bytes=options["verify"],
    )
