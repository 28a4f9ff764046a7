"""Verdicts: the result of each check of `pages why` and `pages doctor`."""

from dataclasses import dataclass
from enum import Enum

BY_STATUS = "you lack permission to view it; judged by the site's status"


class State(Enum):
    """The state that a check found, as a sign and a word: not every reader sees signs or colours."""

    OK = ("✓", "ok")
    BROKEN = ("✗", "broken")
    WAITING = ("…", "waiting")
    WARNING = ("!", "warning")
    UNKNOWN = ("?", "unknown")  # we cannot check, or lack permission to

    @property
    def sign(self) -> str:
        """One character."""
        return self.value[0]

    @property
    def word(self) -> str:
        """Plain ASCII."""
        return self.value[1]


@dataclass(frozen=True)
class Verdict:
    """The result of one check. ``reason`` is for programs; ``remedy`` has lines that a reader can copy."""

    name: str
    state: State
    text: str
    reason: str = ""
    remedy: str = ""


def ok(name: str, text: str) -> Verdict:
    """Nothing is wrong."""
    return Verdict(name, State.OK, text)


def broken(name: str, reason: str, text: str, remedy: str = "") -> Verdict:
    """It does not work."""
    return Verdict(name, State.BROKEN, text, reason, remedy)


def waiting(name: str, reason: str, text: str, remedy: str = "") -> Verdict:
    """It does not work yet, and nothing has failed."""
    return Verdict(name, State.WAITING, text, reason, remedy)


def warning(name: str, reason: str, text: str, remedy: str = "") -> Verdict:
    """It works, but something should be corrected."""
    return Verdict(name, State.WARNING, text, reason, remedy)


def unknown(name: str, text: str) -> Verdict:
    """It cannot be checked."""
    return Verdict(name, State.UNKNOWN, text)


def first_broken(verdicts: list[Verdict]) -> Verdict | None:
    """The cause: the first broken verdict, else the first that is waiting."""
    for state in (State.BROKEN, State.WAITING):
        for verdict in verdicts:
            if verdict.state is state:
                return verdict
    return None
