"""Rolling back on a real Kubernetes API, and the dashboard of `pages syncer`."""

import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from tests.support.cluster import SyncerProcess
from tests.support.control_plane import Cluster
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.serving import eventually, free_port

MakeSyncer = Callable[..., SyncerProcess]


def get(port: int, path: str = "/") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_a_site_is_pinned_while_the_git_server_is_down_and_the_dashboard_of_the_one_at_work_shows_it(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    repository = git_server.repository("blog")
    old = repository.commit({"index.html": "old"}, message="The first")
    port, standby_port = free_port(), free_port()
    with make_syncer("--lease", "10m", "--dashboard-bind", f"127.0.0.1:{port}") as syncer:
        syncer.wait_until_ready()
        cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="10s"))
        eventually(lambda: syncer.page(namespace, "blog") == "old")
        new = repository.commit({"index.html": "new"}, message="The second")
        eventually(lambda: syncer.page(namespace, "blog") == "new")
        git_server.fail("blog", 500)
        cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="10s", revision=old))
        eventually(lambda: syncer.page(namespace, "blog") == "old")

        def told() -> list[tuple[str, str, bool, bool]]:
            found = cluster.get("staticsites", "blog", namespace) or {}
            releases = found.get("status", {}).get("releases", [])
            return [(each["commit"], each["subject"], each["live"], each["available"]) for each in releases]

        eventually(lambda: told() == [(new, "The second", False, True), (old, "The first", True, True)])
        status, page = get(port, f"/namespaces/{namespace}/sites/blog")
        assert (status, "The second" in page, "pinned" in page) == (200, True, True)
        with make_syncer("--lease", "10m", "--dashboard-bind", f"127.0.0.1:{standby_port}"):
            eventually(lambda: "another syncer is at work" in get(standby_port)[1])
            assert get(standby_port)[0] == 503


@pytest.mark.parametrize("revision", ["--upload-pack=id", "v1^{}", "refs/heads/main", "a..b", "A" * 40])
def test_the_api_refuses_what_is_neither_a_commit_nor_a_tag(cluster: Cluster, namespace: str, revision: str) -> None:
    with pytest.raises(AssertionError, match=r"spec\.revision"):
        cluster.apply(static_site("blog", namespace, repo="https://forge.example.com/x", revision=revision))
