"""The options that bound what a repository and its server may cost."""

import functools
from collections.abc import Callable
from typing import Any

import click

from cli.options import common
from pages import sizes
from syncer.limits import Limits, ProcessLimits, SiteLimits, Timeouts

_SIZE = {"metavar": "SIZE", "callback": common.size(1 << 10)}
_PACK = {"metavar": "SIZE", "callback": common.size(1 << 20)}
_TIME = {"metavar": "DURATION", "callback": common.seconds}
_LIMITS = (
    common.option("--max-files", SiteLimits.files, "Files that a site may have.", type=click.IntRange(min=1)),
    common.option("--max-file-size", sizes.show(SiteLimits.file_bytes), "Size of a site's largest file.", **_SIZE),
    common.option("--max-site-size", sizes.show(SiteLimits.site_bytes), "Size of all files of a site.", **_SIZE),
    common.option("--max-path-depth", SiteLimits.path_depth, "Names in a published path.", type=click.IntRange(1, 256)),
    common.option(
        "--max-path-length", SiteLimits.path_bytes, "Bytes of a published path.", type=click.IntRange(1, 3072)
    ),
    common.option(
        "--max-pack-size", sizes.show(ProcessLimits.file_bytes), "What a git server may send at once.", **_PACK
    ),
    common.option("--git-cpu-time", f"{ProcessLimits.cpu_seconds}s", "CPU time that one git process may use.", **_TIME),
    common.option("--git-ask-time", f"{Timeouts.ask}s", "How long git may ask a server for its branches.", **_TIME),
    common.option("--git-transfer-time", f"{Timeouts.transfer}s", "How long a fetch, or a release, may take.", **_TIME),
)


def limits(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it gets what they say as ``limits``."""

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
