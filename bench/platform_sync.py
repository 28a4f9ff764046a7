"""The CPU time of stage one, from the bytes of the request to the bytes of the answer.

Run: python -m bench.platform_sync
"""

import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
import tabulate
from flask.testing import FlaskClient

from bench.ending import exit_code
from cli.processes.gunicorn import disable_automatic_collection
from hooks.app import create_app
from hooks.payload import STATIC_SITE, VIRTUAL_HOST

SIZES = (10, 100, 1_000, 10_000)
ROUNDS = 7
GOAL = "goal: 40 ms of CPU for 1,000 sites, 400 ms for 10,000"
Row = tuple[str, int, float, float]
NOTHING: dict[str, Any] = {"redirects": [], "headers": [], "problems": []}
RULES: dict[str, Any] = {
    "redirects": [{"from": f"/old{number}/*", "to": f"/new{number}/:splat", "status": 301} for number in range(10)],
    "headers": [{"for": "/*", "values": {"X-Frame-Options": "DENY"}}],
    "problems": [],
}


def request_of(number: int, *, rules: bool = False) -> dict[str, Any]:
    """A request of Metacontroller with that many sites, a third of them with a custom domain.

    With ``rules``, that third has an alias, and ten redirects and a header in its files.
    """
    sites = {}
    for index in range(number):
        spec: dict[str, Any] = {"repo": f"https://forge.example.com/team{index % 50}/site{index}.git", "branch": "main"}
        if index % 3 == 0:
            spec |= {"domain": f"www{index}.example.org", "path": "/public"}
            spec |= {"aliases": [f"alias{index}.example.org"]} if rules else {}
        metadata = {
            "namespace": f"team{index % 50}",
            "name": f"site{index}",
            "uid": f"7a3c1f6e-0000-4000-8000-{index:012}",
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        sites[f"{metadata['namespace']}/{metadata['name']}"] = {
            "apiVersion": "pages.kup6s.com/v1beta1",
            "kind": "StaticSite",
            "metadata": metadata,
            "spec": spec,
            "status": {
                "phase": "Ready",
                "lastCommit": "c" * 40,
                "conditions": [{"type": "Ready", "status": "True"}] * 4,
                "rules": RULES if rules and index % 3 == 0 else NOTHING,
            },
        }
    platform = {
        "apiVersion": "pages.kup6s.com/v1beta1",
        "kind": "Platform",
        "metadata": {"name": "platform", "namespace": "kup6s-pages", "uid": "p", "generation": 1},
        "spec": {
            "pagesDomain": "pages.example.com",
            "tls": {"mode": "Individual", "issuerRef": {"name": "letsencrypt"}},
        },
    }
    return {"parent": platform, "children": {VIRTUAL_HOST: {}}, "related": {STATIC_SITE: sites}, "finalizing": False}


def main(sizes: Sequence[int] = SIZES, rounds: int = ROUNDS) -> list[str]:
    """Print the table, and return what is wrong."""
    client = create_app().test_client()
    with as_in_a_worker():
        rows, wrong = measured(client, sizes, rounds)
    print(tabulate.tabulate(rows, headers=("sites", "request KiB", "best ms", "median ms"), floatfmt=".1f"))
    print(GOAL)
    return wrong


def measured(client: FlaskClient, sizes: Sequence[int], rounds: int) -> tuple[list[Row], list[str]]:
    """The rows of the table, and the errors."""
    rows: list[Row] = []
    wrong: list[str] = []
    for number, rules in [*((size, False) for size in sizes), (min(sizes[-1], 1_000), True)]:
        name = f"{number}{' with rules' if rules else ''}"
        body, answer = settled(client, request_of(number, rules=rules))
        domains = number + (number + 2) // 3 * rules
        if answer["status"]["virtualHosts"] != domains:
            wrong.append(f"{name}: {answer['status']['virtualHosts']} domains are routed, not {domains}")
        times = []
        for _ in range(rounds):
            before = time.process_time()
            again = client.post("/platform/sync", data=body).get_data()
            times.append((time.process_time() - before) * 1000)
        if json.loads(again) != answer:
            wrong.append(f"{name}: nothing has changed, but the answer differs")
        rows.append((name, len(body) // 1024, min(times), sorted(times)[rounds // 2]))
    return rows, wrong


@contextmanager
def as_in_a_worker() -> Iterator[None]:
    """Collect garbage like gunicorn's workers, and hide the log."""
    logging = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    disable_automatic_collection(None)
    try:
        yield
    finally:
        gc.enable()
        structlog.configure(**logging)


def settled(client: FlaskClient, request: dict[str, Any]) -> tuple[bytes, Any]:
    """The same request with all children in it, which is the usual case, and the answer."""
    answer = client.post("/platform/sync", json=request).get_json()
    request["children"][VIRTUAL_HOST] = {f"kup6s-pages/{each['metadata']['name']}": each for each in answer["children"]}
    request["parent"]["status"] = answer["status"]
    return json.dumps(request).encode(), answer


if __name__ == "__main__":
    sys.exit(exit_code(main()))
