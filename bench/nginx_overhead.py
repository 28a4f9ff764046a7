"""What do the rules of the one nginx cost, against a bare `root` configuration?

Run: python -m bench.nginx_overhead (needs wrk)
"""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import tabulate

from pages.cli.serve.nginx import find
from tests.support.serving import free_port

SHIPPED = Path(__file__).parents[1] / "deploy" / "nginx"
SIZES = {"tiny page, 600 bytes": 600, "page, 10 KiB": 10 << 10, "image, 100 KiB": 100 << 10}
ROUNDS = 9
SECONDS = 1
GOAL = "goal: at least 90 % of the requests of the bare configuration"
COMMON = """\
daemon off;
pid {name}.pid;
error_log {name}.log;
worker_processes 1;
pcre_jit on;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {name}-body; proxy_temp_path {name}-proxy; fastcgi_temp_path {name}-fastcgi;
    uwsgi_temp_path {name}-uwsgi; scgi_temp_path {name}-scgi;
"""
BARE = (
    COMMON
    + """\
    include {shipped}/mime.types;
    sendfile on;
    tcp_nopush on;
    server {{ listen 127.0.0.1:{port}; root live; }}
}}
"""
)
OURS = (
    COMMON
    + """\
    include {shipped}/sites-http.conf;
    include {shipped}/mime.types;
    server {{ listen 127.0.0.1:{port}; root live; include {shipped}/sites-server.conf; }}
}}
"""
)


def main() -> None:
    """Print the table."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is needed to measure nginx: install it (Debian, Ubuntu: apt install wrk)")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        release = root / "releases/bench/site/1"
        release.mkdir(parents=True)
        for size in SIZES.values():
            (release / f"{size}.html").write_bytes(b"x" * size)
        (root / "live/bench").mkdir(parents=True)
        (root / "live/bench/site").symlink_to("../../releases/bench/site/1")
        with running(root, "bare", BARE) as bare, running(root, "ours", OURS) as ours:
            rows = [(name, *rates(wrk, size, bare, ours)) for name, size in SIZES.items()]
    print(tabulate.tabulate(rows, headers=("file", "bare req/s", "ours req/s", "%"), floatfmt=".0f"))
    print(GOAL)


def rates(wrk: str, size: int, bare: int, ours: int) -> tuple[float, float, float]:
    """Median requests per second of both, measured in turns, and the median of ours in percent."""
    measured: dict[int, list[float]] = {bare: [], ours: []}
    for _ in range(ROUNDS):
        for port, found in measured.items():
            url = f"http://127.0.0.1:{port}/bench/site/{size}.html"
            command = [wrk, "-t1", "-c32", f"-d{SECONDS}s", "-H", "X-Pages-Site: bench/site", url]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            rate = re.search(r"Requests/sec:\s+([0-9.]+)", output)
            if rate is None or "Non-2xx" in output:
                raise SystemExit(f"nginx did not answer well: {output}")
            found.append(float(rate[1]))
    # The machine's speed drifts: what counts is each pair of neighbours.
    percents = [
        100 * ours_rate / bare_rate for bare_rate, ours_rate in zip(measured[bare], measured[ours], strict=True)
    ]
    return median(measured[bare]), median(measured[ours]), median(percents)


@contextmanager
def running(root: Path, name: str, template: str) -> Iterator[int]:
    """An nginx with this configuration; its port."""
    port = free_port()
    config = root / f"{name}.conf"
    config.write_text(template.format(name=name, port=port, shipped=SHIPPED))
    process = subprocess.Popen([find(), "-p", root, "-c", config])
    time.sleep(0.5)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
