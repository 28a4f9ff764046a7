"""W6: one repository, however its URL is spelt."""

import pytest

from pages.api import SiteKey, StaticSite
from syncer.webhooks.matching import Index, LatestIndex
from tests.support.objects import parsed_site


def matches(repo: str, url: str) -> bool:
    return bool(Index([parsed_site("docs", repo=repo)]).find([url]))


@pytest.mark.parametrize(
    ("repo", "url"),
    [
        # The cases of Argo CD's table, where the first is what a StaticSite may say.
        ("https://example.com/org/repo", "https://example.com/org/repo"),
        ("https://example.com/org/repo", "https://example.com/org/repo.git"),
        ("https://example.com/org/repo", "git@example.com:org/repo"),
        ("https://example.com/org/repo", "user@example.com:org/repo"),
        ("https://example.com/org/repo", "ssh://git@example.com/org/repo"),
        ("https://example.com/org/repo", "ssh://git@example.com:22/org/repo"),
        ("https://example.com:443/org/repo", "ssh://git@example.com:22/org/repo"),
        ("https://example.com:443/org/repo", "ssh://git@ssh.example.com:443/org/repo"),
        ("https://example.com:443/org/repo", "ssh://git@altssh.example.com:443/org/repo"),
        ("https://example.com/org/repo", "ssh://user-name@example.com/org/repo"),
        ("https://example.com:443/org/repo", "GIT@EXAMPLE.COM:22:ORG/REPO"),
        ("https://example.com/org/repo%20", "https://example.com/org/repo%20"),
        ("https://example.com/org/repo", "http://user@example.com/org/repo"),
        ("http://example.com/org/repo", "https://user@example.com/org/repo"),
        ("https://example.com/org/repo", "https://user:token@example.com/org/repo"),
        ("https://example.com/org/repo", "ssh://example.com/org/repo"),
        # More spellings.
        ("https://example.com/org/repo.git", "https://example.com/org/repo/"),
        ("https://example.com/org/repo/", "https://EXAMPLE.com./Org/Repo.git"),
        ("https://example.com/org/repo", "HTTPS://example.com:443/org/repo"),
        ("http://example.com/org/repo", "http://example.com:80/org/repo"),
        ("https://example.com/org/repo", "git://example.com/org/repo.git"),
        ("https://example.com:8443/org/repo", "http://example.com:8443/org/repo"),
        ("http://127.0.0.1:3000/alice/site.git", "alice@127.0.0.1:alice/site.git"),
        ("http://forge:3000/alice/site.git", "ssh://git@forge:2222/alice/site.git"),
        ("https://example.com/group/sub/team/repo", "git@example.com:group/sub/team/repo.git"),
        ("https://example.com/a%C3%A9/repo", "https://example.com/aé/repo"),
        ("https://example.com/~user/repo", "https://example.com/%7Euser/repo"),
    ],
)
def test_w6_spellings_of_one_repository_match(repo: str, url: str) -> None:
    assert matches(repo, url)


@pytest.mark.parametrize(
    ("repo", "url"),
    [
        ("https://example.com/org/a.d", "https://example.com/org/abd"),
        ("https://example.com/org/abcd", "https://example.com/org/a..d"),
        ("https://an.example.com/org/repo", "https://an-example.com/org/repo"),
        ("https://example.com/org/repo", "https://example.com/org/repo-2"),
        ("https://example.com/org/repo-2", "https://example.com/org/repo"),
        ("https://example.com/org/repo", "https://example.com/org/repo/more"),
        ("https://example.com/org/repo", "https://example.com/repo"),
        ("https://example.com:443/org/repo", "ssh://git@unknown.example.com:443/org/repo"),
        ("https://example.com/org/repo", "ssh://-user-name@example.com/org/repo"),
        ("https://example.com/org/repo", "https://example.com:8443/org/repo"),
        ("https://example.com:8443/org/repo", "https://example.com/org/repo"),
        ("https://example.com/org/repo", "https://ssh.example.com/org/repo"),
        ("https://example.com/org/repo", "https://evil.test/?https://example.com/org/repo"),
        ("https://example.com/org/repo", "https://evil.test/#@example.com/org/repo"),
        ("https://example.com/org/repo", "https://example.com@evil.test/org/repo"),
        ("https://example.com/org/repo", "https://evil.test\\@example.com/org/repo"),
        ("https://example.com/org/repo", "file:///org/repo"),
        ("https://example.com/org/repo", "javascript://example.com/org/repo"),
        ("https://example.com/org/repo", ""),
        ("https://example.com/org/repo", "example.com/org/repo"),
        ("https://example.com/org/repo", "https://example.com/org/repo\n"),
        ("https://example.com/org/repo", "https://example.com:99999999/org/repo"),
        ("https://example.com/org/repo", "https://[::1]/org/repo"),
        ("https://example.com/org/repo", "x" * 100_000),
    ],
)
def test_w6_other_repositories_do_not(repo: str, url: str) -> None:
    assert not matches(repo, url)


def test_w6_a_site_of_this_machine_matches_no_delivery() -> None:
    local = parsed_site("docs", repo="https://example.com/org/repo").spec.model_copy(
        update={"repo": "file:///org/repo"}
    )
    site = parsed_site("docs", repo="https://example.com/org/repo").model_copy(update={"spec": local})
    assert Index([site]).find(["file:///org/repo", "https://example.com/org/repo"]) == []


def test_each_site_is_found_once_whichever_url_names_it() -> None:
    sites = [
        parsed_site("docs", "b", repo="https://example.com/org/repo"),
        parsed_site("docs", "a", repo="http://example.com/org/repo.git"),
    ]
    urls = ["https://example.com/org/repo.git", "git@example.com:org/repo.git", "https://example.com/org/repo"]
    assert [site.key for site in Index(sites).find(urls)] == ["a/docs", "b/docs"]


class Sites:
    """Sites that a test changes."""

    def __init__(self) -> None:
        self.sites: dict[str, StaticSite] = {}

    def by_uid(self) -> dict[str, StaticSite]:
        return self.sites


def test_the_index_is_made_again_when_the_sites_change() -> None:
    sites = Sites()
    index = LatestIndex(sites)
    assert index.latest() is index.latest()
    assert index.latest().named(SiteKey("team", "docs")) is None
    sites.sites = {"uid": parsed_site("docs", repo="https://example.com/org/repo")}
    assert index.latest().named(SiteKey("team", "docs"))
    assert index.latest() is index.latest()
