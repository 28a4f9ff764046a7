import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from syncer.schedule.lanes import Backlog, Backoff, Capacity, EntrySpec, Result, Run
from syncer.schedule.schedule import Schedule
from tests.support.chance import Fixed

FIRST, MOST, JITTER, SLOW = Backoff.first_seconds, Backoff.max_seconds, Backoff.jitter, Capacity.slow_seconds

WELL, ILL, HANGS = Result(well=True), Result(well=False), Result(well=False, host_answers=False)
PLENTY = Capacity(workers=100, per_host=100, per_namespace=100)


def steady(capacity: Capacity = PLENTY) -> Schedule[str]:
    """No jitter: the random numbers are in the middle."""
    return Schedule(capacity, random=Fixed())


def spec(name: str, interval: float = 300, host: str = "forge", namespace: str = "team", group: str = "") -> EntrySpec:
    return EntrySpec(interval, group or name, host, namespace)


def specs(*names: str, interval: float = 300) -> dict[str, EntrySpec]:
    return {name: spec(name, interval) for name in names}


def keys(runs: Sequence[Run[str]]) -> list[str]:
    return [key for run in runs for key in run.keys]


def run_due(schedule: Schedule[str], now: float, result: Result = WELL) -> list[str]:
    """Run what is due, in no time."""
    runs = schedule.take_due(now)
    for run in runs:
        schedule.finished(run, dict.fromkeys(run.keys, result), now)
    return keys(runs)


def test_a_new_key_is_due_at_once_and_again_after_its_interval() -> None:
    schedule = steady()
    schedule.keep(specs("a"), now=1000)
    (run,) = schedule.take_due(1000)
    schedule.finished(run, {"a": WELL}, 1001)
    assert schedule.take_due(1300) == []
    assert keys(schedule.take_due(1301)) == ["a"]


def test_a_running_key_is_not_given_out_twice() -> None:
    schedule = steady()
    schedule.keep(specs("a", interval=10), now=0)
    schedule.take_due(0)
    assert schedule.take_due(1000) == []
    assert schedule.next_look(1000) is None


def test_what_is_longest_overdue_comes_first() -> None:
    schedule = steady()
    schedule.keep(specs("late"), now=0)
    schedule.keep(specs("late", "later"), now=5)
    assert keys(schedule.take_due(6)) == ["late", "later"]


def test_a_new_or_hastened_key_comes_before_every_idle_look() -> None:
    schedule = steady(Capacity(workers=2, per_host=2, per_namespace=2))
    schedule.keep(specs("a", "b", "c"), now=0)
    run_due(schedule, 0)
    run_due(schedule, 0)
    schedule.keep(specs("a", "b", "c", "new"), now=310)
    schedule.hasten("c", 310)
    runs = schedule.take_due(310)
    assert keys(runs) == ["c", "new"]
    assert schedule.take_due(310) == []
    schedule.finished(runs[0], {"c": WELL}, 310)
    assert keys(schedule.take_due(310)) == ["a"]


def test_what_is_late_by_a_whole_interval_waits_no_longer_behind_new_ones() -> None:
    schedule = steady(Capacity(workers=1, per_host=1, per_namespace=1))
    schedule.keep(specs("old"), now=0)
    run_due(schedule, 0)
    schedule.keep(specs("old", "new", "newer"), now=700)
    assert keys(schedule.take_due(700)) == ["old"]


def test_failures_wait_longer_each_time_up_to_a_ceiling_and_success_forgets_them() -> None:
    schedule = steady()
    schedule.keep(specs("a"), now=0)
    waits, now = [], 0.0
    for _ in range(12):
        run_due(schedule, now, ILL)
        due = schedule.next_look(now)
        assert due is not None
        waits.append(due - now)
        now = due
    assert waits[:3] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert waits[-1] == MOST
    run_due(schedule, now)
    assert schedule.next_look(now) == now + 300


