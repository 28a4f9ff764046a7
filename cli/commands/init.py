"""``pages init``: a StaticSite for the current git checkout."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import click
from pydantic import ValidationError

from cli import exits
from pages import manifests, mistakes, validation
from pages.api import API_VERSION, StaticSite, canonical_repo

_FOLDERS = ("public", "dist", "_site", "site", "build", "out", "docs")  # where generators write their output
# [user@]host:path, as git and ssh write it.
_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[A-Za-z0-9.-]+):(?!//)(?P<path>.+)")
_SSH = re.compile(r"ssh://(?:[^@/]+@)?(?P<host>[A-Za-z0-9.-]+)(?::\d+)?/(?P<path>.+)")
_GIT_SECONDS = 20


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--name", metavar="NAME", help="The site's name.  [default: the repository's]")
@click.option("-n", "--namespace", metavar="NAME", help="The site's namespace.  [default: left out]")
@click.option("--domain", help="A custom domain.  [default: NAME.<pagesDomain>]")
@click.option("--branch", help="The branch.  [default: the current one]")
@click.option("--path", help="The folder to publish.  [default: one that has an index.html]")
@click.option("--remote", default="origin", show_default=True, help="The git remote to publish from.")
@click.option(
    "-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file, not to stdout."
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(  # noqa: PLR0917 - click passes them by name
    folder: Path,
    name: str | None,
    namespace: str | None,
    domain: str | None,
    branch: str | None,
    path: str | None,
    remote: str,
    file: Path | None,
    force: bool,
) -> None:
    """Write a StaticSite for the git checkout in FOLDER, by default the current one.

    It sends nothing anywhere, and checks the StaticSite as the cluster would.

    \b
    Exit codes: 0 written, 1 not possible, 2 wrong usage.

    \b
    Examples:
      pages init | kubectl apply -f -
      pages init --domain www.example.com -o site.yaml
    """  # noqa: D301 - click wants the backspace
    top = Path(_git(folder, "rev-parse", "--show-toplevel") or "")
    if not top.is_absolute():
        raise exits.Failed(f"{folder} is not in a git checkout: change to one, or git clone one first")
    repo = https(_git(top, "remote", "get-url", remote) or "", remote)
    published = path or folder_with_index(top)
    spec = {
        "repo": repo,
        "branch": branch or _branch(top, remote),
        "path": published if published != "/" else None,
        "domain": domain,
    }
    _write(_manifest({"name": name or site_name(repo), "namespace": namespace}, spec), file, force=force)
    if not (top / published.strip("/") / "index.html").is_file():
        click.echo(f"There is no index.html in {published}: choose the folder to publish with --path.", err=True)
    if file:
        click.echo(f"Wrote {file}. Publish it: kubectl apply -f {file}, or try it: pages serve {file}", err=True)


def https(remote: str, name: str = "origin") -> str:
    """The remote's URL as the platform fetches it: https, without credentials. Raises Failed."""
    if not remote:
        raise exits.Failed(
            f"the checkout has no remote {name!r}: add one (git remote add), or choose one with --remote"
        )
    if match := _SSH.fullmatch(remote) or (_SCP.fullmatch(remote) if "://" not in remote else None):
        remote = f"https://{match['host']}/{match['path'].lstrip('/')}"
    remote = re.sub(r"^(https?://)[^@/]*@", r"\1", remote)
    try:
        return canonical_repo(validation.repo(remote))
    except ValueError as error:
        raise exits.Failed(
            f"the platform cannot fetch {remote} (remote {name!r}): it {error}; choose another remote with --remote"
        ) from None


def site_name(repo: str) -> str:
    """The repository's name as a site's."""
    text = re.sub(r"[^a-z0-9]+", "-", repo.rstrip("/").rpartition("/")[2].removesuffix(".git").lower()).strip("-")
    return text[: validation.MAX_NAME_LENGTH].strip("-") or "site"


def folder_with_index(top: Path) -> str:
    """The folder that is most likely to be published: the top if it has an index.html, else a generator's."""
    if (top / "index.html").is_file():
        return "/"
    return next((f"/{each}" for each in _FOLDERS if (top / each / "index.html").is_file()), "/")


def _branch(top: Path, remote: str) -> str:
    """The current branch, else the remote's default one."""
    if current := _git(top, "symbolic-ref", "--quiet", "--short", "HEAD"):
        return current
    default = _git(top, "symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
    return default.removeprefix(f"{remote}/") if default else "main"


def _manifest(metadata: Mapping[str, str | None], spec: Mapping[str, str | None]) -> str:
    """The StaticSite without the fields that are None. Raises Failed."""
    parts = {
        name: {key: value for key, value in part.items() if value}
        for name, part in (("metadata", metadata), ("spec", spec))
    }
    site = {"apiVersion": API_VERSION, "kind": "StaticSite", **parts}
    try:
        StaticSite.model_validate(site)
    except ValidationError as error:
        raise exits.Failed("; ".join(sentence for _, sentence in mistakes.explain(error))) from None
    return manifests.dump([site])


def _write(text: str, file: Path | None, *, force: bool) -> None:
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with file.open("w" if force else "x") as opened:
            opened.write(text)
    except FileExistsError:
        raise exits.Failed(f"{file} already exists: choose another file, or overwrite it with --force") from None
    except OSError as error:
        raise exits.Failed(f"{file} cannot be written ({error.strerror}): choose another file") from None


def _git(folder: Path, *arguments: str) -> str | None:
    """The output of git; None where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
        )
    except FileNotFoundError:
        raise exits.Failed("git is not on the PATH: install it (Debian, Ubuntu: apt install git)") from None
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
