"""The few lines that are kept of each site."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from syncer.dashboard import urls
from syncer.dashboard.journal import Journal
from syncer.errors import SiteDeleted, Unreachable
from syncer.outcome import Published
from syncer.volume.records import Release
from tests.support.dashboard import COMMIT, seen

SITE = seen("docs").site
RELEASE = Release("u", "repo", "main", COMMIT, "", "t", files=1200, size=5)


def events(journal: Journal) -> list[tuple[bool, str, int]]:
    return [(each.ok, each.event, each.times) for each in journal.of(SITE.metadata.uid)]


def test_what_is_new_is_a_line_and_what_repeats_itself_is_one() -> None:
    journal = Journal()
    journal.outcome_reported(SITE, Published(RELEASE, changed=True), 0)
    journal.outcome_reported(SITE, Published(RELEASE, changed=False), 0)
    for _ in range(3):
        journal.outcome_reported(SITE, Unreachable("no answer"), 0)
    journal.outcome_reported(SITE, SiteDeleted("gone"), 0)
    journal.outcome_reported(SITE, Published(RELEASE, changed=False), 0)
    assert events(journal) == [(True, "Synced", 1), (False, "Unreachable", 3), (True, "Published", 1)]


def test_it_is_bounded() -> None:
    journal = Journal(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for number in range(100):
        journal.outcome_reported(SITE, Unreachable(f"{number}" + "x" * 1000), 0)
    assert len(journal.of(SITE.metadata.uid)) == 20
    assert max(len(each.text) for each in journal.of(SITE.metadata.uid)) == 500
    assert journal.of("another") == ()


@pytest.mark.parametrize(
    ("repo", "forge", "page"),
    [
        ("https://forge.example.com/a/b.git", None, f"https://forge.example.com/a/b/commit/{COMMIT}"),
        ("https://github.com/a/b", None, f"https://github.com/a/b/commit/{COMMIT}"),
        ("https://gitlab.com/a/b/c.git", None, f"https://gitlab.com/a/b/c/-/commit/{COMMIT}"),
        ("https://git.example.com/a/b", "gitlab", f"https://git.example.com/a/b/-/commit/{COMMIT}"),
        ("file:///srv/site", None, None),
        ("/srv/site", None, None),
    ],
)
def test_a_commit_has_a_page_at_its_forge(repo: str, forge: str | None, page: str | None) -> None:
    told: dict[str, Any] = {"commitStatus": {"forge": forge, "secretRef": {"name": "x"}}} if forge else {}
    assert urls.commit(seen("docs", repo=repo, **told).site, COMMIT) == page


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "//x.test/",
        "https://",
        "http://[",
        "https://a@b.test/",
        "ftp://x.test/",
        " javascript:alert(1)",
        "\tjavascript:alert(1)",
    ],
)
def test_nothing_but_http_is_linked_to(url: str | None) -> None:
    assert urls.safe(url) is None


def test_a_release_is_told_with_its_numbers() -> None:
    journal = Journal()
    journal.outcome_reported(SITE, Published(replace(RELEASE, size=1_234_567), changed=True), 0)
    assert "1,200 files, 1,234,567 bytes" in journal.of(SITE.metadata.uid)[0].text