def test_hastening_while_it_runs_means_once_more_however_often() -> None:
    schedule = steady()
    schedule.keep(specs("a"), now=0)
    (run,) = schedule.take_due(0)
    schedule.hasten("a", 1)
    schedule.hasten("a", 2)
    schedule.finished(run, {"a": WELL}, 3)
    assert run_due(schedule, 3) == ["a"]
    assert run_due(schedule, 4) == []


def test_a_shorter_interval_counts_at_once() -> None:
    schedule = steady()
    schedule.keep(specs("a", interval=3600), now=0)
    run_due(schedule, 0)
    schedule.keep(specs("a", interval=10), now=100)
    assert schedule.next_look(100) == 110


def test_a_key_that_is_gone_is_forgotten_even_while_it_runs() -> None:
    schedule = steady()
    schedule.keep(specs("a", "b"), now=0)
    (run, _) = schedule.take_due(0)
    schedule.keep({}, now=1)
    schedule.finished(run, {"a": WELL}, 2)
    assert schedule.next_look(2) is None
    assert schedule.take_due(1e6) == []


def test_a_key_that_comes_back_while_its_old_run_goes_on_is_run_afterwards() -> None:
    schedule = steady()
    schedule.keep(specs("a"), now=0)
    (run,) = schedule.take_due(0)
    schedule.keep({}, now=1)
    schedule.keep(specs("a"), now=2)
    assert schedule.take_due(2) == []  # the mirror is in use
    schedule.finished(run, {"a": WELL}, 3)
    assert run_due(schedule, 3) == ["a"]


@given(st.floats(0, 1), st.floats(10, 86_400))
def test_jitter_stays_within_its_bounds(chance: float, interval: float) -> None:
    schedule: Schedule[str] = Schedule(random=Fixed(chance))
    schedule.keep(specs("a", interval=interval), now=0)
    run_due(schedule, 0)
    due = schedule.next_look(0)
    assert due is not None
    assert interval * (1 - JITTER) <= due <= interval * (1 + JITTER) * 1.0001


def test_branches_of_one_repository_are_asked_for_together_whenever_one_is_due() -> None:
    schedule = steady()
    branches = {"main": spec("main", 100, group="repo"), "dev": spec("dev", 900, group="repo")}
    schedule.keep(branches, now=0)
    assert [run.keys for run in schedule.take_due(0)] == [("main", "dev")]


def test_a_branch_that_fails_neither_delays_nor_hurries_the_others() -> None:
    schedule = steady()
    schedule.keep({name: spec(name, group="repo") for name in ("good", "bad")}, now=0)
    (run,) = schedule.take_due(0)
    schedule.finished(run, {"good": WELL, "bad": ILL}, 0)
    (run,) = schedule.take_due(FIRST)
    assert run.keys == ("good", "bad")  # it is asked again, and the other one with it
    schedule.finished(run, {"good": WELL, "bad": ILL}, FIRST)
    schedule.hasten("good", 40)
    assert keys(schedule.take_due(40)) == ["good"]


def test_what_falls_due_while_its_repository_is_being_asked_waits_for_that() -> None:
    schedule = steady()
    schedule.keep({"main": spec("main", group="repo")}, now=0)
    (run,) = schedule.take_due(0)
    schedule.keep({name: spec(name, group="repo") for name in ("main", "dev")}, now=1)
    assert schedule.take_due(1) == []
    schedule.finished(run, {"main": WELL}, 2)
    assert [run.keys for run in schedule.take_due(2)] == [("main", "dev")]


def test_x2_no_host_and_no_namespace_takes_all_workers() -> None:
    schedule = steady(Capacity(workers=4, per_host=2, per_namespace=3))
    schedule.keep({f"{host}{n}": spec(f"{host}{n}", host=host) for host in ("one", "two") for n in range(9)}, now=0)
    runs = schedule.take_due(0)
    assert sorted(run.host for run in runs) == ["one", "one", "two"]  # all of them of one namespace
    others = {"other": spec("other", host="three", namespace="other")}
    schedule.keep({key: spec(key, host=key[:3]) for run in runs for key in run.keys} | others, now=0)
    assert keys(schedule.take_due(0)) == ["other"]


