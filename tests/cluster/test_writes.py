"""The writes that 300 sites cause, by the API server's audit log.

Metacontroller writes an object if it differs from the answer of a hook, even if the API server then stores nothing new,
which a watch does not show. Without Metacontroller, a player compares the stored objects with the answers.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.support import deliveries
from tests.support.cluster import SyncerProcess
from tests.support.control_plane import SYSTEM, Cluster, ControlPlane, Object
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.operator import Operator, Real, metacontroller, operating
from tests.support.serving import eventually
from tests.support.watching import Watch
from tests.support.writes import Write, Writes

SITES, REPOSITORIES = 300, 15
NAMESPACE = "team-writes"
INDIVIDUAL = {"mode": "Individual", "issuerRef": {"name": "letsencrypt"}}
WILDCARD = {"mode": "Wildcard", "wildcardSecretName": "wildcard"}  # the player does not show Certificates to the hooks


@dataclass
class Full:
    """A settled cluster with all sites. The site `pushed` has a repository of its own."""

    cluster: ControlPlane
    operator: Operator
    syncer: SyncerProcess
    git: GitServer
    watch: Watch
    writes: Writes

    def create(self, *sites: Object) -> None:
        """Create sites, and wait until all are ready and nothing is written any more."""
        for each in sites:
            self.cluster.create("staticsites", each)
        self.watch.until(lambda: self.watch.count("staticsites") >= len(sites), 60)
        self.settle()

    def push(self) -> None:
        """Push to the site, and wait until its status has the commit and nothing is written any more."""
        repository = self.git.repository("pushed")
        commit = repository.commit({"index.html": f"{time.monotonic()}"})
        self.syncer.deliver(deliveries.gitea_push(self.git.url("pushed")))
        eventually(lambda: self._last_commit() == commit)
        self.settle()

    def settle(self) -> None:
        """Wait until every site is ready and nothing has been written for a moment."""
        before = -1
        while (now := len(self.writes.all())) != before:
            before = now
            self.operator.settle()
            self._issue()
            self.operator.settle()
            self.watch.until(lambda: self.watch.ready("staticsites") == self.watch.count("staticsites"), 200)
            time.sleep(2)

    def _issue(self) -> None:
        """Issue the certificates, like cert-manager."""
        ready = {"type": "Ready", "status": "True", "reason": "Ready", "message": "issued"}
        for each in self.cluster.list("certificates"):
            if not each.get("status"):
                self.cluster.write_status("certificates", each["metadata"]["name"], {"conditions": [ready]})

    def real(self) -> Real:
        """The operator, if it is a Metacontroller."""
        if not isinstance(self.operator, Real):
            pytest.skip("Metacontroller was not found; put its executable on the PATH, or set METACONTROLLER")
        return self.operator

    def _last_commit(self) -> str:
        site = self.cluster.get("staticsites", "pushed", NAMESPACE) or {}
        return str(site["status"]["lastCommit"])


@pytest.fixture(scope="module")
def full(control_plane: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    if not isinstance(control_plane, ControlPlane):
        pytest.skip("the audit log of a cluster that is not ours is not available")
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
        pushed = static_site("pushed", NAMESPACE, repo=git.url("pushed"), syncInterval="24h")
        made.create(pushed, *(site_of(git, number) for number in range(SITES - 1)))
        made.writes.forget()
        yield made
    control_plane.delete_all("staticsites", "platforms", "virtualhosts", "ingressroutes", "middlewares", "certificates")


def site_of(git: GitServer, number: int) -> Object:
    return static_site(f"site-{number}", NAMESPACE, repo=git.url(f"r{number % REPOSITORIES}"), syncInterval="30s")


def test_a_push_writes_only_the_status_of_its_site(full: Full) -> None:
    full.writes.forget()
    full.push()
    assert full.writes.all() == [Write("patch", "staticsites/status", "pushed")]


def test_a_new_site_writes_only_its_own_objects(full: Full) -> None:
    full.writes.forget()
    full.create(static_site("new", NAMESPACE, repo=full.git.url("r0"), syncInterval="30s"))
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


def test_an_upgrade_from_the_previous_version_writes_each_virtual_host_once(full: Full) -> None:
    """Its hooks left out `protected` and other fields, and its CRD set their defaults."""
    real = full.real()
    real.metacontroller.stop()
    for host in full.cluster.list("virtualhosts"):
        routes = [{"protected": False, "rulesLeftOut": 0, **route} for route in host["spec"]["routes"]]
        full.cluster.merge("virtualhosts", host["metadata"]["name"], {"spec": {"routes": routes}})
    full.writes.forget()
    real.metacontroller.start()
    full.settle()
    written = Counter(each.kind for each in full.writes.all())
    assert written["virtualhosts"] == full.watch.count("staticsites")
    assert written.keys() == {"virtualhosts", "virtualhosts/status"}
    full.writes.forget()
    _restart_metacontroller(full)
    assert full.writes.all() == []


def _restart_metacontroller(full: Full) -> None:
    """Restart it, and wait until it has synced every VirtualHost."""
    real = full.real()
    real.metacontroller.stop()
    asked = real.hooks.output.count("/virtualhost/sync")
    real.metacontroller.start()
    real.metacontroller.wait_until_ready()
    eventually(lambda: real.hooks.output.count("/virtualhost/sync") >= asked + full.watch.count("staticsites"))
    full.settle()
