"""``pages rollback``: an earlier release, by pinning the site to it."""

from datetime import timedelta

import click

from cli import exits
from cli.backends import Backend, find, key
from cli.commands.sync import wait_for_commit
from cli.diagnosis.facts import Object, status
from cli.options import common
from cli.options.backend import asks, complete_sites, namespace_option

_SHORTEST = 4  # characters of a commit, as git wants it


@click.command()
@click.argument("site", metavar="SITE", shell_complete=complete_sites)
@click.argument("commit", required=False, metavar="[COMMIT]")
@namespace_option
@click.option("--to-branch", "--undo", is_flag=True, help="Follow the branch again, instead of a pinned commit.")
@click.option("--no-wait", is_flag=True, help="Do not wait until it is live.")
@click.option("--timeout", default="2m", show_default=True, callback=common.duration, help="How long to wait at most.")
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
    """Publish an earlier release: the one before, or that of COMMIT (its first letters do), by setting spec.revision.

    The site stays there until --to-branch; what is pushed meanwhile is not published. In a cluster spec.revision is
    patched, with `pages serve` it is written into the manifest. Where manifests are in git, set it there, too.

    \b
    Exit codes: 0 it is live, 1 it is not, 2 wrong usage, no such site or no such release, 3 the cluster or
    `pages serve` cannot be asked.

    \b
    Examples:
      pages rollback blog
      pages rollback team/blog 91ba199
      pages rollback team/blog --to-branch
    """  # noqa: D301 - click wants the backspace
    if to_branch and commit:
        raise click.UsageError("--to-branch follows the branch: leave COMMIT out")
    found = find(backend, site, namespace)
    if found["spec"].get("suspend"):
        raise exits.Failed(f"{key(found)} is suspended, nothing new is published: set spec.suspend to false first")
    revision = None if to_branch else chosen(found, commit)
    if found["spec"].get("revision") == revision:
        click.echo(f"{key(found)} is there already: {revision or 'it follows its branch'}")
        return
    click.echo(backend.pin(found, revision))
    if not no_wait:
        wait_for_commit(backend, found, revision, timeout)


def chosen(site: Object, commit: str | None) -> str:
    """The full id of the commit that is meant, of those that were published."""
    known = [each["commit"] for each in status(site).get("releases") or []]
    live = status(site).get("lastCommit")
    if commit is None:
        before = known[known.index(live) + 1 :] if live in known else [each for each in known if each != live]
        if not before:
            raise _no_such(site, known, "there is no earlier release")
        return str(before[0])
    if len(commit) < _SHORTEST:
        raise click.UsageError(f"COMMIT needs at least {_SHORTEST} letters")
    matching = sorted({each for each in known if each.startswith(commit.lower())})
    if len(matching) != 1:
        raise _no_such(site, known, f"{commit} is {'several releases' if matching else 'no release'}")
    return str(matching[0])


def _no_such(site: Object, known: list[str], problem: str) -> exits.NoSuchSite:
    there = ", ".join(each[:12] for each in known) or "none"
    return exits.NoSuchSite(
        f"{key(site)}: {problem} (status.releases: {there}); any other commit of the branch, or a tag, can be set as "
        "spec.revision"
    )
