"""An API that is away is asked ever less often, and not by all at one moment."""

from syncer import backoff


def test_each_failure_doubles_the_wait_up_to_half_a_minute() -> None:
    for failures in range(30):
        longest = min(0.1 * 2**failures, 30)
        assert all(longest / 2 <= backoff.seconds(failures, 0.1) <= longest for _ in range(20))


def test_no_two_wait_alike() -> None:
    assert len({backoff.seconds(3, 0.1) for _ in range(20)}) > 1
