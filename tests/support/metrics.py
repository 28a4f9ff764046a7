"""A page of metrics as Prometheus reads it, and the conventions for it."""

import http.client
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support.control_plane import TOOLS
from tests.support.serving import eventually

PROMTOOL = TOOLS / "bin/promtool"
PER_SITE = {"pages_site_synced", "pages_site_last_success_timestamp_seconds"}
_MOST_SERIES = 400  # of one metric that is not per site
_NAME = re.compile(r"(?:pages|process)_[a-z][a-z0-9_]*[a-z0-9]")
_LABEL = re.compile(r"[a-z][a-z_]*")
_VALUE = re.compile(r"[A-Za-z0-9_./+-]{0,63}")
_NOT_BASE = re.compile(
    r"(?:^|_)(?:ms|milliseconds?|microseconds?|minutes?|hours?|days?|kb|mb|gb|kib|mib|kilobytes|megabytes|percent)(?:_|$)"
)
_RESERVED = {"le", "quantile", "job", "instance", "namespace", "pod", "container", "service", "endpoint"}


@dataclass(frozen=True)
class Page:
    """A page that was read; a sample is found by its name and labels."""

    text: str

    def families(self) -> list[Metric]:
        return list(text_string_to_metric_families(self.text))

    def series(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        for family in self.families():
            for sample in family.samples:
                yield sample.name, sample.labels, sample.value

    def value(self, name: str, **labels: str) -> float | None:
        """The sample's value, or None."""
        found = [value for each, has, value in self.series() if each == name and has == labels]
        assert len(found) < 2
        return found[0] if found else None

    def total(self, name: str, **labels: str) -> float:
        """The sum over all samples that have at least these labels."""
        return sum(value for each, has, value in self.series() if each == name and labels.items() <= has.items())

    def names(self) -> set[str]:
        """The names that a query may use."""
        return {name for name, _, _ in self.series()}


def scrape(port: int, path: str = "/metrics", method: str = "GET") -> tuple[int, str, str]:
    """Status, Content-Type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type", ""), response.read().decode()
    finally:
        connection.close()


def page(port: int) -> Page:
    status, kind, text = scrape(port)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return Page(text)


def page_when(look: Callable[[], Page], holds: Callable[[Page], bool]) -> Page:
    """The first page for which the condition is true."""

    def found() -> Page | None:
        now = look()
        return now if holds(now) else None

    seen = eventually(found)
    assert seen
    return seen


def mistakes(text: str) -> list[str]:
    """What is wrong with a page, by the conventions of prometheus.io/docs/practices/naming."""
    families = list(text_string_to_metric_families(text))
    found = [f"{name} is described twice" for name in _twice(re.findall(r"^# (?:HELP|TYPE) \S+", text, re.MULTILINE))]
    series = [line.rpartition(" ")[0] for line in text.splitlines() if line and not line.startswith("#")]
    found += [f"{name} is there twice" for name in _twice(series)]
    for family in families:
        found += [f"{family.name}: {problem}" for problem in (*_bad_name(family), *_bad_labels(family))]
        if family.type == "histogram":
            found += [f"{family.name}: {problem}" for problem in _bad_histogram(family)]
    return found


def promtool_complaints(text: str) -> str:
    """What the real `promtool check metrics` says; process_* are not ours to name."""
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _twice(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


def _bad_name(family: Metric) -> Iterator[str]:
    name = family.name  # without _total where it is a counter
    if not _NAME.fullmatch(name):
        yield "no name of ours"
    if len(family.documentation) < 10 or (name.startswith("pages_") and not family.documentation.endswith(".")):
        yield "no sentence says what it is"
    if family.type not in {"counter", "gauge", "histogram"}:
        yield f"its type is {family.type}"
    if family.type == "counter" and any(not sample.name.endswith("_total") for sample in family.samples):
        yield "a counter ends in _total"
    if (
        family.type != "counter"
        and re.search(r"_(?:total|count|sum|bucket|info)$", name)
        and name != "pages_build_info"
    ):
        yield "the suffix belongs to another type"
    if _NOT_BASE.search(name):
        yield "not in a base unit"
    if re.search(r"_(?:duration|age|time)(?:_|$)", name) and not name.endswith("_seconds"):
        yield "a time ends in _seconds"
    if "timestamp" in name and not name.endswith("_timestamp_seconds"):
        yield "a moment ends in _timestamp_seconds"
    if re.search(r"(?:_|^)(?:counter|gauge|histogram|metric)(?:_|$)", name):
        yield "the type is no part of the name"


def _bad_labels(family: Metric) -> Iterator[str]:
    if family.name not in PER_SITE and len(family.samples) > _MOST_SERIES:
        yield f"has {len(family.samples)} series"
    label_sets = {frozenset(sample.labels) - {"le"} for sample in family.samples}
    if len(label_sets) > 1:
        yield f"its series have different labels: {label_sets}"
    for label, value in {pair for sample in family.samples for pair in sample.labels.items()}:
        if label == "le":
            continue
        if label in _RESERVED or not _LABEL.fullmatch(label):
            yield f"the label {label} is no name, or one that Prometheus sets"
        if not _VALUE.fullmatch(value):
            yield f"{label}={value!r} may be anything"


def _bad_histogram(family: Metric) -> Iterator[str]:
    buckets: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
    counts: dict[frozenset[tuple[str, str]], float] = {}
    for sample in family.samples:
        key = frozenset((name, value) for name, value in sample.labels.items() if name != "le")
        if sample.name.endswith("_bucket"):
            buckets.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_count"):
            counts[key] = sample.value
    for key, found in buckets.items():
        values = [value for _, value in sorted(found)]
        if values != sorted(values) or max(found) != (float("inf"), counts[key]):
            yield f"{dict(key)} does not add up"
