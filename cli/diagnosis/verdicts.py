"""The links of the chain from a StaticSite to its visitors, as they are told."""

from dataclasses import dataclass
from enum import Enum

HIDDEN = "not yours to see; by the site's status"


class State(Enum):
    """How a link is: a sign and a word, for not everybody sees signs or colours."""

    OK = ("✓", "ok")
    BROKEN = ("✗", "broken")
    WAITING = ("…", "waiting")
    WARNING = ("!", "warning")
    UNKNOWN = ("?", "unknown")  # we may not, or cannot, look

    @property
    def sign(self) -> str:
        """One character."""
        return self.value[0]

    @property
    def word(self) -> str:
        """Plain ASCII."""
        return self.value[1]


@dataclass(frozen=True)
class Link:
    """One link. ``reason`` is a word for programs, ``remedy`` what to do about it: lines that can be copied."""

    name: str
    state: State
    text: str
    reason: str = ""
    remedy: str = ""


def ok(name: str, text: str) -> Link:
    """All is well here."""
    return Link(name, State.OK, text)


def broken(name: str, reason: str, text: str, remedy: str = "") -> Link:
    """The chain ends here."""
    return Link(name, State.BROKEN, text, reason, remedy)


def waiting(name: str, reason: str, text: str, remedy: str = "") -> Link:
    """It is under way."""
    return Link(name, State.WAITING, text, reason, remedy)


def warning(name: str, reason: str, text: str, remedy: str = "") -> Link:
    """It works, and is not as it should be."""
    return Link(name, State.WARNING, text, reason, remedy)


def unknown(name: str, text: str) -> Link:
    """It cannot be said."""
    return Link(name, State.UNKNOWN, text)


def first_broken(links: list[Link]) -> Link | None:
    """Where the chain stops: what is broken first, else what is waited for first."""
    for state in (State.BROKEN, State.WAITING):
        for link in links:
            if link.state is state:
                return link
    return None
