"""What `pages serve` prints."""

import pytest

from cli.serve.progress import Progress
from pages.api import SiteKey, StaticSite
from syncer.errors import TimedOut
from syncer.publishing.release import Published
from tests.support.releases import a_release

RELEASE = a_release(files=3)
END = "Following changes of manifests and repositories"


def a_site(name: str) -> StaticSite:
    metadata = {"namespace": "team", "name": name, "uid": name}
    return StaticSite.model_validate({"metadata": metadata, "spec": {"repo": "https://example.com/x.git"}})


@pytest.mark.parametrize("early", [0, 1, 2])
def test_the_first_round_is_told_in_order_however_soon_its_syncs_end(
    early: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A site that has not changed is synced in milliseconds, which may be before nginx and the API are up."""
    progress, sites, told = Progress(), [a_site("one"), a_site("two")], ""
    for site in sites[:early]:
        progress.synced(site, Published(RELEASE, changed=False))
    progress.serving([SiteKey("team", "one"), SiteKey("team", "two")], [], "http://a", "http://b", "http://c")
    for site in sites[early:]:
        told += capsys.readouterr().out
        assert END not in told
        progress.synced(site, Published(RELEASE, changed=False))
    told += capsys.readouterr().out
    assert told.count(END) == 1
    beginnings = [line.split()[0] for line in told.splitlines()]
    assert beginnings == ["Publishing", "How", "Webhooks", "[1/2]", "[2/2]", "Following"]


def test_nobody_waits_for_a_site_that_is_suspended_or_removed(capsys: pytest.CaptureFixture[str]) -> None:
    progress, names = Progress(), [SiteKey("team", "one"), SiteKey("team", "two"), SiteKey("team", "three")]
    progress.routed(dict.fromkeys(names, "http://site"), [])
    progress.serving(names, [SiteKey("team", "three")], "http://a", "http://b", "http://c")
    progress.synced(a_site("one"), Published(RELEASE, changed=True))
    assert END not in capsys.readouterr().out
    progress.routed(dict.fromkeys([SiteKey("team", "one"), SiteKey("team", "three")], "http://site"), [])
    assert capsys.readouterr().out.count(END) == 1


def test_a_failure_is_said_once_and_again_when_it_is_another(capsys: pytest.CaptureFixture[str]) -> None:
    progress, site = Progress(), a_site("one")
    progress.serving([SiteKey("team", "one")], [], "http://a", "http://b", "http://c")
    for text in ("slow", "slow", "slower"):
        progress.synced(site, TimedOut(text))
    assert [line.split()[-1] for line in capsys.readouterr().err.splitlines()] == ["slow", "slower"]
