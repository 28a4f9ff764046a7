"""Of several syncers one works (F20)."""

import signal
from collections.abc import Callable

from tests.support.cluster import SyncerProcess
from tests.support.control_plane import SYSTEM, Cluster, ControlPlane
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.serving import eventually

MakeSyncer = Callable[..., SyncerProcess]


def holder(cluster: Cluster) -> str:
    lease = cluster.get("leases", "pages-syncer", SYSTEM)
    return str((lease or {}).get("spec", {}).get("holderIdentity", ""))


def test_f20_a_second_syncer_waits_and_says_so_until_the_first_has_ended(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    long = ("--lease", "10m")  # nobody waits for its end here
    first, second = make_syncer(*long).start(), make_syncer(*long)
    first.wait_until_ready()
    mine = holder(cluster)
    with second:
        eventually(lambda: any(mine in problem for problem in second.problems()))
        git_server.repository("blog").commit({"index.html": "one"})
        cluster.apply(static_site("blog", namespace, repo=git_server.url("blog")))
        eventually(lambda: first.page(namespace, "blog") == "one")
        assert not second.lines("site_published")
        first.stop()
        eventually(second.ready)
        assert holder(cluster) not in ("", mine)


def test_f20_a_killed_syncer_is_waited_for_and_replaced(cluster: Cluster, make_syncer: MakeSyncer) -> None:
    first, second = make_syncer().start(), make_syncer()
    first.wait_until_ready()
    with second:
        eventually(lambda: second.problems() != ["it does not answer"])
        first.kill()
        eventually(second.ready)


def test_f20_a_syncer_that_slept_through_its_lease_writes_nothing_when_it_wakes(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    repository = git_server.repository("blog")
    repository.commit({"index.html": "one"})
    first, second = make_syncer().start(), make_syncer()
    first.wait_until_ready()
    with second:
        cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="10s"))
        eventually(lambda: first.page(namespace, "blog") == "one")
        first.signal_all(signal.SIGSTOP)
        eventually(second.ready)
        second.signal_all(signal.SIGSTOP)  # it holds the Lease for a while, and will not publish for us
        repository.commit({"index.html": "two"})
        first.signal_all(signal.SIGCONT)
        eventually(lambda: first.lines("lease_lost"))
        assert first.page(namespace, "blog") == "one"
        assert len(first.lines("site_published")) == 1
        second.signal_all(signal.SIGCONT)
        eventually(lambda: first.page(namespace, "blog") == "two")
    first.stop()


def test_f20_a_syncer_that_cannot_reach_the_api_stops_writing_before_its_lease_is_over(
    restartable: ControlPlane, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    repository = git_server.repository("blog")
    repository.commit({"index.html": "one"})
    with make_syncer() as running:
        running.wait_until_ready()
        restartable.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="10s"))
        eventually(lambda: running.page(namespace, "blog") == "one")
        restartable.stop_api()
        eventually(lambda: running.lines("lease_lost"))
        repository.commit({"index.html": "two"})
        starts = len(running.lines("syncer_started"))
        eventually(lambda: len(running.lines("syncer_started")) > starts)  # and its next process waits for the API
        assert running.page(namespace, "blog") == "one"
        assert not running.ready()
        restartable.start_api()
        eventually(lambda: running.page(namespace, "blog") == "two")
        eventually(running.ready)
