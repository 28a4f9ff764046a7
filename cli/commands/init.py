"""``pages init``: a StaticSite for the git checkout that one stands in."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from pydantic import ValidationError

from cli import exits
from pages import manifests, mistakes, validation
from pages.api import API_VERSION, StaticSite, canonical_repo

_FOLDERS = ("public", "dist", "_site", "site", "build", "out", "docs")  # where generators leave their work
# [user@]host:path, as git and ssh write it.
_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[A-Za-z0-9.-]+):(?!//)(?P<path>.+)")
_SSH = re.compile(r"ssh://(?:[^@/]+@)?(?P<host>[A-Za-z0-9.-]+)(?::\d+)?/(?P<path>.+)")
_GIT_SECONDS = 20


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--name", metavar="NAME", help="The site's name.  [default: the repository's]")
@click.option("-n", "--namespace", metavar="NAME", help="Write this namespace into it.  [default: none]")
@click.option("--domain", help="A domain of your own.  [default: NAME.<pagesDomain>]")
@click.option("--branch", help="The branch.  [default: the one that is checked out]")
@click.option("--path", help="The published folder of the repository.  [default: one that has an index.html]")
@click.option("--remote", default="origin", show_default=True, help="The remote that is the site's repository.")
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
    """Write a StaticSite for the git checkout in FOLDER (here, unless it is named).

    Nothing is sent anywhere; what is written is checked as the cluster would check it.

    \b
    Exit codes: 0 written, 1 it cannot be, 2 wrong usage.

    \b
    Examples:
      pages init | kubectl apply -f -
      pages init --domain www.example.com -o site.yaml
    """  # noqa: D301 - click wants the backspace
    top = Path(_git(folder, "rev-parse", "--show-toplevel") or "")
    if not top.is_absolute():
        raise exits.Failed(f"{folder} is not in a git checkout: run this in one, or git clone first")
    repo = https(_git(top, "remote", "get-url", remote) or "", remote)
    metadata = {"name": name or site_name(repo)} | ({"namespace": namespace} if namespace else {})
    spec = {"repo": repo, "branch": branch or _branch(top, remote)}
    published = path or folder_with_index(top)
    spec |= {"path": published} if published != "/" else {}
    spec |= {"domain": domain} if domain else {}
    site = {"apiVersion": API_VERSION, "kind": "StaticSite", "metadata": metadata, "spec": spec}
    _check(site)
    _write(manifests.dump([site]), file, force=force)
    if not (top / published.strip("/") / "index.html").is_file():
        click.echo(f"There is no index.html in {published}: name the published folder with --path.", err=True)
    if file:
        click.echo(f"{file} is written. Publish it: kubectl apply -f {file}, or try it: pages serve {file}", err=True)


def https(remote: str, name: str = "origin") -> str:
    """The remote's URL as the platform fetches it: https, without credentials. Raises Failed."""
    if not remote:
        raise exits.Failed(f"the checkout has no remote {name!r}: add one (git remote add), or name it with --remote")
    if found := _SSH.fullmatch(remote) or (_SCP.fullmatch(remote) if "://" not in remote else None):
        remote = f"https://{found['host']}/{found['path'].lstrip('/')}"
    remote = re.sub(r"^(https?://)[^@/]*@", r"\1", remote)
    try:
        return canonical_repo(validation.repo(remote))
    except ValueError as error:
        raise exits.Failed(f"the remote {name!r} is {remote}, which the platform cannot fetch: it {error}") from None


def site_name(repo: str) -> str:
    """The repository's name as a site's."""
    text = re.sub(r"[^a-z0-9]+", "-", repo.rstrip("/").rpartition("/")[2].removesuffix(".git").lower()).strip("-")
    return text[: validation.MAX_NAME_LENGTH].strip("-") or "site"


def folder_with_index(top: Path) -> str:
    """The folder that is most likely to be published: the top where it has an index.html, else a generator's."""
    if (top / "index.html").is_file():
        return "/"
    return next((f"/{each}" for each in _FOLDERS if (top / each / "index.html").is_file()), "/")


def _branch(top: Path, remote: str) -> str:
    def candidates() -> Iterator[str | None]:
        yield _git(top, "symbolic-ref", "--quiet", "--short", "HEAD")
        default = _git(top, "symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
        yield default.removeprefix(f"{remote}/") if default else None

    return next(filter(None, candidates()), "main")


def _check(site: Mapping[str, object]) -> None:
    try:
        StaticSite.model_validate(site)
    except ValidationError as error:
        raise exits.Failed("; ".join(sentence for _, sentence in mistakes.explain(error))) from None


def _write(text: str, file: Path | None, *, force: bool) -> None:
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with file.open("w" if force else "x") as opened:
            opened.write(text)
    except FileExistsError:
        raise exits.Failed(f"{file} is there already: name another file, or overwrite it with --force") from None
    except OSError as error:
        raise exits.Failed(f"{file} cannot be written: {error.strerror}") from None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
        )
    except FileNotFoundError:
        raise exits.Failed("git is not on the PATH: install it (Debian, Ubuntu: apt install git)") from None
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
