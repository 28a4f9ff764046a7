"""The options of `pages serve`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cli.options import common, disk, metrics_port, site_limits
from pages import validation
from pages.api import canonical_repo
from syncer.egress.hosts import AllowedHosts, HostPattern
from syncer.schedule.lanes import Capacity
from syncer.settings import Settings
from syncer.stores.state import State
from syncer.webhooks.trust import Trust


@dataclass(frozen=True)
class Repository:
    """The one repository to publish without a manifest, by its canonical URL; ``branch`` is its default by default."""

    repo: str
    branch: str | None
    folder: str


@dataclass(frozen=True)
class ServeSettings:
    """Either ``manifests`` or one ``repository``; ``metrics_bind`` and ``site_metrics`` as for `pages syncer`."""

    manifests: Sequence[Path]
    repository: Repository | None
    state: Path
    address: str | None
    port: int
    sync_interval: str
    metrics_bind: str
    site_metrics: int
    syncer: Settings


# A status is a file here, so that each sync may write one.
_HEARTBEAT = timedelta(seconds=1)


def _interval(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return validation.sync_interval(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_OPTIONS: dict[str, common.Decorator] = {
    "paths": click.argument(
        "paths", nargs=-1, metavar="[MANIFESTS]...", type=click.Path(path_type=Path, exists=True, readable=True)
    ),
    "repo": click.option("--repo", metavar="URL", help="Publish this one repository, without a manifest."),
    "branch": click.option(
        "--branch", help="With --repo: the branch.  [default: the default branch of the repository]"
    ),
    "folder": click.option(
        "--path", "folder", default="/", show_default=True, help="With --repo: the folder to publish."
    ),
    "port": common.option("--port", 8080, "Listen on this port.", type=click.IntRange(1, 65535)),
    "address": click.option(
        "--address", help="Listen only on this address.  [default: this machine alone, 127.0.0.1 and ::1]"
    ),
    "state": common.option(
        "--state",
        Path(".pages"),
        "Where mirrors, releases and statuses are kept; a restart continues from there.",
        type=click.Path(path_type=Path, file_okay=False),
    ),
    "allowed_hosts": click.option(
        "--allowed-hosts",
        callback=common.allowed_hosts,
        metavar="HOST,...",
        help=f"The git servers that manifests may use: {common.HOSTS}. Required without --repo and --allow-local.",
    ),
    "sync_interval": common.option(
        "--sync-interval",
        "5m",
        "How often to look for new commits of sites that have no syncInterval.",
        callback=_interval,
    ),
    "allow_local": click.option(
        "--allow-local", is_flag=True, help="Also publish repositories of this machine: file:///… and folders."
    ),
    "workers": common.option("--workers", 4, common.WORKERS, type=click.IntRange(1, 64)),
    "webhook_secret_file": common.WEBHOOK_SECRET,
    "metrics_bind": metrics_port.metrics_bind("-"),
    "site_metrics": metrics_port.site_metrics,
    "limits": site_limits.limits,
    "disk": disk.disk,
}


def _settings(values: dict[str, Any]) -> ServeSettings:
    _check_sources(values)
    state, hosts, repository = State(values["state"]), values["allowed_hosts"], _repository(values)
    patterns = (*(hosts.patterns if hosts else ()), *(_server_of(repository.repo) if repository else ()))
    return ServeSettings(
        manifests=values["paths"],
        repository=repository,
        state=values["state"],
        address=values["address"],
        port=values["port"],
        sync_interval=values["sync_interval"],
        metrics_bind=values["metrics_bind"],
        site_metrics=values["site_metrics"],
        syncer=Settings(
            volume=state.volume,
            cache=state.mirrors,
            hosts=AllowedHosts(patterns, values["allow_local"]),
            limits=values["limits"],
            disk=values["disk"],
            capacity=Capacity.of(values["workers"]),
            trust=Trust(values["webhook_secret_file"]),
            heartbeat=_HEARTBEAT,
        ),
    )


def _check_sources(values: dict[str, Any]) -> None:
    if bool(values["paths"]) == bool(values["repo"]):
        raise click.UsageError("name a directory of manifests, or one repository with --repo (and not both)")
    if values["branch"] and not values["repo"]:
        raise click.UsageError("--branch needs --repo; in a manifest, set spec.branch")
    if values["allowed_hosts"] is None and not values["repo"] and not values["allow_local"]:
        raise click.UsageError(
            "--allowed-hosts is missing; name the git servers that the manifests may use, "
            "as in --allowed-hosts forge.example.com"
        )


def _repository(values: dict[str, Any]) -> Repository | None:
    """The repository in canonical form; a folder as a file URL."""
    repo = values["repo"]
    if not repo:
        return None
    if "://" not in repo and (repo.startswith((".", "/", "~")) or Path(repo).exists()):
        repo = f"file://{Path(repo).expanduser().resolve()}"
    if repo.startswith("file://"):
        if not values["allow_local"]:
            raise click.UsageError(f"{repo} is on this machine; add --allow-local to publish it")
        return Repository(repo, values["branch"], values["folder"])
    try:
        return Repository(canonical_repo(validation.repo(repo)), values["branch"], values["folder"])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--repo") from None


def _server_of(repo: str) -> tuple[HostPattern, ...]:
    """The server of a repository on the command line is trusted."""
    parts = urlsplit(repo)
    return () if parts.scheme == "file" else AllowedHosts.parse(f"{parts.scheme}://{parts.netloc}").patterns


serve_settings = common.grouped("settings", _OPTIONS, _settings)
