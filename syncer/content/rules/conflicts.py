"""Rules that stand in each other's way: one that an earlier one hides, and some that lead in a circle. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from syncer.content.rules import evaluate
from syncer.content.rules.compiled import Compiled, entry_of
from syncer.content.rules.evaluate import Request
from syncer.content.rules.findings import Findings
from syncer.content.rules.grammar import Pattern
from syncer.content.rules.redirects import REDIRECTS, Redirect
from syncer.content.rules.served import Served

_MAX_COMPARISONS = 1_000_000
_MAX_HOPS = 10


class Numbered(NamedTuple):
    """A rule and its place among all."""

    number: int
    rule: Redirect


class Hiding:
    """Finds the rule that hides another; the work that it does is bounded."""

    def __init__(self) -> None:
        self._exact: dict[tuple[str, str], Numbered] = {}
        self._patterns: dict[str, list[Numbered]] = {}
        self._comparisons_left = _MAX_COMPARISONS

    def by(self, number: int, rule: Redirect) -> Redirect | None:
        """The first earlier rule that answers everything that this one would; else it is remembered itself."""
        earlier = min(self._earlier(rule), default=None)
        if earlier:
            return earlier.rule
        if not rule.params:
            pattern = rule.source.pattern
            if pattern.is_exact:
                self._exact[pattern.prefix, rule.source.host] = Numbered(number, rule)
            else:
                self._patterns.setdefault(pattern.prefix, []).append(Numbered(number, rule))
        return None

    def _earlier(self, rule: Redirect) -> Iterator[Numbered]:
        pattern, host = rule.source.pattern, rule.source.host
        if pattern.is_exact:
            for each in ("", host):
                if (pattern.prefix, each) in self._exact:
                    yield self._exact[pattern.prefix, each]
        segments = pattern.prefix.split("/")[1:]
        for depth in range(len(segments) + 1):
            for earlier in self._patterns.get("".join(f"/{each}" for each in segments[:depth]), ()):
                self._comparisons_left -= 1
                if self._comparisons_left < 0:
                    return
                source = earlier.rule.source
                if source.host in {"", host} and _covers(source.pattern, pattern):
                    yield earlier


def _covers(earlier: Pattern, later: Pattern) -> bool:
    if earlier._replace(names=()) == later._replace(names=()):
        return True
    fits = len(earlier.head) <= len(later.head) and all(
        each is None or each == other for each, other in zip(earlier.head, later.head, strict=False)
    )
    if earlier.star is None:
        return fits and later.star is None and len(earlier.head) == len(later.head)
    return fits and (earlier.is_folder or _matches_text(earlier, later))


def _matches_text(earlier: Pattern, later: Pattern) -> bool:
    """A pattern with text beside its star, and one exact path."""
    if not later.is_exact or earlier.star is None:
        return False
    segments = [str(each) for each in later.head]
    return evaluate.match_pattern(entry_of(0, earlier), segments, later.prefix) is not None


def unhidden(rules: Sequence[Redirect], findings: Findings) -> list[Redirect]:
    """The rules without those that an earlier one hides."""
    hiding, kept = Hiding(), []
    for number, rule in enumerate(rules):
        earlier = hiding.by(number, rule)
        if earlier is None:
            kept.append(rule)
        else:
            findings.refuse(rule.place, f"{earlier.place} answers first, so that this rule never does")
    return kept


def circles(compiled: Compiled, patterns: Sequence[Pattern], served: Served) -> Iterator[int]:
    """The numbers of rules that close a circle of redirects, as visitors would go through it."""
    known: set[str] = set()
    for pattern, entry in zip(patterns, compiled.redirects.entries, strict=True):
        path = _example(pattern)
        if entry[0] not in REDIRECTS or path in known:
            continue
        trail: dict[str, int] = {}
        while path not in known and path not in trail and len(trail) < _MAX_HOPS + len(compiled.redirects.exact):
            step = _step(compiled, served, path, entry[2])
            if step is None:
                break
            trail[path], path = step
        if path in trail:
            members = list(trail)
            yield max(trail[each] for each in members[members.index(path) :])
        known.update(trail)


def _step(compiled: Compiled, served: Served, path: str, host: str) -> tuple[int, str] | None:
    """The number of the rule that answers, and the path that it leads to on the same site."""
    request = Request(path, host=host)
    match = evaluate.first_match(compiled.redirects, request, path)
    if match is None or match.rule[0] not in REDIRECTS or match.rule[5] or match.rule[4]:
        return None
    if not match.rule[1] and served.at(path):
        return None
    target = evaluate.target_path(match).rstrip("/") or "/"
    return None if target == (path.rstrip("/") or "/") else (match.number, target)  # there it does not answer


def _example(pattern: Pattern) -> str:
    segments = ["x" if each is None else each for each in pattern.head]
    if pattern.star:
        segments.append(f"{pattern.star.before}x{pattern.star.after}")
        segments += ["x" if each is None else each for each in pattern.tail]
    return "/" + "/".join(segments)
