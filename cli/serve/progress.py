"""What `pages serve` tells the person at the keyboard."""

import threading
from collections.abc import Collection, Mapping, Sequence

import click

from hooks.payload import Object
from pages.api import SiteKey, StaticSite
from pages.manifests import Problem
from syncer.errors import SyncError
from syncer.publishing.release import Outcome


class Progress:
    """Prints what is new, once. Called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: set[str] = set()
        self._rejections: set[str] = set()
        self._urls: dict[SiteKey, str] = {}
        self._said: dict[SiteKey, str] = {}  # what was said of a site last
        self._expected: set[SiteKey] | None = None
        self._early: list[tuple[StaticSite, Outcome]] = []

    def problems(self, problems: Sequence[Problem]) -> None:
        """Mistakes in the manifests."""
        with self._lock:
            self._problems = _echo_new({str(each) for each in problems}, self._problems)

    def routed(self, urls: Mapping[SiteKey, str], rejections: Sequence[Object]) -> None:
        """Where the sites are found, and those that are not."""
        said = {f"{each['namespace']}/{each['name']}: {each['reason']}: {each['message']}" for each in rejections}
        with self._lock:
            for name in urls.keys() - self._urls.keys() if self._expected is not None else ():
                click.echo(f"  added      {name}  {urls[name]}")
            for name in self._urls.keys() - urls.keys():
                click.echo(f"  removed    {name}")
                self._said.pop(name, None)
                self._await_no_more(name)
            self._urls = dict(urls)
            self._rejections = _echo_new(said, self._rejections)

    def serving(
        self, sites: Sequence[SiteKey], suspended: Collection[SiteKey], where: str, webhooks: str, dashboard: str
    ) -> None:
        """Nginx answers. The first syncs have begun, and quick ones may have ended: they are told now."""
        with self._lock:
            self._expected = set(sites) - set(suspended)
            number = f"{len(sites)} site{'' if len(sites) == 1 else 's'}"
            click.echo(f"Publishing {number} on {where} (Ctrl-C stops)")
            click.echo(f"How they are is shown at {dashboard}")
            click.echo(f"Webhooks go to {webhooks}, ending in forgejo, gitea, github, gitlab or generic")
            if not self._expected:
                self._end_first_round()
            for site, outcome in self._early:
                self._tell(site, outcome)

    def synced(self, site: StaticSite, outcome: Outcome) -> None:
        """A site was synced, or was not."""
        with self._lock:
            if self._expected is None:
                self._early.append((site, outcome))
            else:
                self._tell(site, outcome)

    def _tell(self, site: StaticSite, outcome: Outcome) -> None:
        name = site.site_key
        word, text = self._describe(site, outcome)
        if self._said.get(name) != text:
            self._said[name] = text
            click.echo(f"  {self._count(name)}{word:<9}  {site.key}  {text}", err=word == "failed")
        self._await_no_more(name)

    def _await_no_more(self, name: SiteKey) -> None:
        if self._expected and name in self._expected:
            self._expected.discard(name)
            if not self._expected:
                self._end_first_round()

    def _describe(self, site: StaticSite, outcome: Outcome) -> tuple[str, str]:
        if isinstance(outcome, SyncError):
            return "failed", f"{outcome.reason}: {outcome}"
        url = self._urls.get(site.site_key, "(not routed)")
        release = outcome.release
        return "published", f"{url}  {release.content.files} files, commit {release.origin.commit[:12]}"

    def _count(self, name: SiteKey) -> str:
        """``[2/3]`` during the first round."""
        if not self._expected or name not in self._expected:
            return ""
        total = len(self._said.keys() | self._expected)
        return f"[{total - len(self._expected) + 1}/{total}] "

    def _end_first_round(self) -> None:
        click.echo("Following changes of manifests and repositories; `pages status` tells how the sites are.")


def _echo_new(now: set[str], before: set[str]) -> set[str]:
    for text in sorted(now - before):
        click.echo(text, err=True)
    return now
