"""`pages syncer` as a process: what it logs, what it says of its health, how it ends."""

import signal
from collections.abc import Callable
from pathlib import Path

from tests.support.cluster import SyncerProcess, condition
from tests.support.control_plane import Cluster, ControlPlane
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.processes import STOP_SECONDS, answer, running_commands
from tests.support.serving import eventually

MakeSyncer = Callable[..., SyncerProcess]


def children_of(group: int) -> list[str]:
    """The command lines of what a program has started, wherever it is now."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent, session = (int(field) for field in (folder / "stat").read_text().rpartition(")")[2].split()[1:4:2])
            if group in (parent, session) and int(folder.name) != group:
                lines.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return lines


def test_each_line_about_a_site_says_which_and_in_which_round(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    cluster.apply(
        static_site("blog", namespace, repo=git_server.url("blog")),
        static_site("gone", namespace, repo=git_server.url("gone")),
    )
    eventually(lambda: syncer.lines("site_published") and syncer.lines("sync_failed"))
    (published,), failed = syncer.lines("site_published"), syncer.lines("sync_failed")[0]
    assert (published["site"], published["files"], published["level"]) == (f"{namespace}/blog", 1, "info")
    assert (failed["site"], failed["reason"], failed["level"]) == (f"{namespace}/gone", "RepoNotFound", "warning")
    assert published["reconcile"] and failed["reconcile"] and published["reconcile"] != failed["reconcile"]
    assert published["repo"] == git_server.url("blog")
    assert published["timestamp"].endswith("Z")


def test_all_that_is_logged_is_json(syncer: SyncerProcess) -> None:
    assert syncer.lines("lease_acquired")
    assert all(line.startswith("{") for line in syncer.output.splitlines())


def test_it_is_healthy_while_the_api_is_away_and_ready_only_where_it_is_at_work(
    restartable: ControlPlane, make_syncer: MakeSyncer
) -> None:
    with make_syncer("--lease", "10m") as running:
        running.wait_until_ready()
        assert answer(running.port, "/healthz") == (200, {"ok": True, "problems": []})
        assert answer(running.port, "/readyz") == (200, {"ok": True, "problems": []})
        restartable.stop_api()
        eventually(lambda: running.lines("watch_failed"))
        assert answer(running.port, "/healthz")[0] == 200, "a new process would find no API either"
        restartable.start_api()
    with make_syncer("--volume", "/dev/null/sites") as running:
        eventually(lambda: any("volume" in problem for problem in running.problems()))
        assert answer(running.port, "/healthz")[0] == 200
        assert answer(running.port, "/readyz")[0] == 503


def test_f4_sigterm_ends_it_in_time_whatever_hangs_and_leaves_nothing(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    git_server.repository("slow").commit({"index.html": "slow"})
    git_server.hang("slow")
    running = make_syncer().start()
    running.wait_until_ready()
    cluster.apply(
        static_site("blog", namespace, repo=git_server.url("blog")),
        static_site("slow", namespace, repo=git_server.url("slow")),
    )
    eventually(lambda: running.page(namespace, "blog") == "one")
    eventually(lambda: any("/slow.git" in request for request in git_server.requests))
    workers = children_of(running.process.pid)
    assert workers
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(STOP_SECONDS) == 0
    assert not children_of(running.process.pid)
    assert running.lines("syncer_stopped")
    eventually(lambda: not running_commands(git_server.url("slow")), STOP_SECONDS)
    found = cluster.get("staticsites", "blog", namespace)
    assert condition(found, "Synced")["status"] == "True", "the last statuses are written"
