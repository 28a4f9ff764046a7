from hypothesis import given
from hypothesis import strategies as st

from syncer.schedule import FIRST_BACKOFF_SECONDS, JITTER, MAX_BACKOFF_SECONDS, Schedule


def steady() -> Schedule[str]:
    """No jitter: `random` in the middle."""
    return Schedule(lambda: 0.5)


def test_a_new_key_is_due_at_once_and_again_after_its_interval() -> None:
    schedule = steady()
    schedule.keep({"a": 300}, now=1000)
    assert schedule.take_due(1000) == ["a"]
    schedule.finished("a", 1001, well=True)
    assert schedule.take_due(1300) == []
    assert schedule.take_due(1301) == ["a"]


def test_a_running_key_is_not_given_out_twice() -> None:
    schedule = steady()
    schedule.keep({"a": 10}, now=0)
    schedule.take_due(0)
    assert schedule.take_due(1000) == []
    assert schedule.next_due() is None


def test_what_is_longest_overdue_comes_first() -> None:
    schedule = steady()
    schedule.keep({"late": 10}, now=0)
    schedule.keep({"late": 10, "later": 10}, now=5)
    assert schedule.take_due(6) == ["late", "later"]


def test_a_new_or_hastened_key_comes_before_every_idle_look() -> None:
    schedule = steady()
    schedule.keep({"a": 10, "b": 10, "c": 10}, now=0)
    for key in schedule.take_due(0):
        schedule.finished(key, 0, well=True)
    schedule.keep({"a": 10, "b": 10, "c": 10, "new": 10}, now=100)
    schedule.hasten("c", 101)
    assert schedule.take_due(102, most=2) == ["c", "new"]
    assert schedule.take_due(102, most=1) == ["a"]
    assert schedule.take_due(102, most=0) == []


def test_failures_wait_longer_each_time_up_to_a_ceiling_and_success_forgets_them() -> None:
    schedule = steady()
    schedule.keep({"a": 300}, now=0)
    waits = []
    for _ in range(12):
        schedule.take_due(1e9)
        schedule.finished("a", 0, well=False)
        waits.append(schedule.next_due())
    assert waits[:3] == [FIRST_BACKOFF_SECONDS, 2 * FIRST_BACKOFF_SECONDS, 4 * FIRST_BACKOFF_SECONDS]
    assert waits[-1] == MAX_BACKOFF_SECONDS
    schedule.take_due(1e9)
    schedule.finished("a", 0, well=True)
    assert schedule.next_due() == 300


def test_hastening_while_it_runs_means_once_more_however_often() -> None:
    schedule = steady()
    schedule.keep({"a": 300}, now=0)
    schedule.take_due(0)
    schedule.hasten("a", 1)
    schedule.hasten("a", 2)
    schedule.finished("a", 3, well=True)
    assert schedule.take_due(3) == ["a"]
    schedule.finished("a", 4, well=True)
    assert schedule.take_due(4) == []


def test_a_shorter_interval_counts_at_once() -> None:
    schedule = steady()
    schedule.keep({"a": 3600}, now=0)
    schedule.take_due(0)
    schedule.finished("a", 0, well=True)
    schedule.keep({"a": 10}, now=100)
    assert schedule.next_due() == 110


def test_a_key_that_is_gone_is_forgotten_even_while_it_runs() -> None:
    schedule = steady()
    schedule.keep({"a": 10}, now=0)
    schedule.take_due(0)
    schedule.keep({}, now=1)
    schedule.finished("a", 2, well=True)
    assert schedule.next_due() is None


@given(st.floats(0, 1), st.floats(10, 86_400))
def test_jitter_stays_within_its_bounds(random: float, interval: float) -> None:
    schedule: Schedule[str] = Schedule(lambda: random)
    schedule.keep({"a": interval}, now=0)
    schedule.take_due(0)
    schedule.finished("a", 0, well=True)
    due = schedule.next_due()
    assert due is not None
    assert interval * (1 - JITTER) <= due <= interval * (1 + JITTER) * 1.0001
