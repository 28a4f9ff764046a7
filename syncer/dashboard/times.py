"""Times as the dashboard shows them."""

from datetime import datetime

from pages import spans


def moment(when: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"


def ago(when: datetime | None, now: datetime) -> str:
    """How long ago a time was."""
    return "never" if when is None else f"{spans.words((now - when).total_seconds())} ago"


def ahead(seconds: float | None) -> str:
    """How far ahead a time is."""
    if seconds is None:
        return "not known"
    return f"in {spans.words(seconds)}" if seconds >= 1 else "now"
