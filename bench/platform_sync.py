"""The CPU time of stage one, from the bytes of the request to the bytes of the answer.

Run: python -m bench.platform_sync
"""

import json
import time
from typing import Any

import tabulate

from cli.processes.gunicorn import freeze
from hooks.app import create_app
from hooks.payload import STATIC_SITE, VIRTUAL_HOST

SIZES = (10, 100, 1_000, 10_000)
ROUNDS = 7
GOAL = "goal: under 50 ms of CPU for 1,000 sites"
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


def main() -> None:
    """Print the table."""
    client = create_app().test_client()
    freeze(None)  # as gunicorn does
    rows = []
    for number, rules in [*((size, False) for size in SIZES), (1_000, True)]:
        request = request_of(number, rules=rules)
        answer = client.post("/platform/sync", json=request).get_json()
        # From now on all children exist, which is the usual case.
        request["children"][VIRTUAL_HOST] = {
            f"kup6s-pages/{each['metadata']['name']}": each for each in answer["children"]
        }
        request["parent"]["status"] = answer["status"]
        body = json.dumps(request).encode()
        times = []
        for _ in range(ROUNDS):
            before = time.process_time()
            client.post("/platform/sync", data=body).get_data()
            times.append((time.process_time() - before) * 1000)
        rows.append(
            (f"{number}{' with rules' if rules else ''}", len(body) // 1024, min(times), sorted(times)[ROUNDS // 2])
        )
    print(tabulate.tabulate(rows, headers=("sites", "request KiB", "best ms", "median ms"), floatfmt=".1f"))
    print(GOAL)


if __name__ == "__main__":
    main()
