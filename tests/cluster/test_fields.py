"""The shared table of good and bad values, put to a real API server: it knows CEL's costs, and we only imitate it."""

import copy
from typing import Any

import pytest
from lightkube.core.exceptions import ApiError

from tests.pages.test_api import cases
from tests.support.control_plane import SYSTEM, Cluster

PLURALS = {"StaticSite": "staticsites", "Platform": "platforms", "VirtualHost": "virtualhosts"}


def refusal(cluster: Cluster, kind: str, written: dict[str, Any]) -> str:
    """Why the API server refuses an object, or nothing; it is gone again afterwards."""
    new = copy.deepcopy(written)
    new["metadata"]["namespace"] = SYSTEM
    try:
        cluster.create(PLURALS[kind], new)
    except ApiError as error:
        return str(error)
    cluster.delete(PLURALS[kind], new["metadata"]["name"])
    return ""


@pytest.mark.parametrize("verdict", ["good", "bad"])
def test_the_api_server_agrees_with_the_table(cluster: Cluster, verdict: str) -> None:
    wrong = {
        case.id: why
        for case in cases(verdict)
        for kind, written in [case.values]
        if isinstance(written["metadata"].get("name"), str)
        for why in [refusal(cluster, kind, written)]
        if bool(why) != (verdict == "bad")
    }
    assert wrong == {}
