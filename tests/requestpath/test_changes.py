"""A hundred sites are added, changed and deleted while others are read: no request fails, and nginx does not change."""

import http.client
import ssl
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from tests.support.chart import installed
from tests.support.control_plane import SYSTEM
from tests.support.request_path import PAGES, RequestPath
from tests.support.serving import eventually

MANY = 100


class Readers:
    """Continuous visitors, each with a persistent connection. ``failures`` lists their errors."""

    def __init__(self, port: int, domains: list[str]) -> None:
        self.failures: list[str] = []
        self.answers = 0
        self._stopping = threading.Event()
        self._port = port
        self._threads = [threading.Thread(target=self._read, args=(each,)) for each in domains]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _read(self, domain: str) -> None:
        anything = ssl.create_default_context()
        anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=30, context=anything)
        while not self._stopping.wait(0.02):
            try:
                connection.request("GET", "/about", headers={"Host": domain})
                answer = connection.getresponse()
                if (answer.status, answer.read()) != (200, f"about {domain.partition('.')[0]}".encode()):
                    self.failures.append(f"{domain}: {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{domain}: {error!r}")
                connection.close()
            self.answers += 1
        connection.close()


def test_a_hundred_changes_of_sites_cause_no_failed_request(two_sites: RequestPath, path: RequestPath) -> None:
    path.git.repository("many").commit({"a/index.html": "page a", "b/index.html": "page b"})
    names = [f"many-{number:03}" for number in range(MANY)]
    domains = [f"{name}.{PAGES}" for name in names]
    path.cluster.apply(*installed("ConfigMap"))
    before = state_of_nginx(path)
    with Readers(path.traefik.websecure, ["team-a.example.org", "team-b.example.org"] * 2) as readers:
        for name in names:
            path.site("one", name, "many", path="/a")
        path.settle()
        each_eventually(lambda domain: path.shows(domain, "page a"), domains)
        for name in names:
            path.site("one", name, "many", path="/b", domain=f"{name}.example.net")
        path.settle()
        each_eventually(lambda name: path.shows(f"{name}.example.net", "page b"), names)
        path.delete_many("one", names)
        each_eventually(lambda name: not path.shows(f"{name}.example.net", "page"), names)
    assert readers.failures == []
    assert readers.answers > MANY
    assert state_of_nginx(path) == before


def each_eventually(holds: Callable[[str], bool], names: Iterable[str]) -> None:
    """Wait until the condition holds for each name."""
    for name in names:
        eventually(lambda name=name: holds(name))  # type: ignore[misc]


def state_of_nginx(path: RequestPath) -> tuple[object, ...]:
    """Everything that a change of nginx would alter: its processes (a reload starts new ones), files and ConfigMaps."""
    pid = path.nginx.process.pid
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    files = {each: (each.read_text(), each.stat().st_mtime_ns) for each in (path.nginx.root.parent / "conf").iterdir()}
    versions = "jsonpath={range .items[*]}{.metadata.name} {.metadata.resourceVersion} {end}"
    maps = path.cluster.kubectl("get", "configmaps", "-n", SYSTEM, "-o", versions)
    assert "nginx-config" in maps
    return pid, workers, files, maps
