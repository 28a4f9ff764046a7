"""Kubernetes conditions: made, merged and read by the conventions that ``kubectl wait`` and kstatus rely on."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

MAX_MESSAGE_LENGTH = 4096


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as the Kubernetes API writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Timestamp = Annotated[datetime, PlainSerializer(format_time, return_type=str)]


class Condition(BaseModel):
    """One observation of an object, with the reason for programs and the message for people."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = Field(default="", max_length=32768)
    last_transition_time: Timestamp | None = Field(default=None, alias="lastTransitionTime")
    observed_generation: int | None = Field(default=None, alias="observedGeneration")


def condition(type_: str, ok: bool | None, reason: str, message: str = "") -> Condition:
    """A condition without time or generation; ``ok`` None means Unknown. ``stamp`` adds the rest."""
    status: Literal["True", "False", "Unknown"] = "Unknown" if ok is None else "True" if ok else "False"
    return Condition(type=type_, status=status, reason=reason, message=message[:MAX_MESSAGE_LENGTH])


def stamp(
    new: Iterable[Condition], old: Iterable[Condition], *, generation: int | None, now: datetime
) -> list[Condition]:
    """The new conditions with generation and times; the time moves only when the status does."""
    before = {each.type: each for each in old}
    stamped = []
    for each in new:
        previous = before.get(each.type)
        same = previous is not None and previous.status == each.status
        since = previous.last_transition_time if same and previous is not None else None
        stamped.append(
            each.model_copy(update={"last_transition_time": since or now, "observed_generation": generation})
        )
    return stamped


def find(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of that type, if there is one."""
    return next((each for each in conditions if each.type == type_), None)
