"""Events on a real API server, as kubectl shows them; and the metrics of the same syncer."""

import json
from collections.abc import Callable

from tests.support import chart, metrics
from tests.support.cluster import SyncerProcess, condition
from tests.support.control_plane import Cluster, Object
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.operator import Player
from tests.support.serving import eventually

MakeSyncer = Callable[..., SyncerProcess]
PASSWORD = "canary-5d1f"


def listed(cluster: Cluster, namespace: str) -> list[Object]:
    found: list[Object] = json.loads(cluster.kubectl("get", "events", "-n", namespace, "-o", "json"))["items"]
    return found


def described(cluster: Cluster, namespace: str, name: str) -> str:
    """What `kubectl describe` shows of a site's Events, with single spaces."""
    shown = cluster.kubectl("describe", "staticsite", name, "-n", namespace)
    return "\n".join(" ".join(line.split()) for line in shown.partition("\nEvents:")[2].splitlines())


def test_kubectl_describe_shows_what_was_deployed_what_failed_and_what_is_fine_again(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    blog = git_server.repository("blog")
    blog.commit({"index.html": "one", "a.css": "a"})
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="30s"))
    eventually(lambda: "Deployed" in described(cluster, namespace, "blog"))
    head = blog.head()[:12]
    assert "Normal Deployed" in described(cluster, namespace, "blog")
    assert f"pages-syncer commit {head} is live: 2 files changed, 0 removed, in " in described(
        cluster, namespace, "blog"
    )
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), branch="other", syncInterval="30s"))
    eventually(lambda: "Warning BranchNotFound" in described(cluster, namespace, "blog"))
    assert "the repository has no branch 'other'" in described(cluster, namespace, "blog")
    assert "Deployed" in cluster.kubectl("events", "-n", namespace, "--for", "staticsite/blog")


def test_nothing_is_said_per_poll_nor_again_after_a_restart(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    for starts in range(1, 3):
        with make_syncer() as running:
            running.wait_until_ready()
            cluster.apply(static_site("blog", namespace, repo=git_server.url("blog")))
            cluster.apply(static_site("gone", namespace, repo=git_server.url("gone")))
            for polls in range(1, 4):
                asked = f"{starts}-{polls}"
                for name in ("blog", "gone"):
                    cluster.kubectl(
                        *("annotate", "staticsite", name, "-n", namespace, "--overwrite"),
                        f"pages.kup6s.com/requestedAt={asked}",
                    )
                    eventually(lambda: handled(cluster, namespace, name) == asked)  # noqa: B023 - called at once
    found = [(each["involvedObject"]["name"], each["reason"], each["count"]) for each in listed(cluster, namespace)]
    assert sorted(found) == [("blog", "Deployed", 1), ("gone", "RepoNotFound", 1)]


def handled(cluster: Cluster, namespace: str, name: str) -> str | None:
    found = cluster.get("staticsites", name, namespace) or {}
    handled_request: str | None = found.get("status", {}).get("lastHandledRequest")
    return handled_request


def test_a_rejected_site_learns_of_it_once(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer, platform: Callable[..., None]
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    platform()
    cluster.apply(static_site("first", namespace, repo=git_server.url("blog"), domain=f"{namespace}.example.org"))
    Player(cluster, "VirtualHost").settle()
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), domain=f"{namespace}.example.org"))
    for _ in range(2):
        Player(cluster, "VirtualHost").settle()
        eventually(lambda: "Warning PathConflict" in described(cluster, namespace, "blog"))
    eventually(lambda: "Normal Deployed" in described(cluster, namespace, "blog"))
    about = [each for each in listed(cluster, namespace) if each["involvedObject"]["name"] == "blog"]
    assert sorted((each["reason"], each["count"]) for each in about) == [("Deployed", 1), ("PathConflict", 1)]


def test_where_events_are_forbidden_the_site_is_live_all_the_same_and_the_metrics_say_so(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    rules = json.loads(cluster.kubectl("get", "clusterrole", "pages-syncer", "-o", "json"))["rules"]
    less = [rule for rule in rules if "events" not in rule["resources"]]
    try:
        cluster.kubectl("patch", "clusterrole", "pages-syncer", "--type=merge", "-p", json.dumps({"rules": less}))
        cluster.apply(static_site("blog", namespace, repo=git_server.url("blog")))
        eventually(lambda: syncer.page(namespace, "blog") == "one")
        eventually(lambda: syncer.lines("event_not_written"))
        eventually(lambda: condition(cluster.get("staticsites", "blog", namespace), "Synced").get("status") == "True")
        assert listed(cluster, namespace) == []
    finally:
        chart.prepare(cluster)
    page = metrics.page_when(
        lambda: metrics.page(syncer.metrics_port), lambda now: now.value("pages_events_total", result="failed") == 1
    )
    assert page.value("pages_status_writes_total", result="written")


def test_k1_the_password_of_a_repository_shows_in_no_event_and_no_metric(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    git_server.require("blog", "git", "another")
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "git", "namespace": namespace},
            "stringData": {"password": PASSWORD},
        }
    )
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), secretRef={"name": "git"}))
    eventually(lambda: "Warning SecretForbidden" in described(cluster, namespace, "blog"))
    found = cluster.get("staticsites", "blog", namespace)
    grant = condition(found, "Synced")["message"].partition("\n")[2]
    cluster.kubectl("apply", "-f", "-", stdin=grant.partition("; the last good release")[0])
    eventually(lambda: "Warning AuthFailed" in described(cluster, namespace, "blog"))
    assert PASSWORD not in json.dumps(listed(cluster, namespace))
    page = metrics.page(syncer.metrics_port)
    assert PASSWORD not in page.text
    assert page.value("pages_syncer_leader") == 1
    assert metrics.mistakes(page.text) == []


def test_one_that_waits_says_that_it_does_not_lead(
    cluster: Cluster, syncer: SyncerProcess, make_syncer: MakeSyncer
) -> None:
    with make_syncer() as waiting:
        eventually(lambda: any("another syncer" in problem for problem in waiting.problems()))
        page = metrics.page(waiting.metrics_port)
        assert page.value("pages_syncer_leader") == 0
        assert page.value("pages_sources") is None
    assert metrics.page(syncer.metrics_port).value("pages_syncer_leader") == 1


def test_a_volume_that_cannot_be_used_shows_in_the_metrics(cluster: Cluster, make_syncer: MakeSyncer) -> None:
    with make_syncer("--volume", "/dev/null/sites") as running:
        eventually(lambda: any("volume" in problem for problem in running.problems()))
        page = metrics.page_when(
            lambda: metrics.page(running.metrics_port), lambda now: now.value("pages_volume_writable") == 0
        )
        assert page.value("pages_syncer_last_round_timestamp_seconds") is None, "it is not stuck"
