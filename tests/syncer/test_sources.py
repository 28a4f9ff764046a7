"""Which sites share a question to a server."""

from datetime import timedelta
from typing import Any

import pytest

from pages.api import ALLOW_LOCAL, StaticSite
from syncer import sources


def a_site(name: str = "a", namespace: str = "team", **spec: Any) -> StaticSite:
    written = {"metadata": {"namespace": namespace, "name": name}, "spec": {"repo": "https://f.example.com/x"} | spec}
    return StaticSite.model_validate(written, context={ALLOW_LOCAL: True})


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
    assert len(sources.group([a_site("a", **one), a_site("b", **two)])) == 1


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (a_site(), a_site(branch="dev")),
        (a_site(), a_site(repo="http://f.example.com/x")),
        (a_site(), a_site(repo="https://f.example.com:8443/x")),
        (a_site(), a_site(repo="https://f.example.com/X")),
        (a_site(), a_site(secretRef={"name": "s"})),
        (a_site(secretRef={"name": "s"}), a_site(namespace="other", secretRef={"name": "s"})),
        (a_site(secretRef={"name": "s"}), a_site(secretRef={"name": "s", "key": "other"})),
    ],
)
def test_any_other_two_do_not(one: StaticSite, two: StaticSite) -> None:
    assert sources.source_of(one) != sources.source_of(two)


def test_branches_share_a_mirror_and_credentials_never_do() -> None:
    plain, dev, private = map(sources.source_of, (a_site(), a_site(branch="dev"), a_site(secretRef={"name": "s"})))
    assert plain.mirror_id == dev.mirror_id != private.mirror_id
    assert plain.ref != dev.ref


def test_the_most_impatient_site_says_how_often() -> None:
    ((source, sites),) = sources.group([a_site(syncInterval="1h"), a_site("b", syncInterval="90s")]).items()
    assert sources.interval(source, sites) == timedelta(seconds=90)


def test_a_draft_on_this_machine_is_looked_at_all_the_time() -> None:
    ((source, sites),) = sources.group([a_site(repo="/srv/draft")]).items()
    assert sources.interval(source, sites) < timedelta(seconds=10)
