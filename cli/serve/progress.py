"""What `pages serve` prints."""

import threading
from collections.abc import Collection, Mapping, Sequence

import click

from pages.api import Object, SiteKey, StaticSite
from pages.manifests import Problem
from syncer.errors import SyncError
from syncer.outcome import Outcome
from syncer.recorder import Recorder


class Progress(Recorder):
    """Prints each change once. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: set[str] = set()
        self._rejections: set[str] = set()
        self._urls: dict[SiteKey, str] = {}
        self._printed: dict[SiteKey, str] = {}  # the last line about each site
        self._expected: set[SiteKey] | None = None  # whose first sync has not ended; None before nginx answers
        self._early: list[tuple[StaticSite, Outcome]] = []

    def problems(self, problems: Sequence[Problem]) -> None:
        """Print the new mistakes in the manifests."""
        with self._lock:
            self._problems = _echo_new({str(each) for each in problems}, self._problems)

    def routed(self, urls: Mapping[SiteKey, str], rejections: Sequence[Object]) -> None:
        """Print which sites were added, removed or rejected."""
        rejected = {f"{each['namespace']}/{each['name']}: {each['reason']}: {each['message']}" for each in rejections}
        with self._lock:
            for key in urls.keys() - self._urls.keys() if self._expected is not None else ():
                click.echo(f"  added      {key}  {urls[key]}")
            for key in self._urls.keys() - urls.keys():
                click.echo(f"  removed    {key}")
                self._printed.pop(key, None)
                self._expect_no_longer(key)
            self._urls = dict(urls)
            self._rejections = _echo_new(rejected, self._rejections)

    def serving(
        self, sites: Sequence[SiteKey], suspended: Collection[SiteKey], *, where: str, webhooks: str, dashboard: str
    ) -> None:
        """Nginx answers now. Print the outcomes of the first syncs that have ended before."""
        with self._lock:
            self._expected = set(sites) - set(suspended)
            number = f"{len(sites)} site{'' if len(sites) == 1 else 's'}"
            click.echo(f"Publishing {number} on {where} (Ctrl-C stops)")
            click.echo(f"Dashboard: {dashboard}")
            click.echo(f"Webhook URL: {webhooks}<forgejo|gitea|github|gitlab|generic>")
            if not self._expected:
                _echo_end_of_first_round()
            for site, outcome in self._early:
                self._print(site, outcome)

    def outcome_reported(self, site: StaticSite, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002 - a Recorder's
        """Print the outcome if it differs from the last one of the site."""
        with self._lock:
            if self._expected is None:
                self._early.append((site, outcome))
            else:
                self._print(site, outcome)

    def _print(self, site: StaticSite, outcome: Outcome) -> None:
        key = site.site_key
        if isinstance(outcome, SyncError):
            word, text = "failed", f"{outcome.reason}: {outcome}"
        else:
            release = outcome.release
            url = self._urls.get(key, "(not routed)")
            word, text = "published", f"{url}  {release.files} files, commit {release.commit[:12]}"
        if self._printed.get(key) != text:
            self._printed[key] = text
            click.echo(f"  {self._count(key)}{word:<9}  {key}  {text}", err=word == "failed")
        self._expect_no_longer(key)

    def _expect_no_longer(self, key: SiteKey) -> None:
        if self._expected and key in self._expected:
            self._expected.discard(key)
            if not self._expected:
                _echo_end_of_first_round()

    def _count(self, key: SiteKey) -> str:
        """``[2/3]`` during the first round."""
        if not self._expected or key not in self._expected:
            return ""
        total = len(self._printed.keys() | self._expected)
        return f"[{total - len(self._expected) + 1}/{total}] "


def _echo_end_of_first_round() -> None:
    click.echo("Following changes of manifests and repositories; `pages status` shows the state of the sites.")


def _echo_new(now: set[str], before: set[str]) -> set[str]:
    for text in sorted(now - before):
        click.echo(text, err=True)
    return now