def test_x2_namespaces_take_turns_however_much_each_of_them_wants() -> None:
    schedule = steady(Capacity(workers=1, per_host=1, per_namespace=1))
    many = {f"big{number}": spec(f"big{number}", namespace="big") for number in range(50)}
    few = {f"small{number}": spec(f"small{number}", namespace="small") for number in range(2)}
    schedule.keep(many | few, now=0)
    assert [run_due(schedule, 0)[0][:3] for _ in range(6)] == ["big", "sma", "big", "sma", "big", "big"]


def test_a_host_that_asks_to_be_left_alone_is_left_alone_and_others_are_not() -> None:
    schedule = steady()
    schedule.keep({"a": spec("a", host="busy"), "b": spec("b", host="busy"), "c": spec("c", host="idle")}, now=0)
    schedule.pause("busy", 120, now=0)
    schedule.hasten("a", 1)  # a user waits for it
    assert run_due(schedule, 1) == ["c"]
    assert schedule.next_look(1) == 120
    assert sorted(keys(schedule.take_due(120))) == ["a", "b"]


def test_what_failed_last_gets_at_most_half_of_the_workers() -> None:
    schedule = steady(Capacity(workers=4, per_host=4, per_namespace=4))
    schedule.keep(specs("a", "b", "c", "d"), now=0)
    run_due(schedule, 0, ILL)
    schedule.keep(specs("a", "b", "c", "d", "new"), now=1000)
    assert sorted(keys(schedule.take_due(1000))) == ["a", "b", "new"]


def test_runs_that_hang_make_room_for_others_after_a_moment() -> None:
    schedule = steady(Capacity(workers=2, per_host=2, per_namespace=9))
    hanging = {f"bad{number}": spec(f"bad{number}", host="bad") for number in range(2)}
    good = {"good": spec("good", host="good")}
    schedule.keep(hanging, now=0)
    assert len(schedule.take_due(0)) == 2
    schedule.keep(hanging | good, now=1)
    assert schedule.take_due(1) == []
    assert schedule.next_look(1) == SLOW
    assert keys(schedule.take_due(SLOW)) == ["good"]


def test_one_long_run_at_a_host_that_answers_holds_up_nothing() -> None:
    schedule = steady(Capacity(workers=2, per_host=2, per_namespace=2))
    schedule.keep(specs("large", "small0"), now=0)
    large, small = schedule.take_due(0)
    schedule.finished(small, {"small0": WELL}, 1)
    schedule.keep(specs("large", "small0", "small1", "small2"), now=20)
    assert run_due(schedule, 20) + run_due(schedule, 20) == ["small1", "small2"]
    assert large.keys == ("large",)


def test_even_slow_runs_have_a_bound() -> None:
    schedule = steady(Capacity(workers=2, per_host=9, per_namespace=9))
    schedule.keep({name: spec(name, host=name) for name in "abcdefgh"}, now=0)
    started = [len(schedule.take_due(now)) for now in (0, 10, 20, 30)]
    assert started == [2, 2, 0, 0]


def test_a_key_over_which_processes_died_waits_and_the_others_do_not() -> None:
    schedule = steady()
    schedule.keep(specs("deadly", "other"), now=0)
    schedule.hold_back("deadly", failures=2, now=0)
    assert keys(schedule.take_due(0)) == ["other"]
    assert keys(schedule.take_due(2 * FIRST)) == ["deadly"]


def simulate(
    schedule: Schedule[str], takes: Callable[[str], float], result: Callable[[str], Result], until: float
) -> dict[str, list[float]]:
    """Play the workers; say when each key was started."""
    started: dict[str, list[float]] = {}
    running: list[tuple[float, Run[str]]] = []
    now = 0.0
    while now < until:
        for run in schedule.take_due(now):
            for key in run.keys:
                started.setdefault(key, []).append(now)
            running.append((now + max(takes(key) for key in run.keys), run))
        look = schedule.next_look(now)
        now = min([*(end for end, _ in running), look if look is not None else until])
        for each in [each for each in running if each[0] <= now]:
            running.remove(each)
            schedule.finished(each[1], {key: result(key) for key in each[1].keys}, now)
    return started


