"""``pages sync``: do not wait for the next poll."""

import time
from datetime import timedelta

import click

from cli import exits
from cli.backends import Backend, SyncResult, find, key
from cli.diagnosis.facts import Object, condition, status
from cli.options import common
from cli.options.backend import asks, complete_sites, namespace_option

_LOOK_SECONDS = 0.5


@click.command()
@click.argument("site", metavar="SITE", shell_complete=complete_sites)
@namespace_option
@click.option("--wait", is_flag=True, help="Wait until it is done, and say how it went.")
@click.option(
    "--timeout", default="2m", show_default=True, callback=common.duration, help="With --wait: how long at most."
)
@asks
def sync(backend: Backend, site: str, namespace: str | None, wait: bool, timeout: timedelta) -> None:
    """Sync a site now: ask git what is new and publish it. SITE is a name or NAMESPACE/NAME.

    In a cluster it sets the annotation pages.kup6s.com/requestedAt, for which the role `edit` is enough.

    \b
    Exit codes: 0 asked for (with --wait: published, or nothing new), 1 the sync failed or took too long, 2 wrong usage
    or no such site, 3 the cluster or `pages serve` cannot be asked.

    \b
    Examples:
      pages sync blog
      pages sync team/blog --wait --timeout 30s
    """  # noqa: D301 - click wants the backspace
    found = find(backend, site, namespace)
    if found["spec"].get("suspend"):
        raise exits.Failed(f"{key(found)} is suspended and is not synced: set spec.suspend to false first")
    request = backend.request_sync(found)
    click.echo(f"{key(found)}: sync asked for")
    if wait:
        finish(backend, found, request, timeout)


def finish(backend: Backend, site: Object, request: str, timeout: timedelta) -> None:
    """Wait for the end and tell each step of the way. Raises Failed."""
    deadline = time.monotonic() + timeout.total_seconds()
    said = ""
    while (result := backend.sync_result(site, request)).ok is None:
        if result.text != said:
            said = result.text
            click.echo(f"{key(site)}: {said}")
        if time.monotonic() > deadline:
            raise exits.Failed(f"{key(site)} was not synced within {timeout}: `pages why {key(site)}` says why")
        time.sleep(_LOOK_SECONDS)
    _conclude(site, result)


def wait_for_commit(backend: Backend, site: Object, revision: str | None, timeout: timedelta) -> None:
    """Wait until the site is live at a commit, or with None follows its branch again. Raises Failed."""
    metadata, deadline = site["metadata"], time.monotonic() + timeout.total_seconds()
    while time.monotonic() <= deadline:
        found = backend.site(metadata["namespace"], metadata["name"]) or site
        generation, synced = found["metadata"].get("generation", 1), condition(found, "Synced")
        if generation > metadata.get("generation", 1) and synced.get("observedGeneration") == generation:
            live = status(found).get("lastCommit") or ""
            if synced.get("status") == "True" and revision in {None, live}:
                click.echo(f"{key(site)}: commit {live[:12]} is live")
                return
            if synced.get("status") == "False":
                raise exits.Failed(f"{key(site)} was not published: {synced.get('reason')}: {synced.get('message')}")
        time.sleep(_LOOK_SECONDS)
    raise exits.Failed(f"{key(site)} was not synced within {timeout}: `pages why {key(site)}` says why")


def _conclude(site: Object, result: SyncResult) -> None:
    if not result.ok:
        raise exits.Failed(f"{key(site)} was not published: {result.text}")
    click.echo(f"{key(site)}: {result.text}")
