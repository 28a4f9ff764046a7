"""What do the rules of a site cost in nginx, against a bare `root` configuration and a site without any?

Run: python -m bench.rules (needs wrk)
"""

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import tabulate

from bench.nginx_overhead import BARE, OURS, Rate, Server, running
from syncer.content.rules import bounds, compiled
from syncer.content.rules.compile import compile_rules

ROUNDS = 2
SECONDS = 1
GOALS = (
    "goals, of the bare configuration's requests for each second of CPU: 85 % without rules, 65 % with many; "
    "0.3 ms at most for the worst file; 50 ms at most to read a new release's rules"
)


class Site(NamedTuple):
    """A site, and what is asked of it."""

    label: str
    name: str
    path: str


SITES = (
    Site("no rules, page", "none", "/600.html"),
    Site("no rules, 404", "none", "/nope.html"),
    Site("many rules, page", "many", "/600.html"),
    Site("many rules, 404", "many", "/nope.html"),
    Site("many rules, exact redirect", "many", "/s7000"),
    Site("many rules, pattern redirect", "many", "/d250/x/y"),
    Site("worst file, redirect", "worst", "/" + "/".join("a" * 32)),
    Site("worst file, 404", "worst", "/" + "/".join("a" * 31) + "/" + "b" * 4000),
)


def main() -> None:
    """Print the table."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is needed to measure nginx: install it (Debian, Ubuntu: apt install wrk)")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        sizes = {name: release(root, name, *texts) for name, texts in written().items()}
        with running(root, "bare", BARE) as bare, running(root, "ours", OURS) as ours:
            first = {name: first_request(ours, name) for name in sizes}
            base = [cpu(wrk, bare, Site("bare", "none", "/600.html")) for _ in range(ROUNDS)]
            rows: list[tuple[str, float, float]] = [("bare nginx, page", median(base), 100.0)]
            for site in SITES:
                pairs = [(cpu(wrk, bare, SITES[0]), cpu(wrk, ours, site)) for _ in range(ROUNDS)]
                share = median(100 * of_bare / of_ours for of_bare, of_ours in pairs)
                rows.append((site.label, median(of_ours for _, of_ours in pairs), share))
    print(tabulate.tabulate(rows, headers=("request", "CPU, µs", "% of bare"), floatfmt=".0f"))
    for name, size in sizes.items():
        print(f"{name}: {size:,} bytes compiled; the first request took {first[name]:.1f} ms")
    print(GOALS)


def written() -> dict[str, tuple[str, str]]:
    """``_redirects`` and ``_headers`` of three sites: none, many, and what costs most within the limits."""
    exact, patterns = bounds.MAX_REDIRECTS - bounds.MAX_PATTERNS, bounds.MAX_PATTERNS
    many = "".join(f"/s{n} /t{n} 301!\n" for n in range(exact))
    many += "".join(f"/d{n}/* /e{n}/:splat\n" for n in range(patterns))
    many_headers = "/*\n  X-Frame-Options: DENY\n/*.js\n  Cache-Control: no-cache\n"
    many_headers += "".join(f"/h{n}/*\n  X-H: {n}\n" for n in range(bounds.MAX_PATHS - 2))
    names = "/".join(f":n{n}" for n in range(31))
    worst = "".join(f"/{names}/x{n} /y 301!\n" for n in range(patterns - 1)) + f"/{names} /z 301!\n"
    worst_headers = "".join(f"/*{'a/' * 30}z{n}\n  X-H: {n}\n" for n in range(bounds.MAX_PATHS // 2))
    return {"none": ("", ""), "many": (many, many_headers), "worst": (worst, worst_headers)}


def release(root: Path, name: str, redirects: str, headers: str) -> int:
    """Publish a site with these rules; the size of what they are compiled to."""
    texts = {"_redirects": redirects.encode(), "_headers": headers.encode()}
    rules = compile_rules(texts, None, ["600.html"]).compiled
    folder = root / "releases/bench" / name / "1"
    folder.mkdir(parents=True)
    (folder / "600.html").write_bytes(b"x" * 600)
    content = rules.dump() if rules else b""
    if rules:
        (folder / compiled.NAME).write_bytes(content)
    live = root / "live/bench" / name
    live.parent.mkdir(parents=True, exist_ok=True)
    live.symlink_to(f"../../releases/bench/{name}/1")
    return len(content)


def first_request(server: Server, name: str) -> float:
    """Milliseconds of CPU of the request that reads the rules."""
    before = server.cpu()
    url = f"http://127.0.0.1:{server.port}/bench/{name}/600.html"
    headers = ["-H", f"X-Pages-Site: bench/{name}", "-H", "X-Pages-Auth: public"]
    subprocess.run(["curl", "--fail", "--silent", "--output", "/dev/null", *headers, url], check=True)
    time.sleep(0.1)
    return 1000 * (server.cpu() - before)


def cpu(wrk: str, server: Server, site: Site) -> float:
    """Microseconds of nginx for a request."""
    return rate(wrk, server, site).cpu


def rate(wrk: str, server: Server, site: Site) -> Rate:
    """One measurement; any status will do."""
    url = f"http://127.0.0.1:{server.port}/bench/{site.name}{site.path}"
    headers = ["-H", f"X-Pages-Site: bench/{site.name}", "-H", "X-Pages-Auth: public"]
    before = server.cpu()
    output = subprocess.run(
        [wrk, "-t1", "-c32", f"-d{SECONDS}s", *headers, url], capture_output=True, text=True, check=True
    ).stdout
    used = server.cpu() - before
    per_second, number = re.search(r"Requests/sec:\s+([0-9.]+)", output), re.search(r"([0-9]+) requests in", output)
    if per_second is None or number is None:
        raise SystemExit(f"nginx did not answer: {output}")
    return Rate(float(per_second[1]), 1e6 * used / int(number[1]))


if __name__ == "__main__":
    main()
