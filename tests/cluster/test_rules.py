"""Rules and passwords on a real API server: what the status keeps, and what a namespace has to grant."""

from collections.abc import Callable

from tests.support.cluster import SyncerProcess, condition
from tests.support.control_plane import Cluster
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.operator import Player
from tests.support.serving import eventually

USERS = "ann:{SHA}ieSV55Qc+eQOaYDRSha/AjzNTJE=\n"


def test_the_rules_of_the_files_are_in_the_status(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    repository = git_server.repository("blog")
    repository.commit({"index.html": "hello", "_redirects": "/a/* /b/:splat 302\nbad\n", "_headers": "/*\n X-A: b\n"})
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="10s"))

    def rules() -> object:
        return (cluster.get("staticsites", "blog", namespace) or {}).get("status", {}).get("rules")

    message = "there is no target: a line is `from to [status]`"
    said = {
        "redirects": [{"from": "/a/*", "to": "/b/:splat", "status": 302}],
        "headers": [{"for": "/*", "values": {"X-A": "b"}}],
        "problems": [{"file": "_redirects", "line": 2, "message": message}],
    }
    eventually(lambda: rules() == said)
    assert "_redirects line 2" in condition(cluster.get("staticsites", "blog", namespace), "Synced")["message"]
    repository.commit({"_redirects": None, "_headers": None})
    eventually(lambda: rules() == {"redirects": [], "headers": [], "problems": []})


def test_dropped_rules_are_reported_at_their_site(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer, platform: Callable[..., None]
) -> None:
    platform()
    git_server.repository("blog").commit({"index.html": "hello"})
    url, values = git_server.url("blog"), {f"X-{number}": "v" * 2000 for number in range(10)}
    many = [{"for": f"/{number}/*", "values": values} for number in range(20)]
    cluster.apply(
        static_site("greedy", namespace, repo=url, domain="www.example.org", headers=many),
        static_site("modest", namespace, repo=url, domain="www.example.org", pathPrefix="/m", headers=many[:1]),
    )

    def said(name: str, of: str) -> dict[str, str]:
        return condition(cluster.get("staticsites", name, namespace), of)

    Player(cluster, "VirtualHost").settle()
    eventually(lambda: said("greedy", "RulesReady").get("reason") == "TooManyRules")
    message = said("greedy", "RulesReady")["message"]
    assert "9 redirects or header rules do not fit on www.example.org and were dropped" in message
    eventually(
        lambda: said("greedy", "Ready").get("status") == "True" and message in said("greedy", "Ready")["message"]
    )
    eventually(lambda: said("modest", "Ready").get("status") == "True")
    assert said("modest", "RulesReady") == {}
    cluster.apply(static_site("greedy", namespace, repo=url, domain="www.example.org", headers=many[:3]))
    Player(cluster, "VirtualHost").settle()
    eventually(lambda: said("greedy", "RulesReady") == {})


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
