"""A server may ask to be left alone, within reason."""

import datetime as dt
from datetime import UTC

import pytest

from syncer.retry_after import pause_seconds


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
def test_retry_after_may_be_a_date(value: str, seconds: float) -> None:
    assert pause_seconds(value, dt.datetime(2026, 11, 24, 8, 0, tzinfo=UTC)) == seconds
