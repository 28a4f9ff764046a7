"""``pages rollback``: publish an earlier release, by pinning the site to it."""

from datetime import timedelta

import click

from cli import exits
from cli.backends import Backend, find, key
from cli.commands.sync import wait_for_commit
from cli.diagnosis.facts import Object, status
from cli.options import common
from cli.options.backend import asks, complete_sites, namespace_option

_SHORTEST = 4  # characters of a commit, as in git


@click.command()
@click.argument("site", metavar="SITE", shell_complete=complete_sites)
@click.argument("commit", required=False, metavar="[COMMIT]")
@namespace_option
@click.option("--to-branch", "--undo", is_flag=True, help="Follow the branch again, instead of a pinned commit.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the release is live.")
@click.option("--timeout", default="2m", show_default=True, callback=common.duration, help="The longest time to wait.")
@asks
def rollback(  # noqa: PLR0917 - click passes them by name
    backend: Backend,
    site: str,
    commit: str | None,
    namespace: str | None,
    to_branch: bool,
    no_wait: bool,
    timeout: timedelta,
) -> None:
    """Publish an earlier release by setting spec.revision: the previous one, or COMMIT (a prefix is enough).

    The site stays at this release until --to-branch; new commits are not published until then. In a cluster it patches
    spec.revision, with `pages serve` it edits the manifest. If your manifests are in git, set spec.revision there, too.

    \b
    Exit codes: 0 the release is live, 1 it is not, 2 wrong usage, no such site or no such release, 3 the cluster or
    `pages serve` cannot be reached.

    \b
    Examples:
      pages rollback blog
      pages rollback team/blog 91ba199
      pages rollback team/blog --to-branch
    """  # noqa: D301 - click wants the backspace
    if to_branch and commit:
        raise click.UsageError("--to-branch follows the branch: leave COMMIT out")
    target = find(backend, site, namespace)
    if target["spec"].get("suspend"):
        raise exits.Failed(f"{key(target)} is suspended: set spec.suspend to false first")
    revision = None if to_branch else chosen(target, commit)
    if target["spec"].get("revision") == revision:
        click.echo(
            f"{key(target)}: nothing to do; it already {f'is at {revision}' if revision else 'follows its branch'}"
        )
        return
    click.echo(backend.pin(target, revision))
    if not no_wait:
        wait_for_commit(backend, target, revision, timeout)


def chosen(site: Object, commit: str | None) -> str:
    """The full id of the commit, which must have been published before."""
    releases = [str(each["commit"]) for each in status(site).get("releases") or []]
    if commit is None:
        return _previous(site, releases)
    if len(commit) < _SHORTEST:
        raise click.UsageError(f"COMMIT needs at least {_SHORTEST} letters")
    matches = sorted({each for each in releases if each.startswith(commit.lower())})
    if len(matches) != 1:
        problem = "matches several releases" if matches else "matches no release"
        raise _no_such_release(site, releases, f"{commit} {problem}")
    return matches[0]


def _previous(site: Object, releases: list[str]) -> str:
    live = status(site).get("lastCommit")
    earlier = releases[releases.index(live) + 1 :] if live in releases else releases
    if not earlier:
        raise _no_such_release(site, releases, "there is no earlier release")
    return earlier[0]


def _no_such_release(site: Object, releases: list[str], problem: str) -> exits.NoSuchSite:
    names = ", ".join(each[:12] for each in releases) or "none"
    return exits.NoSuchSite(
        f"{key(site)}: {problem} (status.releases: {names}); for another commit of the branch, or a tag, set "
        "spec.revision"
    )
