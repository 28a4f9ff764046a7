"""Metrics for Prometheus: how we define them, and the WSGI application that serves ``/metrics``.

A definition is data, so that the reference (docs/reference/metrics.md) can be generated from it. Labels have few, fixed
values. Only ``site_namespace`` and ``site_name`` come from tenants; the code that uses them bounds their number.
"""

import operator
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# The `_created` series would double the number of series, and we do not use them.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # untyped library function

_FRESH_SECONDS = 1.0
_MINIMUM_OF_ALL = {"process_start_time_seconds", "process_max_fds"}  # a sum of these would mean nothing


@dataclass(frozen=True)
class Metric:
    """The definition of a metric. The name ends with the unit, and the name of a counter with ``_total``."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    def counter(self, registry: CollectorRegistry) -> Counter:
        """A counter, registered with the registry."""
        return Counter(self.name, self.help, self.labels, registry=registry)

    def gauge(self, registry: CollectorRegistry) -> Gauge:
        """A gauge, registered with the registry. Of several processes, the last one to set it wins."""
        return Gauge(self.name, self.help, self.labels, registry=registry, multiprocess_mode="mostrecent")

    def histogram(self, registry: CollectorRegistry) -> Histogram:
        """A histogram, registered with the registry."""
        return Histogram(self.name, self.help, self.labels, registry=registry, buckets=self.buckets)

    def family(self, value: float | None = None) -> GaugeMetricFamily:
        """A gauge whose value is read at each scrape."""
        return GaugeMetricFamily(self.name, self.help, value, labels=self.labels or None)


BUILD_INFO = Metric("gauge", "pages_build_info", "Always 1; the label is the running version.", ("version",))


class BuildInfo:
    """Collects the running version."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One sample with the version."""
        family = BUILD_INFO.family()
        family.add_metric([metadata.version("kup6s-pages")], 1)
        yield family


def of_one_process(registry: CollectorRegistry) -> CollectorRegistry:
    """Add the version and the metrics of this process to the registry."""
    registry.register(BuildInfo())
    ProcessCollector(registry=registry)
    return registry


def of_all_processes(registry: CollectorRegistry) -> CollectorRegistry:
    """Add the version and the sum of the metrics of our parent process and all its workers to the registry."""
    registry.register(BuildInfo())
    registry.register(Processes())
    return registry


class Processes:
    """Collects the usual metrics of a process, summed over our parent process and all its children."""

    def collect(self) -> Iterable[Family]:
        """One family for each metric of a process."""
        totals: dict[str, Family] = {}
        for pid in _parent_and_children():
            for metric in ProcessCollector(pid=partial(str, pid), registry=None).collect():
                total = totals.setdefault(metric.name, metric)
                if total is not metric:
                    add = min if metric.name in _MINIMUM_OF_ALL else operator.add
                    total.samples = [
                        one._replace(value=add(one.value, other.value))
                        for one, other in zip(total.samples, metric.samples, strict=True)
                    ]
        return totals.values()


def _parent_and_children() -> Iterator[int]:
    """The process ids of our parent and its children (on Linux; other systems have no such metrics)."""
    parent = os.getppid()
    yield parent
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == parent:
                yield int(stat.parent.name)


def create_app(registry: CollectorRegistry) -> "WSGIApplication":
    """The WSGI application: it answers ``GET /metrics`` and nothing else."""
    page = _Page(registry)

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        status, headers, body = _respond(page, environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", ""))
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return app


def _respond(page: "_Page", method: str, path: str) -> tuple[str, list[tuple[str, str]], bytes]:
    plain = ("Content-Type", "text/plain; charset=utf-8")
    if path != "/metrics":
        return "404 Not Found", [plain], b"not found: request /metrics\n"
    if method != "GET":
        return "405 Method Not Allowed", [plain, ("Allow", "GET")], b"method not allowed: use GET\n"
    return "200 OK", [("Content-Type", prometheus_client.CONTENT_TYPE_PLAIN_0_0_4)], page.latest()


class _Page:
    """The page, rendered at most once a second, which bounds the cost of frequent scrapes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._rendered_at = float("-inf")
        self._body = b""

    def latest(self) -> bytes:
        with self._lock:
            if time.monotonic() - self._rendered_at >= _FRESH_SECONDS:
                self._body = prometheus_client.generate_latest(self._registry)
                self._rendered_at = time.monotonic()
            return self._body
