"""The syncer on a real API server, with the rights of its own ServiceAccount."""

import signal
from collections.abc import Callable

import pytest

from tests.support.cluster import SyncerProcess, condition
from tests.support.control_plane import Cluster, ControlPlane, Object
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.serving import eventually

MakeSyncer = Callable[..., SyncerProcess]


def site(cluster: Cluster, namespace: str, name: str) -> Object:
    found = cluster.get("staticsites", name, namespace)
    assert found
    return found


def synced(cluster: Cluster, namespace: str, name: str) -> str:
    return str(condition(cluster.get("staticsites", name, namespace), "Synced").get("reason", ""))


def restart_api(cluster: ControlPlane) -> None:
    cluster.stop_api()
    cluster.start_api()


def test_sites_of_all_namespaces_are_published_and_follow_their_branch(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    repository = git_server.repository("blog")
    first = repository.commit({"index.html": "one"})
    other = f"{namespace}-other"
    cluster.namespace(other)
    for each in (namespace, other):
        cluster.apply(static_site("blog", each, repo=git_server.url("blog"), syncInterval="10s"))
    eventually(lambda: syncer.page(namespace, "blog") == syncer.page(other, "blog") == "one")
    eventually(lambda: synced(cluster, namespace, "blog") == "Synced")
    assert site(cluster, namespace, "blog")["status"]["lastCommit"] == first
    repository.commit({"index.html": "two"})
    eventually(lambda: syncer.page(namespace, "blog") == "two")


def test_a_site_that_was_there_before_the_syncer_is_published(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog")))
    with make_syncer() as running:
        eventually(lambda: running.page(namespace, "blog") == "one")


def test_an_edited_site_is_synced_at_once(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"a/index.html": "a", "b/index.html": "b"})
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), path="/a"))
    eventually(lambda: syncer.page(namespace, "blog") == "a")
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), path="/b"))
    eventually(lambda: syncer.page(namespace, "blog") == "b")


def test_a_deleted_site_is_offline_at_once_and_its_files_go_after_the_grace_time(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    with make_syncer("--grace", "1s") as running:
        running.wait_until_ready()
        cluster.apply(static_site("blog", namespace, repo=git_server.url("blog")))
        eventually(lambda: running.page(namespace, "blog") == "one")
        files = running.volume / "releases" / namespace / "blog"
        cluster.delete("staticsites", "blog", namespace=namespace)
        eventually(lambda: running.page(namespace, "blog") is None)
        assert list(files.iterdir())
        eventually(lambda: not files.exists())


def test_a_site_created_anew_never_shows_the_old_content(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    git_server.repository("old").commit({"index.html": "old"})
    git_server.repository("new").commit({"index.html": "new"})
    running = make_syncer().start()
    running.wait_until_ready()
    cluster.apply(static_site("blog", namespace, repo=git_server.url("old")))
    eventually(lambda: running.page(namespace, "blog") == "old")
    running.stop()
    cluster.delete("staticsites", "blog", namespace=namespace)
    git_server.fail("new", 503)
    cluster.apply(static_site("blog", namespace, repo=git_server.url("new"), syncInterval="10s"))
    running.start()
    eventually(lambda: running.page(namespace, "blog") is None)
    git_server.heal("new")
    eventually(lambda: running.page(namespace, "blog") == "new")
    running.stop()


def test_f17_an_api_server_that_restarts_is_followed_on(
    restartable: ControlPlane, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    for name in ("before", "while", "after"):
        git_server.repository(name).commit({"index.html": name})
    restartable.apply(static_site("before", namespace, repo=git_server.url("before")))
    eventually(lambda: syncer.page(namespace, "before") == "before")
    restartable.stop_api()
    eventually(lambda: syncer.lines("watch_failed"))
    restartable.start_api()
    restartable.apply(static_site("after", namespace, repo=git_server.url("after")))
    eventually(lambda: syncer.page(namespace, "after") == "after")
    assert syncer.page(namespace, "before") == "before"
    restartable.delete("staticsites", "before", namespace=namespace)
    eventually(lambda: syncer.page(namespace, "before") is None)
    eventually(syncer.ready)


def test_f17_a_watch_that_is_too_old_begins_anew_with_a_list(
    restartable: ControlPlane, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    """An API server that was restarted knows nothing of what was before: it answers 410 to whoever slept through it."""
    for name in ("stays", "goes", "comes"):
        git_server.repository(name).commit({"index.html": name})
    with make_syncer("--lease", "10m") as running:
        running.wait_until_ready()
        restartable.apply(*(static_site(name, namespace, repo=git_server.url(name)) for name in ("stays", "goes")))
        eventually(lambda: running.page(namespace, "stays") and running.page(namespace, "goes"))
        running.signal_all(signal.SIGSTOP)
        restart_api(restartable)  # nothing of what follows is on its way to the sleeper
        restartable.delete("staticsites", "goes", namespace=namespace)
        restartable.apply(static_site("comes", namespace, repo=git_server.url("comes")))
        restart_api(restartable)
        running.signal_all(signal.SIGCONT)
        eventually(lambda: running.page(namespace, "comes") == "comes")
        eventually(lambda: running.page(namespace, "goes") is None)
        assert running.page(namespace, "stays") == "stays"
        assert any("too old" in line["error"] for line in running.lines("watch_failed")), running.output


def test_f17_an_api_that_forgets_all_sites_removes_none(
    restartable: ControlPlane, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    running = make_syncer("--grace", "1s").start()
    running.wait_until_ready()
    restartable.apply(static_site("blog", namespace, repo=git_server.url("blog")))
    eventually(lambda: running.page(namespace, "blog") == "one")
    running.stop()
    restartable.delete_all("staticsites")
    with running:
        running.wait_until_ready()
        assert running.page(namespace, "blog") == "one"


def test_f18_a_status_that_somebody_else_changed_meanwhile_is_written_all_the_same(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    repository = git_server.repository("blog")
    repository.commit({"index.html": "one"})
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="10s"))
    eventually(lambda: synced(cluster, namespace, "blog") == "Synced")
    second = repository.commit({"index.html": "two"})
    for number in range(40):
        cluster.kubectl("annotate", "ss", "blog", "-n", namespace, f"busy={number}", "--overwrite")
    eventually(lambda: site(cluster, namespace, "blog")["status"]["lastCommit"] == second)
    assert site(cluster, namespace, "blog")["metadata"]["annotations"]["busy"] == "39"


@pytest.mark.parametrize(
    "option", [["--allowed-hosts", ""], ["--lease", "1s"], ["--heartbeat", "soon"], ["--token-key-file", "/dev/null"]]
)
def test_a_mistake_on_the_command_line_is_explained(make_syncer: MakeSyncer, option: list[str]) -> None:
    running = make_syncer(*option).start()
    assert running.process.wait(20) == 2
    assert option[0] in running.output
