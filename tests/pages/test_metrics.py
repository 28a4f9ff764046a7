"""The application serves /metrics and nothing else, and frequent scrapes cost little."""

from collections.abc import Iterable
from wsgiref.util import setup_testing_defaults

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily

from pages import metrics
from pages.metrics import Metric


class Counting:
    """Counts how often it was collected."""

    def __init__(self) -> None:
        self.collections = 0

    def collect(self) -> Iterable[GaugeMetricFamily]:
        self.collections += 1
        yield Metric("gauge", "pages_collections", "How often this was collected.").family(self.collections)


def ask(registry: CollectorRegistry, path: str, method: str = "GET", times: int = 1) -> tuple[str, str]:
    """Status and body of the last answer."""
    app, statuses = metrics.create_app(registry), []
    body = b""
    for _ in range(times):
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path}
        setup_testing_defaults(environ)
        body = b"".join(app(environ, lambda status, _headers, _error=None: statuses.append(status)))  # type: ignore[arg-type]
    return statuses[-1], body.decode()


@pytest.mark.parametrize(
    "path", ["/", "/metrics/", "/metrics/x", "/healthz", "/debug/pprof", "/site/team/blog", "//metrics"]
)
def test_other_paths_are_not_found(path: str) -> None:
    assert ask(CollectorRegistry(), path)[0] == "404 Not Found"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_rejected(method: str) -> None:
    assert ask(CollectorRegistry(), "/metrics", method)[0] == "405 Method Not Allowed"


def test_the_page_is_rendered_at_most_once_a_second() -> None:
    registry, counting = CollectorRegistry(), Counting()
    registry.register(counting)
    status, body = ask(registry, "/metrics", times=500)
    assert status == "200 OK"
    assert "pages_collections" in body
    assert counting.collections < 100


def test_the_page_has_the_running_version() -> None:
    status, body = ask(metrics.of_one_process(CollectorRegistry()), "/metrics")
    assert status == "200 OK"
    assert 'pages_build_info{version="0.' in body
    assert "_created" not in body
