"""A small run of the benchmark of many sites."""

import pytest

from bench import cluster_scale
from bench.cluster_scale import Sizes
from tests.support.control_plane import tools_are_there

SMALL = Sizes(sites=6, repositories=2, namespaces=2, new_sites=1, idle_seconds=1, quiet_seconds=0.1, wait_seconds=120)
pytestmark = pytest.mark.skipif(
    not tools_are_there(), reason="the control plane is not built; run `make tools` once (5 to 10 minutes)"
)


def test_a_short_run_ends_without_errors() -> None:
    assert cluster_scale.main(SMALL) == []


def test_sites_that_are_not_live_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_scale, "make_repositories", lambda _sizes, root: root.mkdir())
    with pytest.raises(AssertionError, match="the condition was not met in time"):
        cluster_scale.main(Sizes(sites=2, repositories=1, namespaces=1, new_sites=0, wait_seconds=5))
