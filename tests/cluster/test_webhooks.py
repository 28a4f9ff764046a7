"""The API of `pages syncer`, as a forge and a tenant reach it."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import deliveries
from tests.support.cluster import SyncerProcess
from tests.support.control_plane import Cluster, Object
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.processes import answer
from tests.support.serving import eventually, free_port, pages

MakeSyncer = Callable[..., SyncerProcess]


def status(cluster: Cluster, namespace: str, name: str = "blog") -> Object:
    found: Object = (cluster.get("staticsites", name, namespace) or {}).get("status", {})
    return found


@pytest.fixture
def syncer(make_syncer: MakeSyncer, tmp_path: Path) -> Any:
    (tmp_path / "key").write_text("k" * 32)
    with make_syncer("--token-key-file", str(tmp_path / "key")) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture
def blog(cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer) -> str:
    git_server.repository("blog").commit({"index.html": "one"})
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="24h"))
    eventually(lambda: syncer.page(namespace, "blog") == "one")
    return git_server.url("blog")


def test_a_push_is_live_before_the_next_poll(
    namespace: str, syncer: SyncerProcess, git_server: GitServer, blog: str
) -> None:
    git_server.repository("blog").commit({"index.html": "two"})
    code, said = syncer.deliver(deliveries.gitea_push(blog))
    assert (code, said["sites"]) == (202, [f"{namespace}/blog"])
    eventually(lambda: syncer.page(namespace, "blog") == "two")


def test_a_sites_token_syncs_and_deletes_it_alone(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer, blog: str
) -> None:
    cluster.apply(static_site("other", namespace, repo=blog, syncInterval="24h"))
    token = {"X-API-Key": str(eventually(lambda: status(cluster, namespace).get("syncToken")))}
    eventually(lambda: syncer.page(namespace, "other") == "one")
    assert syncer.ask("DELETE", f"/site/{namespace}/other", token)[0] == 401
    assert syncer.ask("DELETE", f"/site/{namespace}/blog", token)[0] == 200
    assert (syncer.page(namespace, "blog"), syncer.page(namespace, "other")) == (None, "one")
    assert syncer.ask("POST", f"/sync/{namespace}/blog", token)[0] == 202
    eventually(lambda: syncer.page(namespace, "blog") == "one")


@pytest.mark.usefixtures("blog")
def test_an_annotation_asks_for_a_sync_and_is_answered_once(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    second = git_server.repository("blog").commit({"index.html": "two"})
    for value in ("2026-01-01T00:00:00Z", "again"):
        cluster.kubectl(
            "annotate", "ss", "blog", "-n", namespace, f"pages.kup6s.com/requestedAt={value}", "--overwrite"
        )
        eventually(lambda value=value: status(cluster, namespace).get("lastHandledRequest") == value)  # type: ignore[misc]
    assert status(cluster, namespace)["lastCommit"] == second
    assert syncer.page(namespace, "blog") == "two"
    answered = cluster.get("staticsites", "blog", namespace)
    cluster.apply(static_site("next", namespace, repo=git_server.url("blog"), syncInterval="24h"))
    eventually(lambda: status(cluster, namespace, "next").get("lastCommit") == second)
    assert cluster.get("staticsites", "blog", namespace) == answered


@pytest.mark.usefixtures("blog")
def test_why_asks_the_cluster_and_the_api(cluster: Cluster, namespace: str, syncer: SyncerProcess) -> None:
    eventually(lambda: status(cluster, namespace).get("syncToken"))
    api = f"http://127.0.0.1:{syncer.api_port}"
    told = pages("why", f"{namespace}/blog", "--cluster", "--api", api, KUBECONFIG=str(cluster.kubeconfig)).stdout
    assert f"{namespace}/blog" in told and "is live" in told
    assert "Last webhook: none since the syncer started." in told
    silent = pages("why", f"{namespace}/blog", "--cluster", KUBECONFIG=str(cluster.kubeconfig)).stdout
    assert "Webhooks and commit status: not known here (start `pages serve`, or in a cluster use --api URL)" in silent
    none = pages("why", f"{namespace}/none", "--cluster", KUBECONFIG=str(cluster.kubeconfig))
    assert (none.returncode, "there is no site" in none.stderr) == (2, True)


@pytest.mark.parametrize("body", ["Content-Length: 50000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"])
def test_w4_a_body_that_is_too_large_is_rejected_early(syncer: SyncerProcess, body: str) -> None:
    head = "POST /webhook/gitea HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", syncer.api_port), timeout=20) as connection:
        connection.sendall((head + body).encode())
        if "chunked" in body:
            for _ in range(17):
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_health_and_api_are_on_ports_of_their_own(syncer: SyncerProcess) -> None:
    assert answer(syncer.port, "/healthz")[0] == 200
    assert syncer.ask("GET", "/healthz")[0] == syncer.ask("GET", "/readyz")[0] == syncer.ask("GET", "/")[0] == 404
    assert answer(syncer.port, "/webhook/gitea")[0] == answer(syncer.port, "/site/team/blog")[0] == 404


def test_a_standby_rejects_deliveries(syncer: SyncerProcess, make_syncer: MakeSyncer) -> None:
    assert syncer.ready()
    with make_syncer() as waiting:
        eventually(lambda: answer(waiting.port, "/healthz")[0] == 200)
        assert waiting.deliver(deliveries.gitea_push("https://forge.example.com/x"))[0] == 503


def test_w1_without_a_secret_the_syncer_does_not_start(
    cluster: Cluster, make_syncer: MakeSyncer, tmp_path: Path
) -> None:
    common = ("syncer", "--allowed-hosts", "forge.example.com", "--volume", tmp_path / "v", "--cache", tmp_path / "c")
    refused = pages(*common)
    assert refused.returncode == 2
    assert "--webhook-secret-file" in refused.stderr and "--without-webhooks" in refused.stderr
    contradiction = make_syncer("--without-webhooks").start()
    assert contradiction.process.wait(20) == 2


def test_without_webhooks_only_health_is_answered(cluster: Cluster, tmp_path: Path) -> None:
    kubeconfig = cluster.service_account("pages-syncer", tmp_path)
    port, api_port = free_port(), free_port()
    options = ["--without-webhooks", "--bind", f"127.0.0.1:{api_port}", "--health-bind", f"127.0.0.1:{port}"]
    with SyncerProcess(tmp_path, "syncer", kubeconfig, "forge.example.com", options, secret=False) as running:
        eventually(lambda: answer(port, "/readyz")[0] == 200)
        assert answer(api_port, "/webhook/gitea") == (0, None)
        assert running.running()


def test_a_health_port_in_use_is_explained(syncer: SyncerProcess, make_syncer: MakeSyncer) -> None:
    other = make_syncer("--health-bind", f"127.0.0.1:{syncer.port}").start()
    assert other.process.wait(20) == 1
    assert "--health-bind" in other.output and "in use" in other.output
