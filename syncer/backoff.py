"""How long to wait before the Kubernetes API is asked once more."""

import random

_MOST_SECONDS = 30.0


def seconds(failures: int, first: float) -> float:
    """Twice as long after each failure in a row, beginning with twice ``first``, and not all at one moment."""
    return min(first * 2.0 ** min(failures, 10), _MOST_SECONDS) * random.uniform(0.5, 1)  # noqa: S311 - jitter
