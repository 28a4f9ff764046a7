"""Events on their way to an API that is slow, away or unwilling."""

import threading
import time
from collections.abc import Iterator

import pytest

from pages.api import StaticSiteStatus
from pages.conditions import condition
from syncer.recorder import Recorder
from syncer.reporting.event_writer import (
    ALLOWANCE,
    GAIN_SECONDS,
    MOST_WAITING,
    ApiAway,
    EventNotWritten,
    EventWriter,
    Written,
)
from tests.support.objects import parsed_site
from tests.support.serving import eventually


class Api:
    """Keeps what is written by its name; ``open`` lets calls through."""

    def __init__(self) -> None:
        self.written: dict[str, Written] = {}
        self.times: list[float] = []
        self.failing: Exception | None = None
        self.open = threading.Event()
        self.open.set()

    def create(self, written: Written) -> None:
        self._call()
        assert written.name not in self.written
        self.written[written.name] = written

    def count(self, written: Written) -> bool:
        self._call()
        if written.name not in self.written:
            return False
        self.written[written.name] = written
        return True

    def _call(self) -> None:
        self.times.append(time.monotonic())
        self.open.wait()
        if self.failing:
            raise self.failing

    @property
    def calls(self) -> int:
        return len(self.times)

    def counts(self) -> list[tuple[str, int]]:
        return [(each.event.reason, each.count) for each in self.written.values()]


class Bench(Recorder):
    def __init__(self, most_remembered: int = 1_000) -> None:
        self.api = Api()
        self.results: list[str] = []
        self.now = 0.0
        self.writer = EventWriter(self.api, self, clock=lambda: self.now, most_remembered=most_remembered)

    def event_written(self, result: str) -> None:
        self.results.append(result)

    def fail(self, name: str, reason: str) -> None:
        after = StaticSiteStatus(conditions=[condition("Synced", False, reason, f"{reason} it is")])
        self.writer.status_changed(parsed_site(name), None, after, None, 0)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.api.open.set()
    made.writer.close(5)


def test_each_event_is_written_beside_its_site_under_its_own_name(bench: Bench) -> None:
    bench.writer.start()
    bench.fail("blog", "GitFailed")
    bench.fail("docs", "GitFailed")
    eventually(lambda: len(bench.api.written) == 2)
    assert sorted(each.name.rpartition(".")[0] for each in bench.api.written.values()) == ["blog", "docs"]
    assert {(each.namespace, each.event.message) for each in bench.api.written.values()} == {
        ("team", "GitFailed it is")
    }
    eventually(lambda: bench.results == ["written", "written"])


def test_a_repeated_event_is_counted_and_written_again_once_it_is_gone(bench: Bench) -> None:
    bench.writer.start()
    for _ in range(3):
        bench.fail("blog", "GitFailed")
    eventually(lambda: bench.api.counts() == [("GitFailed", 3)])
    bench.api.written.clear()
    bench.fail("blog", "GitFailed")
    eventually(lambda: bench.api.counts() == [("GitFailed", 1)])


def test_few_events_are_written_for_a_flapping_site(bench: Bench) -> None:
    bench.writer.start()
    for number in range(100):
        bench.fail("flapping", f"Reason{number}")
    bench.fail("calm", "GitFailed")
    eventually(lambda: len(bench.api.written) == ALLOWANCE + 1)
    assert bench.results.count("withheld") == 100 - ALLOWANCE
    bench.now += GAIN_SECONDS
    bench.fail("flapping", "Later")
    bench.fail("flapping", "TooSoon")
    eventually(lambda: ("Later", 1) in bench.api.counts())
    assert ("TooSoon", 1) not in bench.api.counts()


def test_a_hanging_api_blocks_no_caller_and_the_oldest_events_are_dropped(bench: Bench) -> None:
    bench.writer.start()
    bench.api.open.clear()
    bench.fail("first", "GitFailed")
    eventually(lambda: bench.api.calls == 1)
    for number in range(MOST_WAITING + 5):
        bench.fail(f"site-{number}", "GitFailed")
    assert bench.results == ["dropped"] * 5
    bench.api.open.set()
    eventually(lambda: len(bench.api.written) == MOST_WAITING + 1)
    assert {each.site_name for each in bench.api.written.values()}.isdisjoint(f"site-{number}" for number in range(5))


def test_an_api_that_is_down_is_retried_and_one_that_rejects_is_not(bench: Bench) -> None:
    bench.writer.start()
    bench.api.failing = ApiAway("no answer")
    bench.fail("blog", "GitFailed")
    eventually(lambda: bench.api.calls >= 2)
    bench.api.failing = None
    eventually(lambda: bench.api.counts() == [("GitFailed", 1)])
    bench.api.failing = EventNotWritten("forbidden")
    bench.fail("docs", "GitFailed")
    eventually(lambda: bench.results == ["written", "failed"])
    bench.api.failing = ValueError("a bug")
    bench.fail("docs", "AuthFailed")
    eventually(lambda: bench.results == ["written", "failed", "failed"])
    bench.api.failing = None
    bench.fail("docs", "BranchNotFound")
    eventually(lambda: ("BranchNotFound", 1) in bench.api.counts())


def test_an_api_that_asks_for_a_pause_gets_it(bench: Bench) -> None:
    bench.api.failing = ApiAway("too many requests", pause=0.5)  # without it, it would be 0.2 at most
    bench.writer.start()
    bench.fail("blog", "GitFailed")
    eventually(lambda: bench.api.calls >= 2)
    assert bench.api.times[1] - bench.api.times[0] >= 0.45


def test_what_waits_is_written_before_it_ends_unless_the_api_hangs(bench: Bench) -> None:
    bench.writer.start()
    for number in range(20):
        bench.fail(f"site-{number}", "GitFailed")
    bench.writer.close(30)
    assert len(bench.api.written) == 20
    hanging = Bench()
    hanging.writer.start()
    hanging.api.open.clear()
    hanging.fail("blog", "GitFailed")
    eventually(lambda: hanging.api.calls == 1)
    hanging.writer.close(0.1)
    assert hanging.api.written == {}
    hanging.api.open.set()


def test_memory_is_bounded() -> None:
    bench = Bench(most_remembered=50)
    bench.writer.start()
    for number in range(120):
        bench.fail(f"site-{number}", "GitFailed")
    eventually(lambda: len(bench.api.written) == 120)
    bench.writer.close(5)
    assert len(bench.writer._allowances) == 50
    assert len(bench.writer._written) <= 50
