"""A real control plane, the rights and fences of the chart, and our programs with their own ServiceAccounts' tokens.

With PAGES_TEST_KUBECONFIG the same tests run against the cluster that it names, which they take over. Its own
Metacontroller (kind/kustomization.yaml) is used where PAGES_TEST_HOOKS_HOST says at which address of this machine the
cluster's pods reach the hooks.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support import chart, operator
from tests.support.answering import answering
from tests.support.cluster import Hooks, Metacontroller, MetacontrollerPod, MetacontrollerProcess, SyncerProcess
from tests.support.control_plane import SYSTEM, Cluster, ControlPlane, tools_are_there
from tests.support.git_server import GitServer
from tests.support.serving import eventually

GIVEN = os.environ.get("PAGES_TEST_KUBECONFIG")
HOOKS_HOST = os.environ.get("PAGES_TEST_HOOKS_HOST", "127.0.0.1")
KINDS = ("platforms", "staticsites", "virtualhosts", "ingressroutes", "middlewares", "certificates")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file on one worker, whose control plane its tests share one after the other; a given cluster has but one."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("cluster" if GIVEN else item.path.stem))


@pytest.fixture(scope="session")
def control_plane() -> Iterator[Cluster]:
    if GIVEN:
        with Cluster(Path(GIVEN)) as given:
            chart.prepare(given, others=False)
            yield given
    elif tools_are_there():
        with ControlPlane() as own:
            chart.prepare(own)
            own.start_controllers()
            yield own
    else:
        pytest.skip("the control plane is not built: run `make tools` once (5 to 10 minutes)")


@pytest.fixture
def cluster(control_plane: Cluster) -> Iterator[Cluster]:
    """The cluster, without objects of the test before."""
    yield control_plane
    control_plane.delete_all(*KINDS)
    eventually(lambda: not any(map(control_plane.list, KINDS)))
    control_plane.kubectl("delete", "lease", "pages-syncer", "-n", SYSTEM, "--ignore-not-found")


@pytest.fixture
def restartable(cluster: Cluster) -> ControlPlane:
    """The cluster, where its API server is ours to stop."""
    if not isinstance(cluster, ControlPlane):
        pytest.skip("the API server of a given cluster is not stopped")
    return cluster


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    """A tenant's namespace, new for each test."""
    name = f"team-{secrets.token_hex(3)}"
    cluster.namespace(name)
    return name


@pytest.fixture
def platform(cluster: Cluster) -> Callable[..., None]:
    """Makes or changes the Platform."""

    def make(**spec: Any) -> None:
        written = {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}, **spec}
        cluster.apply(
            {
                "apiVersion": "pages.kup6s.com/v1beta1",
                "kind": "Platform",
                "metadata": {"name": "platform", "namespace": SYSTEM},
                "spec": written,
            }
        )

    return make


@pytest.fixture
def make_syncer(cluster: Cluster, git_server: GitServer, tmp_path: Path) -> Iterator[Callable[..., SyncerProcess]]:
    """Makes syncers that are not started yet; all share one volume."""
    made: list[SyncerProcess] = []
    kubeconfig = cluster.service_account("pages-syncer", tmp_path)

    def make(*options: str) -> SyncerProcess:
        made.append(SyncerProcess(tmp_path, f"syncer-{len(made)}", kubeconfig, git_server.origin, options))
        return made[-1]

    yield make
    for each in made:
        if each.running():
            each.kill()


@pytest.fixture
def syncer(make_syncer: Callable[..., SyncerProcess]) -> Iterator[SyncerProcess]:
    """A syncer at work."""
    with make_syncer() as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    with Hooks(tmp_path_factory.mktemp("hooks"), HOOKS_HOST) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def metacontroller(
    control_plane: Cluster, hooks: Hooks, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Metacontroller]:
    """Metacontroller with our two controllers, and the rights of pages-operator."""
    program = _metacontroller(control_plane, tmp_path_factory.mktemp("metacontroller"))
    operator.connect(control_plane, hooks)
    with program:
        program.wait_until_ready()
        yield program
    control_plane.kubectl("delete", "compositecontrollers", "pages-platform", "pages-virtualhost")


def _metacontroller(cluster: Cluster, folder: Path) -> MetacontrollerPod | MetacontrollerProcess:
    if GIVEN and "PAGES_TEST_HOOKS_HOST" in os.environ:
        return MetacontrollerPod(cluster)
    executable = operator.metacontroller()
    if not executable:
        pytest.skip("there is no Metacontroller: put its executable on the PATH, or name it in METACONTROLLER")
    return MetacontrollerProcess(folder, executable, cluster.service_account("pages-operator", folder))


@pytest.fixture
def failing_server() -> Iterator[Callable[[int], None]]:
    """Answers every request to a port with 500; port 0 stops it."""
    running = ExitStack()

    def serve(port: int) -> None:
        running.close()
        if port:
            running.enter_context(answering(ThreadingHTTPServer((HOOKS_HOST, port), _Failing)))

    with running:
        yield serve


class _Failing(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_error(500)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""
