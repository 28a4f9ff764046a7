"""nginx with the mounts of its pod: two folders of the volume, read-only, and the files of the ConfigMap."""

import os
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from cli.serve.nginx import find as find_nginx
from tests.nginx.conftest import Sites, wait_for
from tests.support.chart import containers, find, pods, variant

UNSHARE = ["unshare", "--mount", *(["--user", "--map-root-user"] if os.geteuid() else [])]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow mount namespaces")
    folder = tmp_path_factory.mktemp("mounts")
    made = Sites(folder / "volume")
    made.release("team-a/blog", {"index.html": "first", "about/index.html": "about"})
    nginx = containers(pods(variant("default"))["static-sites-nginx"])["nginx"]
    mounts = []
    for each in (each for each in nginx["volumeMounts"] if each["name"] == "sites"):
        place = folder / "pod" / each["mountPath"].lstrip("/")
        place.mkdir(parents=True)
        mounts.append(f"mount --bind {made.root}/{each['subPath']} {place} && mount -o remount,bind,ro {place}")
    config = folder / "conf"
    config.mkdir()
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o777)
    for name, text in find(variant("default"), "ConfigMap", "nginx-config")["data"].items():
        here = text.replace("/tmp/", f"{folder}/tmp/").replace("/dev/stdout", f"{folder}/access.log")  # noqa: S108
        here = here.replace("listen 8080", f"listen 127.0.0.1:{made.port}")
        (config / name).write_text(here.replace("listen 8081", f"listen 127.0.0.1:{made.health_port}"))
    arguments = [each.replace("/sites", f"{folder}/pod/sites") for each in nginx["args"]]
    arguments = [each.replace("/etc/nginx", str(config)) for each in arguments]
    user = [] if os.geteuid() else ["-g", "user root root;"]
    started = " && ".join([*mounts, f"exec {shlex.join([str(find_nginx()), *arguments, *user])}"])
    with (folder / "error.log").open("wb") as log:
        process = subprocess.Popen([*UNSHARE, "sh", "-c", started], stderr=log)
    try:
        wait_for(made.port, process, folder / "error.log")
        yield made
    finally:
        process.terminate()
        process.wait(20)


def test_the_links_in_live_resolve_through_the_mounts(sites: Sites) -> None:
    assert sites.ask("/team-a/blog/").body == b"first"
    assert sites.ask("/team-a/blog/about/").body == b"about"
    assert sites.ask("/team-a/blog/missing").status == 404


def test_a_new_release_and_a_new_site_are_visible_through_the_mounts(sites: Sites) -> None:
    sites.release("team-a/blog", {"index.html": "second"}, "2")
    assert sites.ask("/team-a/blog/").body == b"second"
    sites.release("team-b/new", {"index.html": "new"})
    assert sites.ask("/team-b/new/").body == b"new"


def test_the_pod_is_healthy_while_the_live_folder_exists(sites: Sites) -> None:
    health = Sites(sites.root)
    health.port = sites.health_port
    assert health.ask("/healthz").status == 200
