"""The metrics of the hooks. No label value comes from a request: hooks and reasons are fixed sets."""

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
    "Calls of a hook by HTTP status: 200, 400 (not a request of Metacontroller) or 500 (the hook failed).",
    ("hook", "code"),
)
SECONDS = Metric(
    "histogram",
    "pages_hook_duration_seconds",
    "Time to process a call of a hook, including decoding the request.",
    ("hook",),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
CHILDREN = Metric("counter", "pages_hook_children_total", "Desired objects in all answers.", ("hook",))
SITES = Metric("gauge", "pages_platform_sites", "StaticSites in the last answer about the Platform.")
VIRTUAL_HOSTS = Metric("gauge", "pages_platform_virtual_hosts", "Routed domains in the last answer about the Platform.")
REJECTED = Metric(
    "gauge",
    "pages_platform_rejected_sites",
    "Rejected StaticSites and aliases by reason, among the first 500 in the last answer about the Platform.",
    ("reason",),
)
HELD = Metric(
    "gauge",
    "pages_platform_held_domains",
    "Domains whose removal is on hold, because more than half would be removed at once; 0 if none is.",
)
METRICS = (REQUESTS, SECONDS, CHILDREN, SITES, VIRTUAL_HOSTS, REJECTED, HELD)


class HookMetrics:
    """The metrics of one process. ``pages hooks`` adds up those of its processes (cli/commands/hooks.py)."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = CollectorRegistry() if registry is None else registry
        self._requests = REQUESTS.counter(registry)
        self._seconds = SECONDS.histogram(registry)
        self._children = CHILDREN.counter(registry)
        self._sites = SITES.gauge(registry)
        self._virtual_hosts = VIRTUAL_HOSTS.gauge(registry)
        self._rejected = REJECTED.gauge(registry)
        self._held = HELD.gauge(registry)

    def answered(self, hook: str, code: int) -> None:
        """Count an answered call of a hook."""
        self._requests.labels(hook, str(code)).inc()

    def decided(self, hook: str, children: int, seconds: float) -> None:
        """Count the children and the time of a decision."""
        self._seconds.labels(hook).observe(seconds)
        self._children.labels(hook).inc(children)

    def platform(self, status: Mapping[str, Any]) -> None:
        """Show the numbers in the Platform's new status."""
        if "sites" not in status:
            return  # the Platform is invalid, and the status has no numbers
        self._sites.set(status["sites"])
        self._virtual_hosts.set(status["virtualHosts"])
        reasons = Counter(_label(each["reason"]) for each in status.get("rejections", ()))
        for reason in (*REASONS, _OTHER):  # including zeros: another process may have set a number
            self._rejected.labels(reason).set(reasons[reason])
        held = status.get("heldRemoval")
        self._held.set(held["domains"] if held else 0)


def _label(reason: str) -> str:
    return reason if reason in REASONS else _OTHER
