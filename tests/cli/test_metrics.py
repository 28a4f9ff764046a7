"""What a syncer at work tells Prometheus: `pages serve`, after real syncs, pushes, failures and webhooks."""

import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from syncer.metrics import counted, observed
from tests.support import deliveries, metrics
from tests.support.deliveries import Sent
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.serving import Serving, eventually, free_port

# What is only there once something special has happened.
SPECIAL = {"pages_commit_statuses"}
pytestmark = pytest.mark.xdist_group("serve-metrics")


class Served(Serving):
    """A `pages serve` with metrics, and the folder of its manifests."""

    def __init__(self, folder: Path, server: GitServer, *options: str) -> None:
        self.folder = folder
        self.server = server
        self.metrics_port = free_port()
        secret = folder / "secret"
        secret.write_bytes(deliveries.SECRET)
        arguments: list[str | Path] = [folder / "manifests", "--allowed-hosts", server.origin]
        arguments += ["--webhook-secret-file", secret, "--metrics-bind", f"127.0.0.1:{self.metrics_port}", *options]
        super().__init__(folder / "state", arguments)

    def page(self) -> metrics.Page:
        return metrics.page(self.metrics_port)

    def deliver(self, sent: Sent, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            where = {"Host": "webhook.pages.localhost", **sent.headers, **headers}
            connection.request("POST", f"/webhook/{sent.forge}", sent.body, where)
            return connection.getresponse().status
        finally:
            connection.close()


def write(folder: Path, server: GitServer, *names: str) -> None:
    (folder / "manifests").mkdir(exist_ok=True)
    for name in names:
        manifest = static_site(name, repo=server.url(name), syncInterval="24h")
        (folder / f"manifests/{name}.yaml").write_text(yaml.safe_dump(manifest))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with GitServer(tmp_path_factory.mktemp("repositories")) as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, server: GitServer) -> Iterator[Served]:
    """Two sites, of which one has a repository; it was pushed to once more, and webhooks have told so."""
    tmp_path, git_server = tmp_path_factory.mktemp("served"), server
    git_server.repository("blog").commit({"index.html": "one", "a.css": "a", "b.css": "b"})
    write(tmp_path, git_server, "blog", "gone")
    with Served(tmp_path, git_server) as running:
        eventually(lambda: running.page().value("pages_syncs_total", result="published", reason="") == 1)
        git_server.repository("blog").commit({"index.html": "number two"})
        push = deliveries.gitea_push(git_server.url("blog"))
        assert [running.deliver(push), running.deliver(push)] == [202, 200]
        assert running.deliver(deliveries.gitea_push(git_server.url("blog"), secret=b"wrong")) == 401
        assert running.deliver(Sent("github", {"Content-Type": "text/plain"}, b"x")) in {400, 401, 415}
        eventually(lambda: running.page().value("pages_syncs_total", result="published", reason="") == 2)
        yield running


def test_what_was_done_is_counted_under_concurrency(served: Served) -> None:
    with ThreadPoolExecutor(8) as pool:
        pages = [each.result() for each in [pool.submit(served.page) for _ in range(24)]]
    assert all(metrics.mistakes(page.text) == [] for page in pages)
    page = pages[-1]
    assert page.total("pages_syncs_total", result="failed", reason="RepoNotFound") >= 1
    assert page.total("pages_sync_duration_seconds_count") == page.total("pages_syncs_total")
    assert page.value("pages_releases_written_total") == 2
    assert page.value("pages_release_files_total", how="written") == 4
    assert (
        page.total("pages_release_files_total", how="linked") + page.total("pages_release_files_total", how="copied")
        == 2
    )
    assert page.value("pages_release_written_bytes_total") == len("oneab") + len("number two")
    assert page.value("pages_git_requests_total", kind="fetch", by="http", outcome="ok") == 2
    assert page.total("pages_git_requests_total", kind="ask", by="http") >= 3
    assert page.total("pages_git_requests_total", kind="ask", by="git") >= 1, "a 404 is asked again by git"
    assert (page.value("pages_git_received_bytes_total") or 0) > 500
    assert page.value("pages_webhook_deliveries_total", forge="gitea", outcome="queued") == 1
    assert page.value("pages_webhook_deliveries_total", forge="gitea", outcome="duplicate") == 1
    assert page.value("pages_webhook_deliveries_total", forge="gitea", outcome="refused") == 1
    assert page.total("pages_webhook_deliveries_total", forge="github") == 1


