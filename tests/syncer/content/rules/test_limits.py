"""What a site may have of rules: what is left out is counted and said, whatever else is wrong."""

import time

import pytest

from syncer.content.rules import bounds
from syncer.content.rules.compile import Rules, compile_rules
from syncer.content.rules.evaluate import Request, evaluate
from syncer.content.rules.findings import MAX_PROBLEMS, State
from syncer.content.rules.lines import MAX_BYTES
from syncer.content.rules.served import Served


def compiled(redirects: str = "", headers: str = "") -> Rules:
    return compile_rules({"_redirects": redirects.encode(), "_headers": headers.encode()}, None, ["index.html"])


def limit_of(rules: Rules) -> str:
    (message,) = [each.message for each in rules.findings if each.is_limit]
    return message


def test_redirects_beyond_the_limit_are_counted_and_the_first_ones_work() -> None:
    rules = compiled("".join(f"/s{n} /t{n}\n" for n in range(bounds.MAX_REDIRECTS + 7)))
    assert limit_of(rules) == "a site has at most 10,000 redirects; 7 from here on are left out"
    assert len(rules.compiled.redirects.entries) == bounds.MAX_REDIRECTS
    assert rules.findings.counts == {State.LIVE: 10_000, State.REFUSED: 7}


def test_patterns_beyond_the_limit_are_counted_and_exact_rules_below_them_work() -> None:
    patterns = "".join(f"/s{n}/* /t{n}/:splat\n" for n in range(bounds.MAX_PATTERNS + 3))
    rules = compiled(patterns + "/last /x")
    assert limit_of(rules).endswith("a host or a query; 3 from here on are left out")
    assert evaluate(rules.compiled, Served(["index.html"]), Request("/last")).location == "/x"


def test_paths_of_headers_beyond_the_limit_are_counted() -> None:
    rules = compiled(headers="".join(f"/p{n}\n  X-A: {n}\n" for n in range(bounds.MAX_PATHS + 5)))
    assert limit_of(rules) == "a site has headers for at most 1,000 paths; 5 from here on are left out"


def test_an_answer_gets_no_more_headers_than_browsers_take() -> None:
    rules = compiled(headers="".join(f"/{'a' * n}*\n  X-A: {'x' * 4000}\n" for n in range(20)))
    assert "those of 12 paths" in limit_of(rules)
    answer = evaluate(rules.compiled, Served(["index.html"]), Request("/" + "a" * 30))
    assert len(answer.headers["X-A"]) < bounds.MAX_ANSWER_BYTES


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ("/*\n" + "".join(f"  X-{n}: 1\n" for n in range(51)), "at most 50 headers"),
        (f"/*\n  X-A: {'x' * 8193}", "the limit is 8,192"),
    ],
)
def test_a_header_beyond_the_limit_is_refused_by_its_line(headers: str, message: str) -> None:
    refused = [each for each in compiled(headers=headers).findings if each.state is State.REFUSED]
    assert [message in each.message for each in refused] == [True]


def test_a_file_that_is_too_large_is_not_used_at_all() -> None:
    rules = compiled("/a /b\n" * (MAX_BYTES // 6 + 1))
    assert [each.message for each in rules.findings] == ["the file has more than 1 MiB; nothing of it is used"]
    assert not rules.compiled


def test_a_limit_is_said_however_many_lines_are_wrong_before_it() -> None:
    rules = compiled("bad\n" * 50 + "".join(f"/s{n} /t{n}\n" for n in range(bounds.MAX_REDIRECTS + 1)))
    problems = rules.findings.problems("_redirects")
    assert len(problems) == MAX_PROBLEMS
    assert any("1 from here on" in each.message for each in problems)
    assert problems[-1].message == "32 more problems are not listed; `pages rules check` lists all"


@pytest.mark.parametrize("line", ["a\n", "/a\n", "/*x /y\n", "/ /\n", "/:a/:b/:c /d\n"])
def test_a_hostile_file_takes_seconds_at_most(line: str) -> None:
    started = time.process_time()
    compiled(line * (MAX_BYTES // len(line)))
    assert time.process_time() - started < 30


def test_a_site_without_rules_has_none() -> None:
    assert not compiled().compiled
    assert not compiled("# nothing\n").compiled
