"""Rules and passwords on a real API server: what the status keeps, and what a namespace has to grant."""

from tests.support.cluster import SyncerProcess, condition
from tests.support.control_plane import Cluster
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.serving import eventually

USERS = "ann:{SHA}ieSV55Qc+eQOaYDRSha/AjzNTJE=\n"


def test_the_status_counts_the_rules_and_lists_problems(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    repository = git_server.repository("blog")
    repository.commit({"index.html": "hello", "_redirects": "/a/* /b/:splat 302\nbad\n", "_headers": "/*\n X-A: b\n"})
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="10s"))

    def rules() -> object:
        return (cluster.get("staticsites", "blog", namespace) or {}).get("status", {}).get("rules")

    expected = {
        "live": 2,
        "noEffect": 0,
        "rejected": 1,
        "problems": [{"file": "_redirects", "line": 2, "message": "there is no target; a line is `from to [status]`"}],
    }
    eventually(lambda: rules() == expected)
    assert "_redirects:2" in condition(cluster.get("staticsites", "blog", namespace), "Synced")["message"]
    repository.commit({"_redirects": None, "_headers": None})
    eventually(lambda: rules() == {"live": 0, "noEffect": 0, "rejected": 0, "problems": []})


def test_a_protected_site_is_closed_until_its_namespace_grants_the_secret(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "internal"})
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "visitors", "namespace": namespace},
            "stringData": {"users": USERS},
        },
        static_site(
            "blog",
            namespace,
            repo=git_server.url("blog"),
            syncInterval="10s",
            basicAuth={"secretRef": {"name": "visitors"}},
        ),
    )

    def synced() -> dict[str, str]:
        return condition(cluster.get("staticsites", "blog", namespace), "Synced")

    users = syncer.volume / "releases" / namespace / "blog" / "users"
    eventually(lambda: synced().get("reason") == "SiteClosed")
    assert not users.exists()
    cluster.kubectl("apply", "-f", "-", stdin=synced()["message"].partition("\n")[2])
    eventually(lambda: synced().get("reason") == "Synced")
    assert users.read_text() == USERS
    cluster.kubectl("delete", "secret", "visitors", "-n", namespace)
    eventually(lambda: synced().get("reason") == "SiteClosed")
    assert not users.exists()
