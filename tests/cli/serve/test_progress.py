"""What `pages serve` prints."""

import pytest

from cli.serve.progress import Progress
from pages.api import SiteKey
from syncer.errors import TimedOut
from syncer.outcome import Published
from syncer.volume.records import Release
from tests.support.objects import parsed_site

RELEASE = Release(uid="1", repo="", branch="main", commit="c" * 40, path="", tree="", files=3)
URLS = {"where": "http://a", "webhooks": "http://b", "dashboard": "http://c"}
END = "Following changes of manifests and repositories"


@pytest.mark.parametrize("early", [0, 1, 2])
def test_the_first_round_is_printed_in_order_however_soon_it_ends(
    early: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A site that has not changed is synced in milliseconds, which may be before nginx and the API are up."""
    progress, sites, printed = Progress(), [parsed_site("one"), parsed_site("two")], ""
    for site in sites[:early]:
        progress.outcome_reported(site, Published(RELEASE, changed=False), 0)
    progress.serving([SiteKey("team", "one"), SiteKey("team", "two")], [], **URLS)
    for site in sites[early:]:
        printed += capsys.readouterr().out
        assert END not in printed
        progress.outcome_reported(site, Published(RELEASE, changed=False), 0)
    printed += capsys.readouterr().out
    assert printed.count(END) == 1
    beginnings = [line.split()[0] for line in printed.splitlines()]
    assert beginnings == ["Publishing", "Dashboard:", "Webhook", "[1/2]", "[2/2]", "Following"]


def test_a_suspended_or_removed_site_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    progress, names = Progress(), [SiteKey("team", "one"), SiteKey("team", "two"), SiteKey("team", "three")]
    progress.routed(dict.fromkeys(names, "http://site"), [])
    progress.serving(names, [SiteKey("team", "three")], **URLS)
    progress.outcome_reported(parsed_site("one"), Published(RELEASE, changed=True), 0)
    assert END not in capsys.readouterr().out
    progress.routed(dict.fromkeys([SiteKey("team", "one"), SiteKey("team", "three")], "http://site"), [])
    assert capsys.readouterr().out.count(END) == 1


def test_a_failure_is_printed_once_and_again_when_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    progress, site = Progress(), parsed_site("one")
    progress.serving([SiteKey("team", "one")], [], **URLS)
    for text in ("slow", "slow", "slower"):
        progress.outcome_reported(site, TimedOut(text), 0)
    assert [line.split()[-1] for line in capsys.readouterr().err.splitlines()] == ["slow", "slower"]
