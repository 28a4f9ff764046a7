"""Everything that is recorded reaches every recorder."""

import inspect
from typing import Any

import pytest

from syncer.recorder import Recorder, Recorders

EVENTS = [name for name, _ in inspect.getmembers(Recorder, inspect.isfunction) if not name.startswith("_")]


class Heard(Recorder):
    """All calls of one method."""

    def __init__(self, name: str) -> None:
        self.calls: list[tuple[Any, ...]] = []
        setattr(self, name, lambda *arguments: self.calls.append(arguments))


@pytest.mark.parametrize("name", EVENTS)
def test_recorders_pass_every_event_on_to_all_of_them(name: str) -> None:
    one, two = Heard(name), Heard(name)
    arguments = tuple(object() for _ in list(inspect.signature(getattr(Recorder, name)).parameters)[1:])
    getattr(Recorders(one, two), name)(*arguments)
    assert one.calls == two.calls == [arguments]


@pytest.mark.parametrize("name", EVENTS)
def test_a_recorder_ignores_what_it_does_not_override(name: str) -> None:
    arguments = [object() for _ in list(inspect.signature(getattr(Recorder, name)).parameters)[1:]]
    assert getattr(Recorder(), name)(*arguments) is None
