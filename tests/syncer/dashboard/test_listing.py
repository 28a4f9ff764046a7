"""Which sites are listed, in which order, on which page."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.api import StaticSiteStatus
from syncer.dashboard.listing import ROWS, STATES, Query, find
from syncer.service.sites import Seen
from tests.support.dashboard import ago, many, seen

SITES = [
    seen("blog", "team", "Ready", domain="Blog.example.org"),
    seen("docs", "team", "Error", status={"lastSync": ago(days=1)}),
    seen("docs", "other", "Pending", status={"lastSync": None}),
    seen("api", "team", "Ready", revision="v1.2.0"),
]


def test_every_phase_can_be_filtered_and_sorted_by() -> None:
    assert set(STATES) == set(get_args(StaticSiteStatus.model_fields["phase"].annotation))


def names(sites: list[Seen], **query: str) -> list[str]:
    return [each.site.key for each in find(sites, Query.read(query)).rows]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["other/docs", "team/api", "team/blog", "team/docs"]),
        ("docs", ["other/docs", "team/docs"]),
        ("DOCS team", ["team/docs"]),
        ("blog.example.org", ["team/blog"]),
        ("forge.example.com/other", ["other/docs"]),
        ("v1.2", ["team/api"]),
        ("8d5d3c0e", ["other/docs", "team/api", "team/blog", "team/docs"]),
        ("mian", ["team/docs"]),
        ("nothing like it", []),
    ],
)
def test_every_word_has_to_be_somewhere_in_what_a_row_tells(text: str, found: list[str]) -> None:
    assert names(SITES, q=text) == found


def test_a_state_is_filtered_by_and_all_are_counted() -> None:
    listing = find(SITES, Query.read({"state": "Ready"}))
    assert [each.site.metadata.name for each in listing.rows] == ["api", "blog"]
    assert (listing.counts, listing.found) == ({"Ready": 2, "Error": 1, "Pending": 1}, 2)


def test_what_is_wrong_or_was_synced_longest_ago_can_come_first() -> None:
    assert names(SITES, sort="state")[0] == "team/docs"
    assert names(SITES, sort="sync")[:2] == ["other/docs", "team/docs"]


def test_pages() -> None:
    sites = list(many(250))
    assert [len(find(sites, Query(page=page)).rows) for page in (1, 2, 3)] == [ROWS, ROWS, 50]
    assert find(sites, Query(page=99)).page == 3


@pytest.mark.parametrize(
    "sent", [{"page": "-1"}, {"page": "x"}, {"page": "٣"}, {"page": "9" * 400}, {"state": "x"}, {"sort": "__class__"}]
)
def test_what_makes_no_sense_in_an_address_is_passed_over(sent: dict[str, str]) -> None:
    assert Query.read(sent) == Query()


def test_a_search_is_kept_on_the_next_page_and_its_first_page_is_shown_for_another_state() -> None:
    query = Query.read({"q": "a b&c", "state": "Ready", "page": "3"})
    assert query.address(page=4) == "?q=a+b%26c&state=Ready&page=4"
    assert query.address(state="Error") == "?q=a+b%26c&state=Error"


@given(st.dictionaries(st.sampled_from(["q", "state", "sort", "page"]), st.text(max_size=20)))
def test_any_address_is_answered(sent: dict[str, Any]) -> None:
    query = Query.read(sent)
    assert query.state in ("", *STATES)
    assert find(SITES, query).page >= 1
