"""Spans of time as text."""

from datetime import UTC, datetime, timedelta

import pytest

from pages import spans

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        ({"seconds": 3}, "3s"),
        ({"seconds": 119}, "119s"),
        ({"minutes": 5}, "5m"),
        ({"hours": 3}, "3h"),
        ({"days": 9}, "9d"),
        ({"seconds": -3}, "0s"),
    ],
)
def test_an_age_has_its_largest_unit(ago: dict[str, float], text: str) -> None:
    assert spans.age(NOW - timedelta(**ago), NOW) == text


def test_without_a_time_an_age_is_a_dash() -> None:
    assert spans.age(None) == "-"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (119, "119 s"), (540, "9 min"), (7_200, "2 h")])
def test_a_span_in_a_sentence_has_a_unit_with_a_space(seconds: int, text: str) -> None:
    assert spans.show(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (59, "59 s"), (60, "1 minute"), (7_200, "2 hours"), (86_400, "1 day")]
)
def test_words_begin_with_one_unit(seconds: float, text: str) -> None:
    assert spans.words(seconds) == text
