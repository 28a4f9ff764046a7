from datetime import UTC, datetime, timedelta, timezone

from pages.conditions import condition, find, format_time, stamp

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def test_times_are_utc_with_whole_seconds() -> None:
    summer = datetime(2026, 5, 4, 14, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(summer) == "2026-05-04T12:00:00Z"


def test_the_time_changes_only_if_the_status_changes() -> None:
    first = stamp([condition("Ready", ok=True, reason="A")], [], generation=1, now=NOW)
    same = stamp([condition("Ready", ok=True, reason="B")], first, generation=2, now=LATER)
    changed = stamp([condition("Ready", ok=False, reason="B")], same, generation=2, now=LATER)
    assert [each[0].last_transition_time for each in (first, same, changed)] == [NOW, NOW, LATER]
    assert same[0].observed_generation == 2


def test_ok_none_means_unknown() -> None:
    assert condition("Ready", ok=None, reason="Pending").status == "Unknown"


def test_a_long_message_is_cut() -> None:
    assert len(condition("Ready", ok=False, reason="X", message="x" * 9999).message) == 4096


def test_conditions_are_found_by_type() -> None:
    ready = condition("Ready", ok=True, reason="A")
    assert find([ready], "Ready") is ready
    assert find([ready], "Synced") is None
