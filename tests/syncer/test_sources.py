"""Which sites share a question to a server."""

from datetime import timedelta
from typing import Any

import pytest

from pages.api import StaticSite
from syncer import sources
from tests.support.objects import parsed_site


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({}, {"path": "/docs"}),
        ({"repo": "https://F.Example.com:443/x/"}, {"repo": "https://f.example.com/x"}),
        ({"secretRef": {"name": "s"}}, {"secretRef": {"name": "s", "key": "password"}}),
        ({"repo": "/srv/x"}, {"repo": "file:///srv/x"}),
    ],
)
def test_sites_of_one_branch_with_one_credential_share_it(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert len(sources.group([parsed_site("a", **one), parsed_site("b", **two)])) == 1


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (parsed_site(), parsed_site(branch="dev")),
        (parsed_site(), parsed_site(repo="http://f.example.com/x")),
        (parsed_site(), parsed_site(repo="https://f.example.com:8443/x")),
        (parsed_site(), parsed_site(repo="https://f.example.com/X")),
        (parsed_site(), parsed_site(secretRef={"name": "s"})),
        (parsed_site(secretRef={"name": "s"}), parsed_site("site", "other", secretRef={"name": "s"})),
        (parsed_site(secretRef={"name": "s"}), parsed_site(secretRef={"name": "s", "key": "other"})),
    ],
)
def test_any_other_two_do_not(one: StaticSite, two: StaticSite) -> None:
    assert sources.source_of(one) != sources.source_of(two)


def test_branches_share_a_mirror_and_credentials_never_do() -> None:
    plain, dev, private = map(
        sources.source_of, (parsed_site(), parsed_site(branch="dev"), parsed_site(secretRef={"name": "s"}))
    )
    assert plain.mirror_id == dev.mirror_id != private.mirror_id
    assert plain.ref != dev.ref


def test_the_most_impatient_site_says_how_often() -> None:
    ((source, sites),) = sources.group([parsed_site(syncInterval="1h"), parsed_site("b", syncInterval="90s")]).items()
    assert sources.interval(source, sites) == timedelta(seconds=90)


def test_a_draft_on_this_machine_is_looked_at_all_the_time() -> None:
    ((source, sites),) = sources.group([parsed_site(repo="/srv/draft")]).items()
    assert sources.interval(source, sites) < timedelta(seconds=10)
