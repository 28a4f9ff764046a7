"""``pages serve``: real sites from real repositories on one machine, by the code that runs in a cluster."""

import re
import shutil
import signal
import threading
from pathlib import Path
from urllib.parse import urlsplit

import click

from cli.options import common, disk, metrics_port, site_limits
from cli.serve.nginx import NginxError, find
from cli.serve.progress import Progress
from cli.serve.runner import Runner, Settings
from pages import manifests, validation
from pages.api import API_VERSION, StaticSite, canonical_repo
from syncer.disk.policy import DiskPolicy
from syncer.egress.addresses import Addresses
from syncer.egress.hosts import AllowedHosts, HostPattern
from syncer.errors import SyncError
from syncer.git.commands import Git
from syncer.git.remote import Remote
from syncer.limits import Limits
from syncer.metrics.counted import Counted
from syncer.schedule.schedule import Capacity
from syncer.stores.state import StateNotUsable


def _interval(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return validation.sync_interval(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument(
    "paths", nargs=-1, metavar="[MANIFESTS]...", type=click.Path(path_type=Path, exists=True, readable=True)
)
@click.option("--repo", metavar="URL", help="Publish this one repository, without any manifest.")
@click.option("--branch", help="With --repo: the branch.  [default: the repository's own default branch]")
@click.option("--path", "folder", default="/", show_default=True, help="With --repo: the folder to publish.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Listen on this port.")
@click.option("--address", help="Listen on this address only.  [default: this machine alone, 127.0.0.1 and ::1]")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".pages"),
    show_default=True,
    help="Where mirrors, releases and statuses are kept; a restart goes on from there.",
)
@click.option(
    "--allowed-hosts",
    callback=common.allowed_hosts,
    metavar="HOST,...",
    help=f"The git servers that manifests may name: {common.HOSTS}. Needed unless --repo or --allow-local is given.",
)
@click.option(
    "--sync-interval",
    default="5m",
    show_default=True,
    callback=_interval,
    help="How often to look for new commits where a site has no syncInterval of its own.",
)
@click.option("--allow-local", is_flag=True, help="Also publish repositories of this machine: file:///… and folders.")
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True, help=common.WORKERS)
@common.WEBHOOK_SECRET
@metrics_port.metrics_bind("-")
@metrics_port.site_metrics
@site_limits.limits
@disk.disk
def serve(  # noqa: PLR0917 - click passes them by name
    paths: tuple[Path, ...],
    repo: str | None,
    branch: str | None,
    folder: str,
    port: int,
    address: str | None,
    state: Path,
    allowed_hosts: AllowedHosts | None,
    sync_interval: str,
    allow_local: bool,
    workers: int,
    webhook_secret_file: bytes | None,
    metrics_bind: str,
    site_metrics: bool,
    site_metrics_max: int,
    limits: Limits,
    disk: DiskPolicy,
) -> None:
    """Publish the sites of a directory of manifests on this machine.

    MANIFESTS are YAML files, or directories of them: StaticSites, the Secrets they name, and a Platform where you
    want to try one. Each site is served at http://NAME.pages.localhost:8080/ or at its own domain (by Host header).
    Edits are followed at once; pushes too where a forge sends webhooks to http://webhook.pages.localhost:8080/webhook/
    (docs/how-to), else at the next sync.

    \b
    Examples:
      pages serve sites/ --allowed-hosts forge.example.com
      pages serve --repo https://forge.example.com/you/site.git --path /public
      pages serve --repo . --allow-local
      curl -H 'Host: www.example.com' http://localhost:8080/
    """  # noqa: D301 - click wants the backspace
    if bool(paths) == bool(repo):
        raise click.UsageError("name a directory of manifests, or one repository with --repo (and not both)")
    if branch and not repo:
        raise click.UsageError("--branch goes with --repo; in a manifest it is spec.branch")
    if allowed_hosts is None and not repo and not allow_local:
        raise click.UsageError(
            "--allowed-hosts is missing: name the git servers that the manifests may use, "
            "as in --allowed-hosts forge.example.com"
        )
    _check_programs()
    repo = _repository(repo, allow_local=allow_local) if repo else None
    patterns = (*(allowed_hosts.patterns if allowed_hosts else ()), *(_server_of(repo) if repo else ()))
    hosts = AllowedHosts(patterns, allow_local)
    counted = Counted()
    traffic = counted.traffic()
    git = Git(limits.timeouts, limits.process, addresses=Addresses(hosts), local=allow_local, traffic=traffic)
    try:
        git.check_version()
        if repo:
            paths = (_manifest_for(repo, branch, folder, state, git),)
        capacity = Capacity.of(workers)
        settings = Settings(
            paths,
            state,
            address,
            port,
            hosts,
            sync_interval,
            capacity,
            limits.site,
            disk,
            metrics_bind,
            site_metrics_max if site_metrics else 0,
            webhook_secret_file,
        )
        runner = Runner(settings, git, Progress(), counted)
        _run(runner)
    except (StateNotUsable, NginxError, SyncError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or state}: {error.strerror}") from error
    finally:
        git.close()


def _check_programs() -> None:
    if shutil.which("git") is None:
        raise click.ClickException("git is not on the PATH: install it (Debian, Ubuntu: apt install git) and try again")
    try:
        find()
    except NginxError as error:
        raise click.ClickException(str(error)) from error


def _repository(repo: str, *, allow_local: bool) -> str:
    """The repository in canonical form; a folder by its full path."""
    if "://" not in repo and (repo.startswith((".", "/", "~")) or Path(repo).exists()):
        repo = f"file://{Path(repo).expanduser().resolve()}"
    if repo.startswith("file://"):
        if not allow_local:
            raise click.UsageError(f"{repo} is on this machine: add --allow-local to publish it")
        return repo
    try:
        return canonical_repo(validation.repo(repo))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--repo") from None


def _server_of(repo: str) -> tuple[HostPattern, ...]:
    """Whoever names a repository on the command line trusts its server."""
    parts = urlsplit(repo)
    return () if parts.scheme == "file" else AllowedHosts.parse(f"{parts.scheme}://{parts.netloc}").patterns


def _manifest_for(repo: str, branch: str | None, folder: str, state: Path, git: Git) -> Path:
    """A manifest for the one repository, as a person would write it."""
    file = state / "manifest" / "site.yaml"
    name = re.sub(r"[^a-z0-9]+", "-", Path(urlsplit(repo).path).name.removesuffix(".git").lower()).strip("-")
    site = {
        "apiVersion": API_VERSION,
        "kind": "StaticSite",
        "metadata": {"name": name[: validation.MAX_NAME_LENGTH].strip("-") or "site", "namespace": "default"},
        "spec": {"repo": repo, "branch": branch or _default_branch(repo, git, file), "path": folder},
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(manifests.dump([site]))
    except OSError as error:
        raise StateNotUsable(
            f"the state directory {state} cannot be written ({error.strerror}): name another with --state"
        ) from error
    return file


def _default_branch(repo: str, git: Git, file: Path) -> str:
    """What the repository says, or what it said when it was last served from here."""
    try:
        return git.default_branch(Remote(repo))
    except SyncError:
        for known in manifests.read([file], allow_local=True).manifests if file.exists() else ():
            if isinstance(known.object, StaticSite) and known.object.spec.repo == repo:
                return known.object.spec.branch
        raise


def _run(runner: Runner) -> None:
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: runner.stop())
    runner.run()
    click.echo("Stopped.")
