"""F21: a clock that jumps by a day harms nothing: intervals, grace times and stamps do not depend on it."""

import dataclasses

import pytest

from syncer.schedule.lanes import EntrySpec, Result
from syncer.schedule.schedule import Schedule
from tests.faults.conftest import Volume
from tests.support.chance import Fixed
from tests.support.git_server import GitServer

DAY = 24 * 3600.0


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_f21_no_release_is_deleted_because_the_clock_jumped(volume: Volume, git_server: GitServer, jump: float) -> None:
    repository = git_server.repository()
    volume.policy = dataclasses.replace(volume.policy, keep_releases=0, grace_seconds=600)
    volume.start()
    for number in range(3):
        repository.commit({"index.html": f"{number}"})
        volume.publish(volume.site())
    volume.clocks.day += jump
    volume.releases.collect()
    assert volume.old_releases(volume.site()) == 2
    volume.start()  # a new process knows no more of the time that has passed
    volume.releases.collect()
    assert volume.old_releases(volume.site()) == 2
    volume.clocks.ticked += 601
    volume.releases.collect()
    assert volume.old_releases(volume.site()) == 0
    assert volume.live() == {"index.html": "2"}


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_f21_a_change_gets_another_mtime_whatever_the_clock_says(
    volume: Volume, git_server: GitServer, jump: float
) -> None:
    """Else a browser would get a 304 for something that is new."""
    repository = git_server.repository()
    stamps = []
    for number in range(4):
        repository.commit({"index.html": f"{number}"})
        stamps.append(volume.publish(volume.site()).stamp)
        assert (volume.live_link() / "index.html").stat().st_mtime == stamps[-1]
        volume.clocks.day += jump
        jump = -jump
    assert stamps == sorted(set(stamps))
    assert volume.live() == {"index.html": "3"}


def test_f21_what_is_due_depends_on_monotonic_seconds_alone() -> None:
    """The schedule has no clock of its own; who runs it gives it `time.monotonic`."""
    schedule: Schedule[str] = Schedule(random=Fixed())
    schedule.keep({"site": EntrySpec(300, "site", "forge", "team")}, now=10.0)
    (run,) = schedule.take_due(10.0)
    schedule.finished(run, {"site": Result(well=True)}, 10.0)
    assert schedule.next_look(10.0) == 310.0
