"""The options that limit what one repository and its git server may use."""

from typing import Any

import click

from cli.options import common
from pages import sizes
from syncer.limits import Limits, ProcessLimits, SiteLimits, Timeouts

_SIZE = {"metavar": "SIZE", "callback": common.size(1 << 10)}
_PACK = {"metavar": "SIZE", "callback": common.size(1 << 20)}
_TIME = {"metavar": "DURATION", "callback": common.seconds}
_OPTIONS = {
    "max_files": common.option("--max-files", SiteLimits.files, "Most files of a site.", type=click.IntRange(min=1)),
    "max_file_size": common.option(
        "--max-file-size", sizes.show(SiteLimits.file_bytes), "Largest file of a site.", **_SIZE
    ),
    "max_site_size": common.option(
        "--max-site-size", sizes.show(SiteLimits.site_bytes), "Largest total size of a site's files.", **_SIZE
    ),
    "max_path_depth": common.option(
        "--max-path-depth", SiteLimits.path_depth, "Most names in a published path.", type=click.IntRange(1, 256)
    ),
    "max_path_length": common.option(
        "--max-path-length", SiteLimits.path_bytes, "Most bytes of a published path.", type=click.IntRange(1, 3072)
    ),
    "max_pack_size": common.option(
        "--max-pack-size", sizes.show(ProcessLimits.file_bytes), "Largest response to one fetch.", **_PACK
    ),
    "git_cpu_time": common.option(
        "--git-cpu-time", f"{ProcessLimits.cpu_seconds}s", "Most CPU time of one git process.", **_TIME
    ),
    "git_ask_time": common.option(
        "--git-ask-time", f"{Timeouts.ask}s", "Longest time to list a repository's branches.", **_TIME
    ),
    "git_transfer_time": common.option(
        "--git-transfer-time", f"{Timeouts.transfer}s", "Longest time for one fetch, or for one release.", **_TIME
    ),
}


def _limits(values: dict[str, Any]) -> Limits:
    site = SiteLimits(
        values["max_files"],
        values["max_file_size"],
        values["max_site_size"],
        values["max_path_depth"],
        values["max_path_length"],
    )
    process = ProcessLimits(cpu_seconds=values["git_cpu_time"], file_bytes=values["max_pack_size"])
    return Limits(site, process, Timeouts(values["git_ask_time"], values["git_transfer_time"]))


limits = common.grouped("limits", _OPTIONS, _limits)
