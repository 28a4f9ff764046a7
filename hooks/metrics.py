"""What the hooks count. Nothing of a request is a label's value: the hooks and the reasons are ours."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from pages.metrics import Metric

REASONS = (
    "InvalidSpec",
    "DomainConflict",
    "PathConflict",
    "PlatformDomain",
    "DomainReserved",
    "DomainNotAllowed",
    "NamespaceNotSelected",
    "NoCertificate",
    "NameConflict",
    "NotRouted",
)
_OTHER = "Other"

REQUESTS = Metric(
    "counter",
    "pages_hook_requests_total",
    "Calls of a hook by the status of the answer: 200, 400 (not Metacontroller's) or 500 (the hook failed).",
    ("hook", "code"),
)
SECONDS = Metric(
    "histogram",
    "pages_hook_duration_seconds",
    "Time that a hook took to decide, the reading of its request included.",
    ("hook",),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
CHILDREN = Metric("counter", "pages_hook_children_total", "Objects that there should be, in all answers.", ("hook",))
SITES = Metric("gauge", "pages_platform_sites", "StaticSites in the last answer about the Platform.")
VIRTUAL_HOSTS = Metric("gauge", "pages_platform_virtual_hosts", "Domains that are routed, in the last answer.")
REJECTED = Metric(
    "gauge",
    "pages_platform_rejected_sites",
    "StaticSites that are not routed as they want, by reason, in the last answer (of the 500 that it names).",
    ("reason",),
)
HELD = Metric(
    "gauge",
    "pages_platform_held_domains",
    "Domains whose removal is held back, because more than half would go at once; 0 where none is.",
)
METRICS = (REQUESTS, SECONDS, CHILDREN, SITES, VIRTUAL_HOSTS, REJECTED, HELD)


class HookMetrics:
    """The metrics of one process; those of several are added up where they are shown (cli/commands/hooks.py)."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        into = CollectorRegistry() if registry is None else registry
        self._requests = REQUESTS.counter(into)
        self._seconds = SECONDS.histogram(into)
        self._children = CHILDREN.counter(into)
        self._sites = SITES.gauge(into)
        self._virtual_hosts = VIRTUAL_HOSTS.gauge(into)
        self._rejected = REJECTED.gauge(into)
        self._held = HELD.gauge(into)

    def answered(self, hook: str, code: int) -> None:
        """A hook's call was answered."""
        self._requests.labels(hook, str(code)).inc()

    def decided(self, hook: str, children: int, seconds: float) -> None:
        """A hook has decided."""
        self._seconds.labels(hook).observe(seconds)
        self._children.labels(hook).inc(children)

    def platform(self, status: Mapping[str, Any]) -> None:
        """What the Platform's new status says."""
        if "sites" not in status:
            return  # a mistake in the Platform: nothing was counted
        self._sites.set(status["sites"])
        self._virtual_hosts.set(status["virtualHosts"])
        reasons = Counter(_known(each["reason"]) for each in status.get("rejections", ()))
        for reason in (*REASONS, _OTHER):  # all: another process may have said that there are some
            self._rejected.labels(reason).set(reasons[reason])
        held = status.get("heldRemoval")
        self._held.set(held["domains"] if held else 0)


def _known(reason: str) -> str:
    return reason if reason in REASONS else _OTHER
