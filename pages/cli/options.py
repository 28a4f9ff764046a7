"""What several commands accept in the same way."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from pages import sizes, validation
from syncer.hosts import AllowedHosts
from syncer.limits import Limits, ProcessLimits, SiteLimits, Timeouts

HOSTS = (
    "forge.example.com, *.example.com, forge.example.com:8443; in full, with http:// or https://, where plain http, an "
    "IP address or a server at a private address is meant: http://forge.forgejo.svc:3000"
)
_MIN_FILE = 1 << 10
_MIN_PACK = 1 << 20


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
    """``90s``, ``1h30m``."""
    try:
        return validation.duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _size(least: int) -> Callable[[click.Context, click.Parameter, str], int]:
    """A callback that makes bytes of ``100MiB``, at least so many."""

    def convert(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
        try:
            size = sizes.parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
        if size < least:
            raise click.BadParameter(f"must be at least {sizes.show(least)}")
        return size

    return convert


def _seconds(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """``90s`` or ``2m`` as whole seconds, at least one."""
    seconds = int(duration(context, parameter, value).total_seconds())
    if not seconds:
        raise click.BadParameter("must be at least 1s")
    return seconds


def _option(flag: str, default: object, text: str, **more: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:  # noqa: ANN401 - click's own
    return click.option(flag, default=default, show_default=True, help=text, **more)


_SIZE = {"metavar": "SIZE", "callback": _size(1 << 10)}
_PACK = {"metavar": "SIZE", "callback": _size(1 << 20)}
_TIME = {"metavar": "DURATION", "callback": _seconds}
_LIMITS = (
    _option("--max-files", SiteLimits.files, "Files that a site may have.", type=click.IntRange(min=1)),
    _option("--max-file-size", sizes.show(SiteLimits.file_bytes), "Size of a site's largest file.", **_SIZE),
    _option("--max-site-size", sizes.show(SiteLimits.site_bytes), "Size of all files of a site.", **_SIZE),
    _option("--max-path-depth", SiteLimits.path_depth, "Names in a published path.", type=click.IntRange(1, 256)),
    _option("--max-path-length", SiteLimits.path_bytes, "Bytes of a published path.", type=click.IntRange(1, 3072)),
    _option("--max-pack-size", sizes.show(ProcessLimits.file_bytes), "What a git server may send at once.", **_PACK),
    _option("--git-cpu-time", f"{ProcessLimits.cpu_seconds}s", "CPU time that one git process may use.", **_TIME),
    _option("--git-ask-time", f"{Timeouts.ask}s", "How long git may ask a server for its branches.", **_TIME),
    _option("--git-transfer-time", f"{Timeouts.transfer}s", "How long a fetch, or a release, may take.", **_TIME),
)


def limits(command: Callable[..., None]) -> Callable[..., None]:
    """The options that bound what a repository and its server may cost; the command gets them as ``limits``."""

    @functools.wraps(command)
    def with_limits(
        *,
        max_files: int,
        max_file_size: int,
        max_site_size: int,
        max_path_depth: int,
        max_path_length: int,
        max_pack_size: int,
        git_cpu_time: int,
        git_ask_time: int,
        git_transfer_time: int,
        **others: Any,  # noqa: ANN401 - whatever else the command takes
    ) -> None:
        site = SiteLimits(max_files, max_file_size, max_site_size, max_path_depth, max_path_length)
        process = ProcessLimits(cpu_seconds=git_cpu_time, file_bytes=max_pack_size)
        command(limits=Limits(site, process, Timeouts(git_ask_time, git_transfer_time)), **others)

    wrapped: Callable[..., None] = with_limits
    for option in reversed(_LIMITS):
        wrapped = option(wrapped)
    return wrapped
