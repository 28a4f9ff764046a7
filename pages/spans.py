"""Spans of time as text, in their largest unit: ``5m`` for tables, ``5 minutes`` for sentences."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

_SECONDS = (86_400, 3_600, 60, 1)
_LETTERS = ("d", "h", "m", "s")
_SYMBOLS = (" d", " h", " min", " s")
_WORDS = ("day", "hour", "minute")


def age(then: datetime | None, now: datetime | None = None) -> str:
    """``5m``, as kubectl shows ages; a dash without a time."""
    return "-" if then is None else _largest((now or datetime.now(UTC)) - then, _LETTERS)


def show(span: timedelta) -> str:
    """``5 min``."""
    return _largest(span, _SYMBOLS)


def words(seconds: float) -> str:
    """``1 minute``, ``5 minutes``; below a minute ``5 s``."""
    for size, word in zip(_SECONDS, _WORDS, strict=False):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {word}{'' if number == 1 else 's'}"
    return f"{max(0, int(seconds))} s"


def _largest(span: timedelta, units: Sequence[str]) -> str:
    """A unit counts from two on, because 1h would hide as much as 59 minutes."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in zip(_SECONDS, units, strict=True):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}{units[-1]}"
