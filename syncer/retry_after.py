"""How long a server wants to be left alone: the header ``Retry-After`` of git servers and of the Kubernetes API."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

_DEFAULT_SECONDS = 60.0
_MAX_SECONDS = 900.0


def pause_seconds(retry_after: str, now: datetime) -> float:
    """The header's seconds, or those until its date, within bounds: a server's word stops us for 15 minutes at most."""
    try:
        seconds = float(retry_after) if retry_after.isdigit() else _seconds_until(retry_after, now)
    except (TypeError, ValueError, OverflowError):  # the last is about a year or zone of twenty digits
        seconds = _DEFAULT_SECONDS
    return min(max(seconds, 1.0), _MAX_SECONDS)


def pause_wanted(error: httpx2.HTTPError) -> float:
    """For how many seconds an API that answered with an error wants to be left alone; 0 where it does not say (F19)."""
    wanted = error.response.headers.get("Retry-After") if isinstance(error, httpx2.HTTPStatusError) else None
    return pause_seconds(wanted, datetime.now(UTC)) if wanted else 0.0


def _seconds_until(date: str, now: datetime) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
