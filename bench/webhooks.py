"""The time from a push to the live page, and the effect of 1,000 webhooks within one second on `pages serve`.

Run: python -m bench.webhooks (the first part needs `make tools`, because it pushes to a real Gitea)
"""

import asyncio
import http.client
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import tabulate
import yaml

from tests.support.deliveries import SECRET, Sent, gitea_push
from tests.support.git_server import GitServer
from tests.support.gitea import Gitea, gitea_is_there
from tests.support.serving import Serving, eventually

PUSHES = 30
DELIVERIES, SITES = 1_000, 100
WAIT_SECONDS = 30
GOAL = "goal: p50 under 0.3 s; all answered, none over 1 s; memory flat; each site synced once or twice"
Row = tuple[str, float | str]


def main() -> None:
    """Print the table."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "secret").write_bytes(SECRET)
        if gitea_is_there():
            rows += pushes(folder)
        else:
            print("skipped: pushes to Gitea, which is not built; run `make tools`")
        rows += flood(folder)
    shown = [(name, f"{value:.3f}" if isinstance(value, float) else value) for name, value in rows]
    print(tabulate.tabulate(shown, headers=("", ""), disable_numparse=True))
    print(GOAL)


def pushes(folder: Path) -> list[Row]:
    """The seconds from `git push` to the new page, one push after another."""
    with Gitea() as gitea:
        gitea.repository("site")
        gitea.commit("site", {"index.html": "0"})
        with serving(folder, "pushes", {"site": gitea.url("site")}, gitea.origin) as pages:
            gitea.hook("site", f"http://127.0.0.1:{pages.port}/webhook/gitea", SECRET.decode())
            times = [live(gitea, pages, str(number)) for number in range(1, PUSHES + 1)]
    began, returned = zip(*times, strict=True)
    return [
        (f"{PUSHES} pushes to Gitea, from the start of `git push` to the page, p50", statistics.median(began)),
        ("the same from when `git push` returns, p50", statistics.median(returned)),
        ("the same from when `git push` returns, slowest", max(returned)),
    ]


def live(gitea: Gitea, pages: Serving, text: str) -> tuple[float, float]:
    """The seconds until the page is live, from the start and from the end of a push."""
    gitea.commit_only("site", {"index.html": text})
    began = time.perf_counter()
    gitea.push("site")
    returned = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", pages.port)
    while time.perf_counter() - began < WAIT_SECONDS:
        connection.request("GET", "/", headers={"Host": "site.pages.localhost"})
        if connection.getresponse().read().decode() == text:
            break
        time.sleep(0.003)
    connection.close()
    now = time.perf_counter()
    return now - began, now - returned


def flood(folder: Path) -> list[Row]:
    """1,000 deliveries about 100 sites, one each millisecond, twice."""
    root = folder / "repositories"
    root.mkdir()
    with GitServer(root) as server:
        names = [f"s{number}" for number in range(SITES)]
        for name in names:
            server.repository(name).commit({"index.html": "0"})
        with serving(folder, "flood", {name: server.url(name) for name in names}, server.origin) as pages:
            seconds, codes = deliver(pages.port, [server.url(name) for name in names])  # to warm up
            time.sleep(4)
            before = pages.megabytes()
            server.requests.clear()
            seconds, codes = deliver(pages.port, [server.url(name) for name in names])
            time.sleep(4)
            after = pages.megabytes()
            asked = Counter(line.partition(".git")[0] for line in server.requests if line.startswith("POST"))
    return [
        (f"{DELIVERIES} deliveries, answered 202", str(codes[202])),
        ("time from the first to the last answer", seconds[-1]),
        ("an answer, p50", statistics.median(seconds[:-1])),
        ("an answer, slowest", max(seconds[:-1])),
        ("syncs of a site, fewest and most", f"{min(asked.values())} to {max(asked.values())} ({len(asked)} sites)"),
        ("memory before and after, MB", f"{before:.0f} and {after:.0f}"),
    ]


def deliver(port: int, repos: Sequence[str]) -> tuple[list[float], Counter[int]]:
    """The seconds of each answer followed by the total, and the number of each status."""
    requests = [_request(gitea_push(repos[number % len(repos)])) for number in range(DELIVERIES)]
    began = time.perf_counter()
    done = asyncio.run(_send_all(port, requests))
    return [*(seconds for seconds, _ in done), time.perf_counter() - began], Counter(code for _, code in done)


def _request(sent: Sent) -> bytes:
    headers = sent.headers | {"Host": "webhook.pages.localhost", "Content-Length": str(len(sent.body))}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(["POST /webhook/gitea HTTP/1.1", *lines, "Connection: close", "", ""]).encode() + sent.body


async def _send_all(port: int, requests: Sequence[bytes]) -> list[tuple[float, int]]:
    begin = time.perf_counter()

    async def send(number: int, request: bytes) -> tuple[float, int]:
        await asyncio.sleep(begin + number / DELIVERIES - time.perf_counter())
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return time.perf_counter() - began, int(answer.split(maxsplit=2)[1])

    return await asyncio.gather(*(send(number, request) for number, request in enumerate(requests)))


def serving(folder: Path, name: str, sites: dict[str, str], origin: str) -> "Measured":
    """A `pages serve` with these repositories, all of them live. It syncs only on webhooks."""
    manifests = folder / f"{name}-manifests"
    manifests.mkdir()
    (manifests / "sites.yaml").write_text(yaml.safe_dump_all(list(static_sites(sites))))
    return Measured(
        folder / name,
        (manifests, "--allowed-hosts", origin, "--webhook-secret-file", folder / "secret"),
        sites,
    )


def static_sites(sites: dict[str, str]) -> Iterator[dict[str, object]]:
    """A StaticSite for each repository."""
    for name, repo in sites.items():
        yield {
            "apiVersion": "pages.kup6s.com/v1beta1",
            "kind": "StaticSite",
            "metadata": {"name": name, "namespace": "bench"},
            "spec": {"repo": repo, "syncInterval": "24h"},
        }


class Measured(Serving):
    """A `pages serve` that waits for its sites, and measures its memory."""

    def __init__(self, state: Path, arguments: Sequence[str | Path], sites: dict[str, str]) -> None:
        super().__init__(state, arguments)
        self._sites = sites

    def __enter__(self) -> Self:
        super().__enter__()
        for name in self._sites:
            eventually(lambda host=f"{name}.pages.localhost": self.shows(host, "0"))  # type: ignore[misc]
        return self

    def megabytes(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
