"""``pages serve``: real sites from real repositories on one machine, by the code that runs in a cluster."""

import re
import shutil
import signal
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from cli.options.serve_settings import Repository, ServeSettings, serve_settings
from cli.serve.nginx import NginxError, find
from cli.serve.runner import Runner
from pages import manifests, validation
from pages.api import API_VERSION, StaticSite
from syncer.assembly import make_git
from syncer.errors import SyncError
from syncer.git.commands import Git
from syncer.git.remote import Remote
from syncer.metrics.counted import Counted
from syncer.stores.state import State, StateNotUsable


@click.command()
@serve_settings
def serve(settings: ServeSettings) -> None:
    """Publish the sites of a directory of manifests on this machine.

    MANIFESTS are YAML files, or directories of them: StaticSites, the Secrets they name, and a Platform if you want to
    try one. Each site is served at http://NAME.pages.localhost:8080/ or at its own domain (by Host header). Edits are
    followed at once. Pushes are followed at once if a forge sends webhooks to
    http://webhook.pages.localhost:8080/webhook/ (docs/how-to), and else at the next sync.

    \b
    Examples:
      pages serve sites/ --allowed-hosts forge.example.com
      pages serve --repo https://forge.example.com/you/site.git --path /public
      pages serve --repo . --allow-local
      curl -H 'Host: www.example.com' http://localhost:8080/
    """  # noqa: D301 - click wants the backspace
    counted = Counted()
    try:
        check_programs()
        with closing(make_git(settings.syncer, counted)) as git:
            git.check_version()
            if settings.repository:
                settings = replace(settings, manifests=[write_manifest(settings.repository, settings.state, git)])
            state = State(settings.state)
            with state.locked():
                run(Runner(settings, state, git, counted))
    except (StateNotUsable, NginxError, SyncError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or settings.state}: {error.strerror}") from error


def check_programs() -> None:
    """Raise an error that says how to install what is missing."""
    if shutil.which("git") is None:
        raise click.ClickException("git is not on the PATH: install it (Debian, Ubuntu: apt install git) and try again")
    find()


def write_manifest(repository: Repository, state: Path, git: Git) -> Path:
    """Write a manifest for the one repository, as a person would, and return its file."""
    file = state / "manifest" / "site.yaml"
    path = Path(urlsplit(repository.repo).path)
    name = re.sub(r"[^a-z0-9]+", "-", path.name.removesuffix(".git").lower()).strip("-")
    branch = repository.branch or default_branch(repository.repo, git, file)
    site = {
        "apiVersion": API_VERSION,
        "kind": "StaticSite",
        "metadata": {"name": name[: validation.MAX_NAME_LENGTH].strip("-") or "site", "namespace": "default"},
        "spec": {"repo": repository.repo, "branch": branch, "path": repository.folder},
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(manifests.dump([site]))
    except OSError as error:
        raise StateNotUsable(
            f"the state directory {state} cannot be written ({error.strerror}); name another with --state"
        ) from error
    return file


def default_branch(repo: str, git: Git, file: Path) -> str:
    """The default branch of the repository; if its server is down, the branch that was served last from here."""
    try:
        return git.default_branch(Remote(repo))
    except SyncError:
        for manifest in manifests.read([file], allow_local=True).manifests if file.exists() else ():
            if isinstance(manifest.object, StaticSite) and manifest.object.spec.repo == repo:
                return manifest.object.spec.branch
        raise


def run(runner: Runner) -> None:
    """Run until Ctrl-C or SIGTERM."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: runner.stop())
    runner.run()
    click.echo("Stopped.")
