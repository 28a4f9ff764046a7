"""Times in words."""

from datetime import datetime

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def moment(when: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"


def ago(when: datetime | None, now: datetime) -> str:
    """The time since then."""
    if when is None:
        return "never"
    return f"{_span((now - when).total_seconds())} ago"


def ahead(seconds: float | None) -> str:
    """The time until then."""
    if seconds is None:
        return "unknown"
    return f"in {_span(seconds)}" if seconds >= 1 else "now"


def _span(seconds: float) -> str:
    for length, name in _UNITS:
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {name}{'' if number == 1 else 's'}"
    return f"{max(0, int(seconds))} s"