def test_what_there_is_to_see_is_shown(served: Served) -> None:
    page = served.page()
    assert page.value("pages_syncer_leader") == 1
    assert page.value("pages_sources") == 2
    assert page.value("pages_sites", condition="Synced", status="True") == 1
    assert page.value("pages_sites", condition="Synced", status="False") == 1
    assert page.value("pages_sites_not_true", condition="Synced", reason="RepoNotFound") == 1
    assert page.value("pages_site_synced", site_namespace="team", site_name="blog") == 1
    assert page.value("pages_site_synced", site_namespace="team", site_name="gone") == 0
    synced_at = page.value("pages_site_last_success_timestamp_seconds", site_namespace="team", site_name="blog")
    assert synced_at and synced_at > (page.value("process_start_time_seconds") or 0)
    for disk in ("volume", "cache"):
        size, free = (page.value(f"pages_disk_{what}_bytes", disk=disk) for what in ("size", "free"))
        assert size and free and size >= free
    assert page.value("pages_volume_writable") == 1
    assert page.value("pages_build_info", version="0.1.0") == 1


def test_the_page_follows_the_conventions_and_has_every_metric(served: Served) -> None:
    page = served.page()
    assert metrics.mistakes(page.text) == []
    defined = {each.name.removesuffix("_total") for each in (*counted.METRICS, *observed.METRICS)}
    assert defined - SPECIAL == {family.name for family in page.families() if family.samples} & defined
    if metrics.PROMTOOL.exists():
        assert metrics.promtool_complaints(page.text) == ""


def test_k1_w8_the_port_knows_only_one_page_and_no_secret(served: Served) -> None:
    for path in ("/", "/healthz", "/site/team/blog", "/webhook/gitea", "/metrics/..", "/metrics?x=y/../site"):
        status, _, body = metrics.scrape(served.metrics_port, path)
        assert (status == 200) == path.startswith("/metrics?"), path
        assert deliveries.SECRET.decode() not in body
    token = served.statuses()["team/blog"]["syncToken"]
    assert token not in served.page().text
    assert metrics.scrape(served.metrics_port, method="POST")[0] == 405


def test_connections_that_are_kept_idle_cost_no_end_of_threads(served: Served) -> None:
    idle = [socket.create_connection(("127.0.0.1", served.metrics_port), timeout=20) for _ in range(100)]
    try:
        refused = [each for each in idle if ended(each)]
        assert len(refused) >= 100 - 32
    finally:
        for each in idle:
            each.close()
    eventually(lambda: answers(served.metrics_port))


def ended(connection: socket.socket) -> bool:
    """Whether the other side hung up within a moment."""
    connection.settimeout(0.5)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def answers(port: int) -> bool:
    try:
        return metrics.scrape(port)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def test_nothing_of_a_site_stays_when_it_goes(served: Served) -> None:
    (served.folder / "manifests/gone.yaml").unlink()
    eventually(lambda: "gone" not in served.page().text)
    assert served.page().value("pages_sites", condition="Synced", status="False") == 0


@pytest.mark.parametrize(("options", "shown"), [(["--no-site-metrics"], 0), (["--site-metrics-max", "1"], 1)])
def test_sites_have_metrics_of_their_own_as_far_as_is_wanted(
    tmp_path: Path, git_server: GitServer, options: list[str], shown: int
) -> None:
    for name in ("one", "two"):
        git_server.repository(name).commit({"index.html": name})
    write(tmp_path, git_server, "one", "two")
    with Served(tmp_path, git_server, *options) as running:
        page = metrics.page_when(
            running.page, lambda now: now.total("pages_sites", condition="Synced", status="True") == 2
        )
    named = [labels["site_name"] for name, labels, _ in page.series() if name == "pages_site_synced"]
    assert named == ["one", "two"][:shown]
    assert page.value("pages_sites_omitted") == 2 - shown


def test_no_port_is_opened_unless_asked_for(tmp_path: Path, git_server: GitServer) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    write(tmp_path, git_server, "blog")
    with Serving(tmp_path / "state", [tmp_path / "manifests", "--allowed-hosts", git_server.origin]) as running:
        status, body, _ = running.get("blog.pages.localhost", "/metrics")
        assert (status, "pages_" in body) == (404, False)
