"""The syncer of kup6s/pages 1.0, with a minimal Kubernetes API server."""

import json
import os
import subprocess
import threading
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.adapters import Site
from tests.support.processes import answer
from tests.support.serving import eventually, free_port

_GROUP = "pages.kup6s.com/v1beta1"


class Kup6sPages:
    """The peer."""

    name = "kup6s/pages 1.0"
    most_sites = 2_000

    def __init__(self, binary: str) -> None:
        self._binary = binary

    @contextmanager
    def start(self, sites: Sequence[Site], origin: str, root: Path) -> Iterator["_Running"]:
        root.mkdir(parents=True)
        port = free_port()
        with _api(sites) as url:
            kubeconfig = root / "kubeconfig.json"
            kubeconfig.write_text(json.dumps(_kubeconfig(url)))
            command = [self._binary, f"-kubeconfig={kubeconfig}", f"-sites-root={root / 'sites'}", "-sync-interval=1h"]
            command += [f"-webhook-addr=127.0.0.1:{port}", f"-allowed-hosts={urlsplit(origin).hostname}"]
            environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
            with (
                Path(os.devnull).open("wb") as nothing,
                subprocess.Popen(command, env=environment, stdout=nothing, stderr=nothing) as process,
            ):
                try:
                    eventually(lambda: answer(port, "/")[0])
                    yield _Running(root / "sites", port, process)
                finally:
                    process.terminate()


class _Running:
    def __init__(self, root: Path, port: int, process: "subprocess.Popen[bytes]") -> None:
        self._root = root
        self._port = port
        self._process = process

    def live(self, site: Site) -> Path:
        return self._root / site.name

    def tell(self, repo: str) -> None:
        body = json.dumps({"ref": "refs/heads/main", "repository": {"full_name": "x", "clone_url": repo}}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/webhook/forgejo", body) as response:
            response.read()

    def processes(self) -> Iterable[int]:
        return [self._process.pid]


@contextmanager
def _api(sites: Sequence[Site]) -> Iterator[str]:
    """An API server with these StaticSites, which accepts and discards statuses."""
    objects = {site.name: _object(site) for site in sites}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            name = self.path.partition("?")[0].rpartition("/")[2]
            everything = {"apiVersion": _GROUP, "kind": "StaticSiteList", "metadata": {}, "items": [*objects.values()]}
            self._send(everything if name == "staticsites" else objects[name])

        def do_PATCH(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send(objects[self.path.split("/")[-2]])

        def _send(self, value: object) -> None:
            content = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _object(site: Site) -> dict[str, Any]:
    return {
        "apiVersion": _GROUP,
        "kind": "StaticSite",
        "metadata": {"namespace": "bench", "name": site.name, "uid": site.name},
        "spec": {"repo": site.repo, "branch": "main", "path": f"/{site.path}"},
    }


def _kubeconfig(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": {"server": url}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "users": [{"name": "bench", "user": {}}],
        "current-context": "bench",
    }
