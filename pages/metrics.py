"""Metrics as Prometheus reads them: how ours are defined, and the page that shows them, which shows nothing else.

A definition is data, so that the reference (docs/reference/metrics.md) is made of it. Labels have few values that are
ours; only ``site_namespace`` and ``site_name`` are a tenant's, and their number is bounded where they are used.
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

# When something was first counted is nobody's question, and would double the number of series.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # theirs

_FRESH_SECONDS = 1.0
_NOT_ADDED = {"process_start_time_seconds", "process_max_fds"}  # the least of all


@dataclass(frozen=True)
class Metric:
    """A metric's definition. The name has its unit, and ``_total`` where it is a counter."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    def counter(self, registry: CollectorRegistry) -> Counter:
        """A counter that the registry shows."""
        return Counter(self.name, self.help, self.labels, registry=registry)

    def gauge(self, registry: CollectorRegistry) -> Gauge:
        """A gauge that the registry shows; of several processes' values, the last that was set."""
        return Gauge(self.name, self.help, self.labels, registry=registry, multiprocess_mode="mostrecent")

    def histogram(self, registry: CollectorRegistry) -> Histogram:
        """A histogram that the registry shows."""
        return Histogram(self.name, self.help, self.labels, registry=registry, buckets=self.buckets)

    def family(self, value: float | None = None) -> GaugeMetricFamily:
        """A gauge that is read when somebody looks."""
        return GaugeMetricFamily(self.name, self.help, value, labels=self.labels or None)


BUILD_INFO = Metric("gauge", "pages_build_info", "Always 1; the label says which version runs.", ("version",))


class BuildInfo:
    """Shows which version runs."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The one sample."""
        family = BUILD_INFO.family()
        family.add_metric([metadata.version("kup6s-pages")], 1)
        yield family


def of_one_process(registry: CollectorRegistry) -> CollectorRegistry:
    """The registry, with what there is to say of the process itself."""
    registry.register(BuildInfo())
    ProcessCollector(registry=registry)
    return registry


def of_all_processes(registry: CollectorRegistry) -> CollectorRegistry:
    """The same for a worker that speaks for the process above it and all workers."""
    registry.register(BuildInfo())
    registry.register(Processes())
    return registry


class Processes:
    """What there is to say of a process, added up over our parent and all of its children."""

    def collect(self) -> Iterable[Family]:
        """The usual metrics of a process."""
        found: dict[str, Family] = {}
        for pid in _family():
            for metric in ProcessCollector(pid=partial(str, pid), registry=None).collect():
                known = found.setdefault(metric.name, metric)
                if known is not metric:
                    add = min if metric.name in _NOT_ADDED else operator.add
                    known.samples = [
                        one._replace(value=add(one.value, other.value))
                        for one, other in zip(known.samples, metric.samples, strict=True)
                    ]
        return found.values()


def _family() -> Iterator[int]:
    """Our parent and its children (Linux; elsewhere there are no such metrics)."""
    parent = os.getppid()
    yield parent
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == parent:
                yield int(stat.parent.name)


def create_app(registry: CollectorRegistry) -> "WSGIApplication":
    """The WSGI application: ``GET /metrics`` and nothing else."""
    page = _Page(registry)

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        status, headers, body = _respond(page, environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", ""))
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return app


def _respond(page: "_Page", method: str, path: str) -> tuple[str, list[tuple[str, str]], bytes]:
    plain = ("Content-Type", "text/plain; charset=utf-8")
    if path != "/metrics":
        return "404 Not Found", [plain], b"there is only /metrics\n"
    if method != "GET":
        return "405 Method Not Allowed", [plain, ("Allow", "GET")], b"only GET\n"
    return "200 OK", [("Content-Type", prometheus_client.CONTENT_TYPE_PLAIN_0_0_4)], page.latest()


class _Page:
    """The page, made once a second at most: whoever asks all the time costs no more than that."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._made = float("-inf")
        self._body = b""

    def latest(self) -> bytes:
        with self._lock:
            if time.monotonic() - self._made >= _FRESH_SECONDS:
                self._body = prometheus_client.generate_latest(self._registry)
                self._made = time.monotonic()
            return self._body
