"""When to try again: after failures of the Kubernetes API, and after a server has sent ``Retry-After``."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

_LONGEST_BACKOFF_SECONDS = 30.0
_DEFAULT_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 900.0


def backoff_seconds(failures: int, first: float) -> float:
    """The wait after so many failures in a row: it doubles each time, starting at twice ``first``, with jitter."""
    return min(first * 2.0 ** min(failures, 10), _LONGEST_BACKOFF_SECONDS) * random.uniform(0.5, 1)  # noqa: S311 - jitter


def pause_seconds(retry_after: str, now: datetime) -> float:
    """The pause that a ``Retry-After`` header asks for, as seconds or as a date: at most 15 minutes."""
    try:
        if retry_after.isdigit():
            seconds = float(retry_after)
        else:
            moment = parsedate_to_datetime(retry_after)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    except (TypeError, ValueError, OverflowError):  # the last is about a year or zone of twenty digits
        seconds = _DEFAULT_PAUSE_SECONDS
    return min(max(seconds, 1.0), _LONGEST_PAUSE_SECONDS)


def requested_pause(error: httpx2.HTTPError) -> float:
    """The pause that an API asks for with its error, in seconds; 0 where it names none (F19)."""
    header = error.response.headers.get("Retry-After") if isinstance(error, httpx2.HTTPStatusError) else None
    return pause_seconds(header, datetime.now(UTC)) if header else 0.0
