"""What is to say about each rule that somebody wrote, by its place."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from pages.api import Problem

MAX_PROBLEMS = 20
_MAX_KEPT = 20_000
_MAX_MESSAGE = 300


class Place(NamedTuple):
    """A line of a file, or an entry of a list in the StaticSite."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}[{self.line}]" if self.file.startswith("spec.") else f"{self.file}:{self.line}"


class State(StrEnum):
    """What a rule does."""

    LIVE = "live"
    NO_OP = "no-op"
    REFUSED = "refused"


class Finding(NamedTuple):
    """A rule's state; ``message`` says why it is refused, or what a live one does besides. ``is_limit``: too many."""

    place: Place
    state: State
    message: str = ""
    is_limit: bool = False


@dataclass
class Findings:
    """Collects them; memory is bounded, counts are exact."""

    kept: list[Finding] = field(default_factory=list)
    counts: Counter[State] = field(default_factory=Counter)

    def live(self, place: Place, message: str = "") -> None:
        """The rule is followed."""
        self._add(Finding(place, State.LIVE, message))

    def no_op(self, place: Place, message: str) -> None:
        """The rule says what is done without it."""
        self._add(Finding(place, State.NO_OP, message))

    def refuse(self, place: Place, message: str) -> None:
        """The rule is left out."""
        self._add(Finding(place, State.REFUSED, message))

    def leave_out(self, place: Place, count: int, message: str) -> None:
        """So many rules from this place on are left out, because there are too many."""
        self.counts[State.REFUSED] += count
        self.kept.append(Finding(place, State.REFUSED, message, is_limit=True))

    def _add(self, finding: Finding) -> None:
        self.counts[finding.state] += 1
        if len(self.kept) < _MAX_KEPT:
            self.kept.append(finding)

    def problems(self, file: str) -> list[Problem]:
        """What a status shows of a file: limits first, and how many more there are."""
        found = [each for each in self.kept if each.place.file == file and self._is_problem(each)]
        found.sort(key=lambda each: not each.is_limit)
        shown = found if len(found) <= MAX_PROBLEMS else found[: MAX_PROBLEMS - 1]
        problems = [
            Problem(file=file, line=each.place.line, message=each.message[:_MAX_MESSAGE])
            for each in sorted(shown, key=lambda each: each.place.line)
        ]
        if left := len(found) - len(shown):
            message = f"{left:,} more problems are not listed; `pages rules check` lists all"
            problems.append(Problem(file=file, line=found[len(shown)].place.line, message=message))
        return problems

    @staticmethod
    def _is_problem(finding: Finding) -> bool:
        return finding.state is State.REFUSED or (finding.state is State.LIVE and bool(finding.message))

    def __iter__(self) -> Iterator[Finding]:
        return iter(sorted(self.kept, key=lambda each: each.place))
