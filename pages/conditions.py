"""Kubernetes conditions, created, merged and read by the conventions that ``kubectl wait`` and kstatus rely on."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

MAX_MESSAGE_LENGTH = 4096


def format_time(moment: datetime) -> str:
    """The time as the Kubernetes API writes it: RFC 3339, in UTC, with whole seconds."""
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
    """A condition without time and generation, which ``stamp`` adds. If ``ok`` is None, its status is Unknown."""
    status: Literal["True", "False", "Unknown"] = "Unknown" if ok is None else "True" if ok else "False"
    return Condition(type=type_, status=status, reason=reason, message=message[:MAX_MESSAGE_LENGTH])


def stamp(
    new: Iterable[Condition], old: Iterable[Condition], *, generation: int | None, now: datetime
) -> list[Condition]:
    """The new conditions with generation and times. A time changes only if the status changes."""
    times = {(each.type, each.status): each.last_transition_time for each in old}
    return [
        each.model_copy(
            update={
                "last_transition_time": times.get((each.type, each.status)) or now,
                "observed_generation": generation,
            }
        )
        for each in new
    ]


def dump(conditions: Iterable[Condition]) -> list[dict[str, Any]]:
    """The conditions as the API server stores them: JSON names, no nulls."""
    return [each.model_dump(by_alias=True, exclude_none=True, mode="json") for each in conditions]


def find(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of that type, or None."""
    return next((each for each in conditions if each.type == type_), None)
