"""One request path for all tests of this folder, because it takes a minute to set up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.control_plane import tools_are_there
from tests.support.request_path import RequestPath, request_path_in, with_two_sites
from tests.support.traefik import traefik_is_there


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all tests on one worker, because they share one Traefik."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("requestpath"))


@pytest.fixture(scope="session")
def request_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RequestPath]:
    if not (tools_are_there() and traefik_is_there()):
        pytest.skip("the control plane or Traefik is not built: run `make tools` once (15 to 20 minutes)")
    with request_path_in(tmp_path_factory.mktemp("request-path")) as made:
        yield made


@pytest.fixture(scope="session")
def two_sites(request_path: RequestPath) -> RequestPath:
    """The request path with two tenants, each with a domain."""
    return with_two_sites(request_path)


@pytest.fixture
def path(request_path: RequestPath) -> Iterator[RequestPath]:
    """The request path with a Platform and two empty namespaces, ``one`` and ``two``."""
    request_path.platform()
    yield request_path
    for namespace in ("one", "two"):
        request_path.delete(namespace, *request_path.cluster.names("staticsites", namespace))
    request_path.settle()
