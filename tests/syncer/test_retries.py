"""A failing API is retried ever less often, and a server may ask for a pause, within reason."""

import datetime as dt
from datetime import UTC

import pytest

from syncer.retries import backoff_seconds, pause_seconds


def test_each_failure_doubles_the_backoff_up_to_half_a_minute() -> None:
    for failures in range(30):
        longest = min(0.1 * 2**failures, 30)
        assert all(longest / 2 <= backoff_seconds(failures, 0.1) <= longest for _ in range(20))


def test_no_two_backoffs_are_equal() -> None:
    assert len({backoff_seconds(3, 0.1) for _ in range(20)}) > 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("Tue, 24 Nov 2026 08:01:40 GMT", 100),
        ("Tue, 24 Nov 2026 07:00:00 GMT", 1),
        ("Tue, 24 Nov 2099 07:00:00 GMT", 900),
        ("Tue, 24 Nov 2026 08:01:40 -0000", 100),
        ("²", 60),
        ("9" * 5000, 900),
        ("Tue, 24 Nov 99999999999999999999 08:01:40 GMT", 60),
        ("Tue, 24 Nov 2026 08:01:40 +99999999999999999999", 60),
        ("", 60),
    ],
)
def test_retry_after_holds_seconds_or_a_date(value: str, seconds: float) -> None:
    assert pause_seconds(value, dt.datetime(2026, 11, 24, 8, 0, tzinfo=UTC)) == seconds