def longest_wait(moments: list[float]) -> float:
    return max(later - earlier for earlier, later in itertools.pairwise(moments))


def test_f32_a_site_that_fails_a_thousand_times_delays_others_by_less_than_an_interval() -> None:
    """F32: it hangs for 30 s each time, and a user hastens it all the time."""
    schedule = steady(Capacity.of(4))
    everything = {"poison": spec("poison", 60, host="bad")} | specs(*(f"good{n}" for n in range(50)), interval=60)
    schedule.keep(everything, now=0)
    fails = 0

    def result(key: str) -> Result:
        nonlocal fails
        if key == "poison":
            fails += 1
            schedule.hasten("poison", 0)
            return HANGS
        return WELL

    started = simulate(schedule, lambda key: 30.0 if key == "poison" else 0.01, result, until=30 * 1000 + 60)
    assert fails >= 1000
    good = [moments for key, moments in started.items() if key != "poison"]
    assert len(good) == 50
    assert max(longest_wait(moments) for moments in good) < 2 * 60


def test_x2_many_hosts_that_hang_delay_others_by_less_than_an_interval() -> None:
    """X2: more of them than there are workers, each with sites of every namespace; all of them new at once."""
    schedule = steady(Capacity.of(4))
    hanging = {
        f"bad{host}-{n}": spec(f"bad{host}-{n}", 60, host=f"bad{host}", namespace=f"team{n % 3}")
        for host in range(10)
        for n in range(20)
    }
    good = {f"good{n}": spec(f"good{n}", 60, namespace=f"team{n % 3}") for n in range(50)}
    schedule.keep(hanging | good, now=0)
    started = simulate(
        schedule,
        lambda key: 0.01 if key in good else 30.0,
        lambda key: WELL if key in good else HANGS,
        until=3600,
    )
    assert all(started[key][0] < 60 for key in good)
    assert max(longest_wait(started[key]) for key in good) < 2 * 60


def test_f33_a_thousand_new_sites_are_all_started_and_the_few_of_another_namespace_among_the_first() -> None:
    """F33: a cold start."""
    schedule = steady(Capacity.of(4))
    many = {f"many{n}": spec(f"many{n}", namespace="many") for n in range(1000)}
    few = {f"few{n}": spec(f"few{n}", namespace="few") for n in range(5)}
    schedule.keep(many | few, now=0)
    started = simulate(schedule, lambda _key: 0.1, lambda _key: WELL, until=200)
    firsts = {key: moments[0] for key, moments in started.items()}
    assert len(firsts) == 1005
    assert max(firsts[key] for key in few) < 1
    assert max(firsts.values()) < 1005 * 0.1 / 3 + 1


def test_a_namespace_that_changes_is_charged_to_the_new_one() -> None:
    schedule = steady(Capacity(workers=2, per_host=2, per_namespace=1))
    both = {"a": spec("a", namespace="x"), "b": spec("b", namespace="x")}
    schedule.keep(both, now=0)
    assert len(schedule.take_due(0)) == 1
    schedule.keep({name: replace(each, namespace=name) for name, each in both.items()}, now=1)
    assert keys(schedule.take_due(1)) == ["b"]


def test_the_backlog_is_what_is_due_and_not_run() -> None:
    schedule = steady(Capacity(workers=1))
    schedule.keep({key: EntrySpec(60, key, "forge", "team") for key in ("a", "b", "c")}, now=0)
    assert schedule.backlog(5) == Backlog(keys=3, running=0, due=3, oldest_seconds=5)
    (run,) = schedule.take_due(5)
    assert schedule.backlog(6) == Backlog(keys=3, running=1, due=2, oldest_seconds=6)
    schedule.finished(run, {key: Result(well=True) for key in run.keys}, 7)
    assert schedule.backlog(7) == Backlog(keys=3, running=0, due=2, oldest_seconds=7)
    assert steady().backlog(7) == Backlog(0, 0, 0, 0)
