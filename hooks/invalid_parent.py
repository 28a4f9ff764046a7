"""The answer for a parent with an invalid spec: nothing changes until it is corrected."""

from collections.abc import Iterable
from datetime import datetime

from hooks import payload
from pages import conditions
from pages.api import Object
from pages.conditions import condition


def keep_children(parent: Object, observed: Iterable[Object], message: str, now: datetime) -> Object:
    """Keep all observed children, and report the mistake in the condition Ready."""
    invalid = condition("Ready", ok=False, reason="InvalidSpec", message=message)
    stamped = conditions.stamp(
        [invalid], payload.conditions(parent), generation=payload.metadata(parent).get("generation"), now=now
    )
    return {
        "status": payload.status(parent) | {"conditions": conditions.dump(stamped)},
        "children": [payload.bare(child) for child in observed],
    }
