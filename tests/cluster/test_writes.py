"""What 300 sites make Metacontroller and the syncer write, by the API server's audit log.

Metacontroller writes what its comparison finds different, even where the API server then stores nothing new: no watch
tells of that. Where there is no Metacontroller, a player compares what is stored with what the hooks answer.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.cluster.test_webhooks import deliver
from tests.support import deliveries
from tests.support.cluster import SyncerProcess, static_site
from tests.support.control_plane import SYSTEM, Cluster, ControlPlane, Object
from tests.support.git_server import GitServer
from tests.support.operator import Operator, Real, metacontroller, operating
from tests.support.serving import eventually
from tests.support.watching import Watch
from tests.support.writes import Write, Writes

SITES, REPOSITORIES = 300, 15
NAMESPACE = "team-writes"
INDIVIDUAL = {"mode": "Individual", "issuerRef": {"name": "letsencrypt"}}
WILDCARD = {"mode": "Wildcard", "wildcardSecretName": "wildcard"}  # the player shows the hooks no Certificate's status


@dataclass
class Full:
    """A cluster that has settled with all its sites. Nothing else is there; `pushed` has a repository for itself."""

    cluster: ControlPlane
    operator: Operator
    syncer: SyncerProcess
    git: GitServer
    watch: Watch
    writes: Writes

    def create(self, *sites: Object) -> None:
        """Create sites, and wait until all there are is ready and nothing is written any more."""
        for each in sites:
            self.cluster.create("staticsites", each)
        self.watch.until(lambda: self.watch.count("staticsites") >= len(sites), 60)
        self.settle()

    def push(self) -> None:
        """Push to the site, and wait until its status tells the commit and everything is at rest."""
        repository = self.git.repository("pushed")
        commit = repository.commit({"index.html": f"{time.monotonic()}"})
        deliver(self.syncer, deliveries.gitea_push(self.git.url("pushed")))
        eventually(lambda: self._last_commit() == commit)
        self.settle()

    def settle(self) -> None:
        """Go on once every site is ready and nothing has been written for a moment."""
        before = -1
        while (now := len(self.writes.all())) != before:
            before = now
            self.operator.settle()
            self._issue()
            self.operator.settle()
            self.watch.until(lambda: self.watch.ready("staticsites") == self.watch.count("staticsites"), 200)
            time.sleep(2)

    def _issue(self) -> None:
        """What cert-manager would do."""
        ready = {"type": "Ready", "status": "True", "reason": "Ready", "message": "issued"}
        for each in self.cluster.list("certificates"):
            if not each.get("status"):
                self.cluster.set_status("certificates", each["metadata"]["name"], {"conditions": [ready]})

    def real(self) -> Real:
        """The operator, where it is a Metacontroller."""
        if not isinstance(self.operator, Real):
            pytest.skip("there is no Metacontroller: put its executable on the PATH, or name it in METACONTROLLER")
        return self.operator

    def _last_commit(self) -> str:
        site = self.cluster.get("staticsites", "pushed", NAMESPACE) or {}
        return str(site["status"]["lastCommit"])


@pytest.fixture(scope="module")
def full(control_plane: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    if not isinstance(control_plane, ControlPlane):
        pytest.skip("the API server of a given cluster keeps no audit log for us")
    folder = tmp_path_factory.mktemp("writes")
    (folder / "repositories").mkdir()
    control_plane.namespace(NAMESPACE)
    control_plane.apply(
        {
            "apiVersion": "pages.kup6s.com/v1beta1",
            "kind": "Platform",
            "metadata": {"name": "platform", "namespace": SYSTEM},
            "spec": {
                "pagesDomain": "pages.example.com",
                "tls": INDIVIDUAL if metacontroller() else WILDCARD,
                "ingress": {"redirectHTTP": True},
            },
        }
    )
    with ExitStack() as stack:
        git = stack.enter_context(GitServer(folder / "repositories"))
        for number in range(REPOSITORIES):
            git.repository(f"r{number}").commit({"index.html": f"{number}"})
        git.repository("pushed").commit({"index.html": "first"})
        kubeconfig = control_plane.service_account("pages-syncer", folder)
        watch = stack.enter_context(Watch(control_plane, "staticsites"))
        operator = stack.enter_context(operating(control_plane, folder))
        syncer = stack.enter_context(SyncerProcess(folder, "syncer", kubeconfig, git.origin))
        made = Full(control_plane, operator, syncer, git, watch, Writes(control_plane))
        pushed = static_site(NAMESPACE, "pushed", git.url("pushed"), syncInterval="24h")
        made.create(pushed, *(site_of(git, number) for number in range(SITES - 1)))
        made.writes.forget()
        yield made
    control_plane.delete_all("staticsites", "platforms", "virtualhosts", "ingressroutes", "middlewares", "certificates")


def site_of(git: GitServer, number: int) -> Object:
    return static_site(NAMESPACE, f"site-{number}", git.url(f"r{number % REPOSITORIES}"), syncInterval="30s")


def test_a_push_writes_the_status_of_its_site_and_nothing_else(full: Full) -> None:
    full.writes.forget()
    full.push()
    assert full.writes.all() == [Write("patch", "staticsites/status", "pushed")]


def test_a_new_site_writes_its_own_objects_and_nothing_else(full: Full) -> None:
    full.writes.forget()
    full.create(static_site(NAMESPACE, "new", full.git.url("r0"), syncInterval="30s"))
    domain, own = "new.pages.example.com", f"{NAMESPACE}--new"
    certificates = [("certificates", "new-pages-example-com-tls")] if metacontroller() else []
    objects = [(each.kind, each.name) for each in full.writes.all() if not each.kind.endswith("/status")]
    assert sorted(objects) == [
        *certificates,
        ("ingressroutes", f"{domain}-https"),
        ("ingressroutes", own),
        ("middlewares", f"{domain}-https"),
        ("middlewares", f"{own}-headers"),
        ("middlewares", f"{own}-prefix"),
        ("virtualhosts", domain),
    ]
    statuses = {(each.kind, each.name) for each in full.writes.all() if each.kind.endswith("/status")}
    assert statuses == {
        ("virtualhosts/status", domain),
        ("platforms/status", "platform"),
        ("staticsites/status", "new"),
    }


def test_a_restart_of_the_syncer_writes_nothing(full: Full) -> None:
    full.writes.forget()
    full.syncer.stop()
    full.git.requests.clear()
    full.syncer.start()
    eventually(lambda: len(full.git.requests) > REPOSITORIES)
    full.settle()
    assert full.writes.all() == []


def test_a_restart_of_metacontroller_writes_nothing(full: Full) -> None:
    full.writes.forget()
    _restart_metacontroller(full)
    assert full.writes.all() == []


def test_a_restart_of_the_hooks_writes_nothing(full: Full) -> None:
    hooks = full.real().hooks
    hooks.stop()
    hooks.start().wait_until_ready()
    full.writes.forget()
    full.push()
    assert full.writes.all() == [Write("patch", "staticsites/status", "pushed")]


def test_objects_of_the_version_before_are_written_once(full: Full) -> None:
    """It left `protected` and others out, and the kind of that version filled them up."""
    real = full.real()
    real.metacontroller.stop()
    for host in full.cluster.list("virtualhosts"):
        routes = [{"protected": False, "rulesLeftOut": 0, **route} for route in host["spec"]["routes"]]
        full.cluster.merge("virtualhosts", host["metadata"]["name"], {"spec": {"routes": routes}})
    full.writes.forget()
    real.metacontroller.start()
    full.settle()
    written = Counter(each.kind for each in full.writes.all() if "/" not in each.kind)
    assert written == {"virtualhosts": full.watch.count("staticsites")}
    full.writes.forget()
    _restart_metacontroller(full)
    assert full.writes.all() == []


def _restart_metacontroller(full: Full) -> None:
    """And wait until it has looked at every VirtualHost."""
    real = full.real()
    real.metacontroller.stop()
    asked = real.hooks.output.count("/virtualhost/sync")
    real.metacontroller.start()
    real.metacontroller.wait_until_ready()
    eventually(lambda: real.hooks.output.count("/virtualhost/sync") >= asked + full.watch.count("staticsites"))
    full.settle()
