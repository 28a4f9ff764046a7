"""The checks of `pages doctor` on a `pages serve`, from facts alone."""

import pytest

from cli.diagnosis.facts import Response
from cli.diagnosis.serving import Served, examine
from cli.diagnosis.verdicts import State

URL = "http://blog.pages.localhost:8080/"
WELL = Served("the `pages serve` of .pages", running=True, sites=1, response=Response(URL, status=200))


def test_a_working_one_passes_all_checks() -> None:
    assert {each.state for each in examine(WELL)} == {State.OK}


@pytest.mark.parametrize(
    ("served", "name", "state", "text"),
    [
        (Served("x", running=False, sites=0, response=WELL.response), "pages serve", State.BROKEN, "x is not running"),
        (
            Served("x", running=True, sites=1, mistakes=["a.yaml:1: is not running"], response=WELL.response),
            "Manifests",
            State.BROKEN,
            "a.yaml:1: is not running",
        ),
        (Served("x", running=True, sites=0), "Port", State.UNKNOWN, "no site has a URL yet"),
        (
            Served("x", running=True, sites=1, response=Response(URL, problem="connect", detail="Connection refused")),
            "Port",
            State.BROKEN,
            "127.0.0.1:8080: Connection refused",
        ),
    ],
)
def test_each_fault_is_named(served: Served, name: str, state: State, text: str) -> None:
    (verdict,) = (each for each in examine(served) if each.state is not State.OK)
    assert (verdict.name, verdict.state, verdict.text) == (name, state, text)
