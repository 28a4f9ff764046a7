"""What is said of the releases that were live: no more than is true."""

from datetime import UTC, datetime
from functools import partial

from pages.api import ReleaseStatus
from syncer.reporting.history import merge
from syncer.volume.records import Release
from tests.support.objects import parsed_site

REPO = "https://forge.example.com/team/docs"
docs = partial(parsed_site, "docs", repo=REPO, metadata={"uid": "u1"})


def release(stamp: int, *, uid: str = "u1", repo: str = REPO, path: str = "", authored: int | None = 5) -> Release:
    return Release(uid, repo, "main", f"{stamp:040}", path, "t" * 40, stamp=stamp, size=7, files=2, authored=authored)


def stamps(history: list[ReleaseStatus]) -> list[int]:
    return [int(each.time.timestamp()) for each in history]


def test_the_newest_is_the_first_and_the_live_one_is_marked() -> None:
    found = merge([], [release(30), release(20), release(10)], 20, docs())
    assert [(each.commit, each.live, each.available) for each in found] == [
        (f"{30:040}", False, True),
        (f"{20:040}", True, True),
        (f"{10:040}", False, True),
    ]
    assert (found[0].files, found[0].bytes, found[0].author_date) == (2, 7, datetime.fromtimestamp(5, UTC))


def test_what_left_the_volume_is_remembered_as_not_available() -> None:
    before = merge([], [release(20), release(10)], 20, docs())
    after = merge(before, [release(30), release(20)], 30, docs())
    assert [(stamp, each.available) for stamp, each in zip(stamps(after), after, strict=True)] == [
        (30, True),
        (20, True),
        (10, False),
    ]


def test_at_most_ten_are_listed_and_the_live_one_is_always_among_them() -> None:
    before = merge([], [release(number) for number in range(20, 0, -1)], 1, docs())
    assert stamps(before) == [20, 19, 18, 17, 16, 15, 14, 13, 12, 1]
    assert before[-1].live


def test_of_another_repository_or_folder_nothing_can_be_gone_back_to() -> None:
    others = [release(30), release(20, repo="https://forge.example.com/x/y"), release(10, path="public")]
    assert [each.available for each in merge([], others, 30, docs())] == [True, False, False]
    assert [each.available for each in merge([], others, 30, docs(path="/public"))] == [False, False, True]


def test_of_a_site_that_had_the_name_before_nothing_is_told() -> None:
    """N3."""
    assert merge([], [release(10, uid="u0")], 10, docs()) == []


def test_a_record_of_before_there_was_a_history_has_no_author_date() -> None:
    (found,) = merge([], [release(10, authored=None)], 10, docs())
    assert "authorDate" not in found.dump()
