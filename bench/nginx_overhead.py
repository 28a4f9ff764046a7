"""The overhead of our nginx configuration, compared with a bare `root` configuration.

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
from typing import NamedTuple

import tabulate

from cli.serve.nginx import find, lua
from tests.support.serving import free_port

SHIPPED = Path(__file__).parents[1] / "deploy" / "nginx"
SIZES = {"tiny page, 600 bytes": 600, "page, 10 KiB": 10 << 10, "image, 100 KiB": 100 << 10}
ROUNDS = 9
SECONDS = 1
GOAL = "goal: at least 90 % of the requests of the bare configuration"
COMMON = """\
{modules}daemon off;
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
    lua_package_path "{shipped}/?.lua;;";
    init_by_lua_block {{ pages_rules = require("rules").volume("live") }}
    include {shipped}/sites-http.conf;
    include {shipped}/mime.types;
    server {{ listen 127.0.0.1:{port}; include {shipped}/sites-server.conf; }}
}}
"""
)


def main() -> None:
    """Print the table."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk was not found; install it (Debian, Ubuntu: apt install wrk)")
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
            rows = [(name, *compared(wrk, size, bare, ours)) for name, size in SIZES.items()]
    headers = ("file", "bare req/s", "ours req/s", "%", "bare CPU", "ours CPU", "%")
    print(tabulate.tabulate(rows, headers=headers, floatfmt=".0f"))
    print(f"CPU: microseconds of nginx per request, which depend less on other load on the machine. {GOAL}")


class Server(NamedTuple):
    """A running nginx with one worker."""

    port: int
    worker: int

    def cpu(self) -> float:
        """The CPU seconds that the worker has used."""
        return int(Path(f"/proc/{self.worker}/schedstat").read_text().split()[0]) / 1e9


class Rate(NamedTuple):
    """Requests per second, and microseconds of CPU per request."""

    per_second: float
    cpu: float


def compared(wrk: str, size: int, bare: Server, ours: Server) -> tuple[float, ...]:
    """The medians of both, measured alternately, and ours in percent: requests per second, and CPU per request."""
    pairs = [(rate(wrk, size, bare), rate(wrk, size, ours)) for _ in range(ROUNDS)]
    # The speed of the machine drifts, so we compare measurements that are next to each other.
    rates = [100 * ours_rate.per_second / bare_rate.per_second for bare_rate, ours_rate in pairs]
    cpus = [100 * bare_rate.cpu / ours_rate.cpu for bare_rate, ours_rate in pairs]
    of_bare, of_ours = zip(*pairs, strict=True)
    return (
        median(each.per_second for each in of_bare),
        median(each.per_second for each in of_ours),
        median(rates),
        median(each.cpu for each in of_bare),
        median(each.cpu for each in of_ours),
        median(cpus),
    )


def rate(wrk: str, size: int, server: Server) -> Rate:
    """One measurement."""
    url = f"http://127.0.0.1:{server.port}/bench/site/{size}.html"
    command = [wrk, "-t1", "-c32", f"-d{SECONDS}s", "-H", "X-Pages-Site: bench/site", "-H", "X-Pages-Auth: public", url]
    before = server.cpu()
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = server.cpu() - before
    per_second, number = re.search(r"Requests/sec:\s+([0-9.]+)", output), re.search(r"([0-9]+) requests in", output)
    if per_second is None or number is None or "Non-2xx" in output:
        raise SystemExit(f"nginx answered with errors: {output}")
    return Rate(float(per_second[1]), 1e6 * used / int(number[1]))


@contextmanager
def running(root: Path, name: str, template: str) -> Iterator[Server]:
    """An nginx with this configuration."""
    port = free_port()
    config = root / f"{name}.conf"
    config.write_text(template.format(name=name, port=port, shipped=SHIPPED, modules=lua(find())))
    process = subprocess.Popen([find(), "-p", root, "-c", config])
    try:
        while not (children := Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()):
            time.sleep(0.1)
        yield Server(port, int(children[0]))
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
