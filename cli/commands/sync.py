"""``pages sync``: sync a site now, without waiting for the next poll."""

import time
from datetime import timedelta

import click

from cli import exits
from cli.backends import Backend, find, key
from cli.diagnosis.facts import Object, condition, status
from cli.options import common
from cli.options.backend import asks, complete_sites, namespace_option

_POLL_SECONDS = 0.5


@click.command()
@click.argument("site", metavar="SITE", shell_complete=complete_sites)
@namespace_option
@click.option("--wait", is_flag=True, help="Wait for the sync, and show its outcome.")
@click.option(
    "--timeout",
    default="2m",
    show_default=True,
    callback=common.duration,
    help="With --wait: the longest time to wait.",
)
@asks
def sync(backend: Backend, site: str, namespace: str | None, wait: bool, timeout: timedelta) -> None:
    """Sync a site now: fetch the latest commit and publish it. SITE is a name or NAMESPACE/NAME.

    In a cluster it sets the annotation pages.kup6s.com/requestedAt, for which the role `edit` is enough.

    \b
    Exit codes: 0 requested (with --wait: published, or unchanged), 1 the sync failed or took too long, 2 wrong usage
    or no such site, 3 the cluster or `pages serve` cannot be reached.

    \b
    Examples:
      pages sync blog
      pages sync team/blog --wait --timeout 30s
    """  # noqa: D301 - click wants the backspace
    target = find(backend, site, namespace)
    if target["spec"].get("suspend"):
        raise exits.Failed(f"{key(target)} is suspended: set spec.suspend to false first")
    request = backend.request_sync(target)
    click.echo(f"{key(target)}: sync requested")
    if wait:
        finish(backend, target, request, timeout)


def finish(backend: Backend, site: Object, request: str, timeout: timedelta) -> None:
    """Wait for the end, and print each step. Raises Failed."""
    deadline = time.monotonic() + timeout.total_seconds()
    printed = ""
    while (result := backend.sync_result(site, request)).ok is None:
        if result.text != printed:
            printed = result.text
            click.echo(f"{key(site)}: {printed}")
        if time.monotonic() > deadline:
            raise too_late(site, timeout)
        time.sleep(_POLL_SECONDS)
    if not result.ok:
        raise exits.Failed(f"{key(site)} was not published: {result.text}")
    click.echo(f"{key(site)}: {result.text}")


def wait_for_commit(backend: Backend, site: Object, revision: str | None, timeout: timedelta) -> None:
    """Wait until the site is live at a commit, or with None at the head of its branch. Raises Failed."""
    metadata, deadline = site["metadata"], time.monotonic() + timeout.total_seconds()
    while time.monotonic() <= deadline:
        current = backend.site(metadata["namespace"], metadata["name"]) or site
        if _is_processed(current, after=metadata.get("generation", 1)):
            synced, live = condition(current, "Synced"), status(current).get("lastCommit") or ""
            if synced.is_true and revision in {None, live}:
                click.echo(f"{key(site)}: commit {live[:12]} is live")
                return
            if synced.is_false:
                raise exits.Failed(f"{key(site)} was not published: {synced.reason}: {synced.message}")
        time.sleep(_POLL_SECONDS)
    raise too_late(site, timeout)


def _is_processed(site: Object, after: int) -> bool:
    """Whether the syncer has processed the site's latest generation, which comes after this one."""
    generation = site["metadata"].get("generation", 1)
    return bool(generation > after and condition(site, "Synced").observed_generation == generation)


def too_late(site: Object, timeout: timedelta) -> exits.Failed:
    """The error after the longest time to wait."""
    return exits.Failed(f"{key(site)} was not synced within {timeout}: run `pages why {key(site)}` to see why")
