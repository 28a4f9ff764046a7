"""One real nginx with the shipped configuration. Only ports and temporary folders differ from the cluster."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.serve.nginx import find, lua
from tests.support.raw_http import Answer, ask
from tests.support.serving import free_port

MODULES = """\
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
"""
SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx"


class Sites:
    """The volume, and the nginx that serves it."""

    process: subprocess.Popen[bytes]

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = free_port()
        self.health_port = free_port()

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Send the path byte for byte, with the headers that Traefik sets for a public site unless given."""
        given = {name.replace("_", "-").lower() for name in headers}
        site = re.match("/([^/?]+/[^/?]+)", path)
        by_traefik = {"X-Pages-Site": site[1] if site else "", "X-Pages-Auth": "public"}
        missing = {name: value for name, value in by_traefik.items() if name.lower() not in given}
        return ask(self.port, f"{method} {path} HTTP/1.1", **missing, **headers)

    def release(self, site: str, files: dict[str, str], release: str = "1") -> Path:
        """Write a release and make it live, like the syncer."""
        folder = self.root / "releases" / site / release
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        link = self.root / "live" / site
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary = link.with_name(f".tmp-{link.name}")
        temporary.symlink_to(f"../../releases/{site}/{release}")
        temporary.replace(link)
        return folder


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with running(tmp_path_factory.mktemp("nginx")) as made:
        yield made


@contextmanager
def running(folder: Path) -> Iterator[Sites]:
    """An nginx whose volume is ``sites`` in the folder, and whose log is next to it."""
    made = Sites(folder / "sites")
    (made.root / "live").mkdir(parents=True)
    shutil.copytree(SHIPPED, folder / "conf")
    config = folder / "conf" / "nginx.conf"
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o777)
    text = config.read_text()
    for shipped, here in {
        MODULES: lua(find()),
        "/tmp/": f"{folder}/tmp/",  # noqa: S108 - a path in the image
        "/etc/nginx/": f"{folder}/conf/",
        "/dev/stdout": f"{folder}/access.log",
        "listen 8080": f"listen 127.0.0.1:{made.port}",
        "listen 8081": f"listen 127.0.0.1:{made.health_port}",
    }.items():
        assert shipped in text
        text = text.replace(shipped, here)
    config.write_text(text)
    # As in the cluster, nginx's workers run as the user that started nginx.
    user = ["-g", "user root root;"] if os.geteuid() == 0 else []
    command: list[str | Path] = [find(), "-p", made.root, "-c", config, *user]
    with (folder / "error.log").open("wb") as log:  # a full pipe without a reader would block nginx
        made.process = subprocess.Popen(command, stderr=log, env={"PATH": os.defpath})
    try:
        wait_for(made.port, made.process, folder / "error.log")
        yield made
    finally:
        made.process.terminate()
        made.process.wait(20)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return
