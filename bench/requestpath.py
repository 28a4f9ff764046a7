"""The effect of a deployment on browser caches, and of a hundred changes on visitors of other sites.

Run: python -m bench.requestpath (the second measurement needs wrk and `make tools`)
"""

import re
import shutil
import subprocess
import tempfile
from http import HTTPStatus
from pathlib import Path

import tabulate

from pages.api import StaticSite
from tests.nginx.conftest import Sites, running
from tests.support.bench import Bench
from tests.support.control_plane import tools_are_there
from tests.support.git_server import GitServer
from tests.support.request_path import PAGES, RequestPath, request_path_in, with_two_sites
from tests.support.serving import eventually
from tests.support.traefik import traefik_is_there

FILES = 500
CHANGES = 100
SECONDS = 15
GOALS = (
    f"goal: 304 for {FILES - 1} of {FILES} files, plain and packed, after a deployment that changes one",
    f"goal: no failed request during {CHANGES} changes",
)


def main() -> None:
    """Print both tables."""
    print(tabulate.tabulate(not_modified(), headers=("encoding", "files", "304", "200")))
    print(GOALS[0], end="\n\n")
    wrk = shutil.which("wrk")
    if not (wrk and tools_are_there() and traefik_is_there()):
        raise SystemExit("the second measurement needs wrk and `make tools`")
    with tempfile.TemporaryDirectory() as folder, request_path_in(Path(folder)) as path:
        rows = during_changes(wrk, with_two_sites(path))
    print(tabulate.tabulate(rows, headers=("meanwhile", "req/s", "p50", "p99", "failed")))
    print(GOALS[1])


def not_modified() -> list[tuple[str, int, int, int]]:
    """The number of files that a browser with a full cache revalidates without a download, after one file changed."""
    content = {f"{number % 20}/{number}.html": f"page {number}\n" * 200 for number in range(FILES)}
    with tempfile.TemporaryDirectory() as name, GitServer(Path(name)) as git, running(Path(name)) as nginx:
        root = Path(name)
        bench = Bench(root, git)
        (root / "volume").rename(root / "unused")
        (root / "volume").symlink_to(nginx.root)
        bench.releases.prepare()
        metadata = {"namespace": "bench", "name": "site", "uid": "1"}
        site = StaticSite.model_validate({"metadata": metadata, "spec": {"repo": git.url("site")}})
        repository = git.repository("site")
        repository.commit(content)
        bench.sync(site)
        plain, packed = etags(nginx, content, ""), etags(nginx, content, "gzip")
        repository.commit({"0/0.html": "another page\n" * 200})
        bench.sync(site)
        return [("plain", *counted(nginx, plain, "")), ("packed", *counted(nginx, packed, "gzip"))]


def etags(nginx: Sites, paths: dict[str, str], encoding: str) -> dict[str, str]:
    """The ETag of each file."""
    return {path: nginx.ask(f"/bench/site/{path}", Accept_Encoding=encoding).headers["etag"] for path in paths}


def counted(nginx: Sites, etags_by_path: dict[str, str], encoding: str) -> tuple[int, int, int]:
    """The number of files, and of the statuses 304 and 200."""
    statuses = [
        nginx.ask(f"/bench/site/{path}", Accept_Encoding=encoding, If_None_Match=etag).status
        for path, etag in etags_by_path.items()
    ]
    return len(statuses), statuses.count(HTTPStatus.NOT_MODIFIED), statuses.count(HTTPStatus.OK)


def during_changes(wrk: str, path: RequestPath) -> list[tuple[str, ...]]:
    """The results of readers of a site while nothing changes, and while other sites are added, moved and deleted."""
    path.git.repository("many").commit({"a/index.html": "page a", "b/index.html": "page b"})
    names = [f"many-{number:03}" for number in range(CHANGES)]
    quiet = read(start(wrk, path))
    reader = start(wrk, path)
    for name in names:
        path.site("one", name, "many", path="/a")
    path.settle()
    coming = read(reader)
    eventually(lambda: all(path.shows(f"{name}.{PAGES}", "page a") for name in names))
    reader = start(wrk, path)
    for name in names:
        path.site("one", name, "many", path="/b", domain=f"{name}.example.net")
    path.settle()
    moving = read(reader)
    eventually(lambda: all(path.shows(f"{name}.example.net", "page b") for name in names))
    reader = start(wrk, path)
    path.delete_many("one", names)
    going = read(reader)
    return [
        ("nothing changes", *quiet),
        (f"{CHANGES} sites are added", *coming),
        (f"{CHANGES} sites move", *moving),
        (f"{CHANGES} sites are deleted", *going),
    ]


def start(wrk: str, path: RequestPath) -> subprocess.Popen[str]:
    """A reader over HTTPS, through Traefik."""
    url = f"https://127.0.0.1:{path.traefik.websecure}/about"
    command = [wrk, "-t1", "-c8", f"-d{SECONDS}s", "--latency", "-H", "Host: team-a.example.org", url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def read(reader: subprocess.Popen[str]) -> tuple[str, ...]:
    """The results of a reader: requests per second, latencies and failures."""
    output, _ = reader.communicate()
    patterns = (r"Requests/sec:\s+(\S+)", r"50%\s+(\S+)", r"99%\s+(\S+)")
    figures = [match[1] if (match := re.search(pattern, output)) else "?" for pattern in patterns]
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output), re.search(r"Socket errors: (.+)", output)
    return (*figures, ", ".join(match[1] for match in failed if match) or "0")


if __name__ == "__main__":
    main()
