"""The options of `pages serve`."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cli.options import common, disk, metrics_port, site_limits
from pages import validation
from pages.api import canonical_repo
from syncer.egress.hosts import AllowedHosts
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


_OPTIONS = (
    click.argument(
        "paths", nargs=-1, metavar="[MANIFESTS]...", type=click.Path(path_type=Path, exists=True, readable=True)
    ),
    click.option("--repo", metavar="URL", help="Publish this one repository, without a manifest."),
    click.option("--branch", help="With --repo: the branch.  [default: the default branch of the repository]"),
    click.option("--path", "folder", default="/", show_default=True, help="With --repo: the folder to publish."),
    common.option("--port", 8080, "Listen on this port.", type=click.IntRange(1, 65535)),
    click.option("--address", help="Listen only on this address.  [default: this machine alone, 127.0.0.1 and ::1]"),
    common.option(
        "--state",
        Path(".pages"),
        "Where mirrors, releases and statuses are kept; a restart continues from there.",
        type=click.Path(path_type=Path, file_okay=False),
    ),
    click.option(
        "--allowed-hosts",
        callback=common.allowed_hosts,
        metavar="HOST,...",
        help=f"The git servers that manifests may use: {common.HOSTS}. Required without --repo and --allow-local.",
    ),
    common.option(
        "--sync-interval",
        "5m",
        "How often to look for new commits of sites that have no syncInterval.",
        callback=_interval,
    ),
    click.option(
        "--allow-local", is_flag=True, help="Also publish repositories of this machine: file:///… and folders."
    ),
    common.option("--workers", 4, common.WORKERS, type=click.IntRange(1, 64)),
    common.WEBHOOK_SECRET,
    metrics_port.metrics_bind("-"),
    metrics_port.site_metrics,
    site_limits.limits,
    disk.disk,
)


def serve_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it gets their values as ``settings``."""

    @functools.wraps(command)
    def with_settings(**given: Any) -> None:  # noqa: ANN401 - the values of all options
        _check_sources(given)
        most_sites, site_metrics = given.pop("site_metrics_max"), given.pop("site_metrics")
        repository = _repository(given)
        settings = ServeSettings(
            manifests=given.pop("paths"),
            repository=repository,
            state=given["state"],
            address=given.pop("address"),
            port=given.pop("port"),
            sync_interval=given.pop("sync_interval"),
            metrics_bind=given.pop("metrics_bind"),
            site_metrics=most_sites if site_metrics else 0,
            syncer=_syncer_settings(given, repository),
        )
        command(settings=settings, **given)

    wrapped: Callable[..., None] = with_settings
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _syncer_settings(given: dict[str, Any], repository: Repository | None) -> Settings:
    state, hosts = State(given.pop("state")), given.pop("allowed_hosts")
    patterns = (*(hosts.patterns if hosts else ()), *(_server_of(repository.repo) if repository else ()))
    return Settings(
        volume=state.volume,
        cache=state.mirrors,
        hosts=AllowedHosts(patterns, given.pop("allow_local")),
        limits=given.pop("limits"),
        disk=given.pop("disk"),
        capacity=Capacity.of(given.pop("workers")),
        trust=Trust(given.pop("webhook_secret_file")),
        heartbeat=_HEARTBEAT,
    )


def _check_sources(given: dict[str, Any]) -> None:
    if bool(given["paths"]) == bool(given["repo"]):
        raise click.UsageError("name a directory of manifests, or one repository with --repo (and not both)")
    if given["branch"] and not given["repo"]:
        raise click.UsageError("--branch needs --repo; in a manifest, set spec.branch")
    if given["allowed_hosts"] is None and not given["repo"] and not given["allow_local"]:
        raise click.UsageError(
            "--allowed-hosts is missing; name the git servers that the manifests may use, "
            "as in --allowed-hosts forge.example.com"
        )


def _repository(given: dict[str, Any]) -> Repository | None:
    """The repository in canonical form; a folder as a file URL."""
    repo, branch, folder = given.pop("repo"), given.pop("branch"), given.pop("folder")
    if not repo:
        return None
    if "://" not in repo and (repo.startswith((".", "/", "~")) or Path(repo).exists()):
        repo = f"file://{Path(repo).expanduser().resolve()}"
    if repo.startswith("file://"):
        if not given["allow_local"]:
            raise click.UsageError(f"{repo} is on this machine; add --allow-local to publish it")
        return Repository(repo, branch, folder)
    try:
        return Repository(canonical_repo(validation.repo(repo)), branch, folder)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--repo") from None


def _server_of(repo: str) -> tuple[Any, ...]:
    """The server of a repository on the command line is trusted."""
    parts = urlsplit(repo)
    return () if parts.scheme == "file" else AllowedHosts.parse(f"{parts.scheme}://{parts.netloc}").patterns
