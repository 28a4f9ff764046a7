"""The chart on a real API server: installed by a real helm, its pods admitted by Pod Security "restricted"."""

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.chart import (
    CHART,
    HELMS,
    INSTALL,
    RELEASE,
    RIGHTS,
    VARIANTS,
    containers,
    find,
    helm,
    of_kind,
    pods,
    variant,
)
from tests.support.cluster import Hooks, MetacontrollerProcess
from tests.support.control_plane import ROOT, SYSTEM, TOOLS, Cluster, ControlPlane, Object, tools_are_there
from tests.support.objects import static_site
from tests.support.serving import eventually

RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
CLAIM = "static-sites-data"
OTHERS = (TOOLS / "crds", ROOT / "tests/deploy/crds")


@pytest.fixture(scope="module")
def empty() -> Iterator[ControlPlane]:
    """A cluster of its own, with Traefik's and cert-manager's kinds and a restricted namespace, and nothing of ours."""
    if not tools_are_there():
        pytest.skip("the control plane is not built: run `make tools` once")
    helm("version")
    with ControlPlane() as cluster:
        cluster.apply_files(*OTHERS)
        cluster.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
        labelled = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM, "labels": RESTRICTED}}
        cluster.apply(labelled)
        yield cluster


@pytest.fixture
def cluster_helm(empty: ControlPlane, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator["Helm"]:
    release = Helm(empty, tmp_path, getattr(request, "param", "helm"))
    yield release
    release("uninstall", RELEASE, "--ignore-not-found")
    # Nobody is here who would let a claim go that no pod uses.
    empty.kubectl(
        "patch", "pvc", CLAIM, "-n", SYSTEM, "--type=merge", "-p", '{"metadata": {"finalizers": null}}', check=False
    )
    empty.kubectl("delete", "secret,pvc,platforms", "--all", "-n", SYSTEM, "--timeout=30s")


class Helm:
    """Helm with an administrator's kubeconfig."""

    def __init__(self, cluster: Cluster, folder: Path, program: str) -> None:
        self._options = ("-n", SYSTEM, "--kubeconfig", str(cluster.kubeconfig))
        self._folder = folder
        self._program = program

    def __call__(self, *arguments: str, values: str = "") -> str:
        file = self._folder / "values.yaml"
        file.write_text(yaml.safe_dump(dict(VARIANTS[values]) if values else {}))
        given = ("-f", str(file)) if values else ()
        done = helm(*arguments, *given, *self._options, program=self._program)
        assert done.returncode == 0, done.stderr
        # Its watch of the API server may end before it is read, which is no word about the chart.
        told = [line for line in done.stderr.splitlines() if "reflector.go" not in line]
        assert not any("level=WARN" in line or "Warning" in line for line in told), done.stderr
        return done.stdout


@pytest.mark.parametrize("cluster_helm", HELMS, indirect=True)
def test_one_command_installs_it_and_upgrades_keep_the_secrets(empty: ControlPlane, cluster_helm: "Helm") -> None:
    notes = cluster_helm("install", RELEASE, str(CHART), values="served")
    assert "helm install" not in notes
    assert "https://hello.pages.example.com/" in notes
    assert "https://webhook.pages.example.com/webhook/forgejo" in notes
    platform = empty.get("platforms", "platform")
    assert platform
    assert platform["spec"]["tls"]["issuerRef"]["name"] == "letsencrypt"

    def secret() -> Object:
        found: Object = yaml.safe_load(empty.kubectl("get", "secret", "pages-syncer", "-n", SYSTEM, "-o", "yaml"))[
            "data"
        ]
        return found

    before = secret()
    notes = cluster_helm("upgrade", RELEASE, str(CHART), values="served")
    assert "kubectl apply --server-side" in notes, "CRDs are upgraded by hand"
    assert secret() == before
    cluster_helm("upgrade", RELEASE, str(CHART), values="their-metacontroller")
    assert secret() == before
    assert not empty.kubectl("get", "clusterrole", "pages-operator", "--ignore-not-found")
    cluster_helm("uninstall", RELEASE)
    assert secret() == before
    assert empty.get("platforms", "platform"), "routes and certificates are its"
    cluster_helm("install", RELEASE, str(CHART), values="served")
    assert secret() == before


@pytest.mark.parametrize("cluster_helm", HELMS, indirect=True)
def test_what_was_chosen_can_be_changed_later(empty: ControlPlane, cluster_helm: "Helm") -> None:
    """An object that is there may refuse what a new one would take."""
    cluster_helm("install", RELEASE, str(CHART), values="served")
    for name, options in (
        ("their-metacontroller", ()),
        ("served", ()),
        ("one-pod", ("--set", "persistence.existingClaim=sites-2")),  # a claim's access mode never changes
    ):
        cluster_helm("upgrade", RELEASE, str(CHART), *options, values=name)
        there = yaml.safe_load(empty.kubectl("get", "deployments", "-n", SYSTEM, "-o", "yaml"))["items"]
        wanted = of_kind(variant(name), "Deployment")
        assert {each["metadata"]["name"] for each in there} == {each["metadata"]["name"] for each in wanted}
        for each in wanted:
            (found,) = (one for one in there if one["metadata"]["name"] == each["metadata"]["name"])
            assert found["spec"]["strategy"] == each["spec"]["strategy"], (name, each["metadata"]["name"])


def test_there_is_one_installation_in_a_cluster(empty: ControlPlane, cluster_helm: "Helm") -> None:
    cluster_helm("install", RELEASE, str(CHART))
    second = ("install", "second", str(CHART), "-n", "second", "--create-namespace")
    refused = helm(*second, "--kubeconfig", str(empty.kubeconfig))
    assert refused.returncode == 1
    assert 'must equal "second": current value is "kup6s-pages"' in refused.stderr
    assert not empty.kubectl("get", "deployments,services,pvc", "-n", "second", "-o", "name")


def test_without_values_it_says_what_is_missing(cluster_helm: "Helm") -> None:
    notes = cluster_helm("install", RELEASE, str(CHART))
    assert "No site is served yet" in notes
    assert "--set platform.pagesDomain=" in notes


def test_the_notes_tell_the_next_commands_of_each_installation(empty: ControlPlane, cluster_helm: "Helm") -> None:
    empty.apply_files(CHART / "crds")
    empty.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")

    def notes(values: str) -> str:
        asked = ("install", RELEASE, str(CHART), "--dry-run=server", "--skip-crds", "--set", "namespace.create=false")
        return cluster_helm(*asked, values=values).partition("NOTES:")[2]

    label = "kubectl label namespace kup6s-pages pod-security.kubernetes.io/enforce=restricted"
    theirs = notes("their-metacontroller")
    assert label not in theirs, "it has it"
    assert "calls the hooks" in theirs
    assert "Secret pages-hooks, restart it" in theirs
    empty.kubectl("label", "namespace", SYSTEM, "pod-security.kubernetes.io/enforce-")
    try:
        ours = notes("served")
    finally:
        empty.kubectl("label", "namespace", SYSTEM, "pod-security.kubernetes.io/enforce=restricted")
    assert label in ours
    assert "get pods -A -l app.kubernetes.io/name=metacontroller" in ours
    plain = notes("tls-off")
    assert "http://hello.pages.example.com/" in plain
    assert "http://webhook.pages.example.com/webhook/" in plain
    assert "/webhook/" not in notes("without-webhooks")
    everything = notes("with-everything")
    assert "a namespace with the labels of platform.namespaceSelector" in everything
    assert "https://hooks.example.net/webhook/" in everything
    assert "get secret forges -o" in everything
    assert "port-forward service/pages-dashboard 8084:80" in everything


@pytest.mark.parametrize("cluster_helm", HELMS, indirect=True)
def test_a_dry_run_on_a_server_says_the_same(cluster_helm: "Helm") -> None:
    cluster_helm("install", RELEASE, str(CHART))  # or its kinds would not be known
    assert "MANIFEST" in cluster_helm("upgrade", RELEASE, str(CHART), "--dry-run=server", values="monitored")


@pytest.mark.parametrize("name", VARIANTS)
def test_the_api_server_takes_every_variant_without_a_warning(empty: ControlPlane, name: str) -> None:
    empty.apply_files(CHART / "crds")
    empty.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
    objects = [each for each in variant(name) if each["kind"] != "Namespace"]
    strict = ("--server-side", "--force-conflicts", "--dry-run=server", "--warnings-as-errors", "--validate=strict")
    empty.kubectl("apply", *strict, "-f", "-", stdin=yaml.safe_dump_all(objects))
    made = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": pod["metadata"] | {"name": deployment, "namespace": SYSTEM},
            # Its ServiceAccount is only in the dry run above.
            "spec": {key: value for key, value in pod["spec"].items() if key != "priorityClassName"},
        }
        for deployment, pod in pods(objects).items()
    ]
    empty.kubectl("create", "--dry-run=server", "--warnings-as-errors", "-f", "-", stdin=yaml.safe_dump_all(made))


def test_restricted_admission_refuses_a_pod_that_is_not(empty: ControlPlane) -> None:
    """Or the test above would say nothing."""
    pod = pods(variant("default"))["static-sites-nginx"]
    spec = pod["spec"] | {"securityContext": {}}
    loose = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "loose", "namespace": SYSTEM}, "spec": spec}
    said = empty.kubectl("create", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(loose), check=False)
    assert 'violates PodSecurity "restricted' in said


def test_install_yaml_is_applied_by_kubectl_after_the_kinds(empty: ControlPlane) -> None:
    """As docs/how-to/install.md says it for those without Helm."""
    empty.apply_files(CHART / "crds")
    empty.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
    strict = ("--server-side", "--force-conflicts", "--dry-run=server", "--warnings-as-errors", "--validate=strict")
    empty.kubectl("apply", *strict, "-f", str(ROOT / "deploy/install.yaml"))


def test_the_kinds_are_upgraded_by_the_documented_command(empty: ControlPlane) -> None:
    shown = helm("show", "crds", str(CHART))
    empty.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=shown.stdout)
    names = empty.kubectl("get", "crd", "-o", "name")
    for kind in ("staticsites", "platforms", "virtualhosts"):
        assert f"{kind}.pages.kup6s.com" in names


def test_an_api_server_that_the_policies_would_shut_out_is_noticed(empty: ControlPlane, cluster_helm: "Helm") -> None:
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "kubernetes", "namespace": "default"},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.20.30.40"]}],
        "ports": [{"name": "https", "port": 443, "protocol": "TCP"}],
    }
    empty.apply(slice_)
    try:
        refused = helm("install", RELEASE, str(CHART), "-n", SYSTEM, "--kubeconfig", str(empty.kubeconfig))
        assert refused.returncode == 1
        assert "the API server listens at port 443" in refused.stderr
        assert "networkPolicies.apiServer.ports" in refused.stderr
        cluster_helm("install", RELEASE, str(CHART), "--set", "networkPolicies.apiServer.ports={443}")
    finally:
        empty.kubectl("delete", "endpointslice", "kubernetes", "-n", "default")


@pytest.fixture
def two_sets(empty: ControlPlane, tmp_path: Path) -> Iterator[tuple[Hooks, Hooks]]:
    """The controllers of both kinds of installation side by side, and the hooks that each set names."""
    empty.apply_files(CHART / "crds")
    empty.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
    rights = of_kind(variant("served"), *RIGHTS)
    empty.apply(*rights, *of_kind(variant("their-metacontroller"), "Secret"))
    empty.apply(find(variant("served"), "Platform", "platform"), static_site("blog", "default"))
    (secret,) = (
        each for each in of_kind(variant("their-metacontroller"), "Secret") if each["metadata"]["name"] == "pages-hooks"
    )
    folders = [tmp_path / name for name in ("ours", "theirs", "token")]
    for folder in folders:
        folder.mkdir()
    (folders[2] / "token").write_bytes(base64.b64decode(secret["data"]["token"]))
    with Hooks(folders[0]) as ours, Hooks(folders[1], options=("--tokens", str(folders[2]))) as theirs:
        for hooks, name, url in (
            (ours, "served", "http://127.0.0.1:8080"),
            (theirs, "their-metacontroller", f"http://pages-hooks.{SYSTEM}.svc"),
        ):
            hooks.wait_until_ready()
            for each in of_kind(variant(name), "CompositeController"):
                moved = yaml.safe_load(yaml.safe_dump(each).replace(url, hooks.url))
                moved["metadata"]["name"] += f"-{name}"
                empty.apply(moved)
        yield ours, theirs
    empty.kubectl("delete", "compositecontrollers", "--all")
    empty.kubectl("delete", "staticsites", "--all", "-n", "default")
    empty.kubectl("delete", "platforms,secrets", "--all", "-n", SYSTEM)
    empty.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=yaml.safe_dump_all(rights))


def test_two_metacontrollers_are_kept_apart_by_the_label_of_their_controllers(
    empty: ControlPlane, two_sets: tuple[Hooks, Hooks], tmp_path: Path
) -> None:
    """The bundled one has the chart's option and rights; theirs is an administrator, and shows the token."""
    executable = os.environ.get("METACONTROLLER") or shutil.which("metacontroller")
    if not executable:
        pytest.skip("there is no Metacontroller: put its executable on the PATH, or name it in METACONTROLLER")
    ours, theirs = two_sets
    arguments = containers(pods(variant("served"))["pages-operator"])["metacontroller"]["args"]
    bundled = [each for each in arguments if each.startswith("--target-label-selector=")]
    kubeconfig = empty.service_account("pages-operator", tmp_path)
    with MetacontrollerProcess(tmp_path / "ours", executable, kubeconfig, bundled):
        eventually(lambda: empty.names("ingressroutes") >= {"default--blog"}, 60)
        assert answered(theirs) == 0
    selector = ["--target-label-selector=pages.kup6s.com/metacontroller=cluster"]
    with MetacontrollerProcess(tmp_path / "theirs", executable, empty.kubeconfig, selector):
        before = answered(ours)  # after what the first one still asked as it ended
        eventually(lambda: answered(theirs) > 0, 60)
    assert answered(ours) == before


def answered(hooks: Hooks) -> int:
    """How many questions were answered; one without the token is not."""
    return hooks.output.count("hook_answered")


def test_the_commands_of_the_docs_run_one_after_the_other(empty: ControlPlane) -> None:
    """Those that begin with ``#`` on the pages about installing, upgrading and uninstalling."""
    pages = (ROOT / "docs/how-to" / f"{name}.md" for name in ("install", "upgrade", "uninstall"))
    sessions = [
        session for page in pages for session in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    commands = [line[2:] for session in sessions for line in session.splitlines() if line.startswith("# ")]
    assert len(commands) >= 10
    path = f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"KUBECONFIG": str(empty.kubeconfig), "PATH": path}
    for command in commands:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert "pages.kup6s.com" not in empty.kubectl("get", "crd", "-o", "name")
    everywhere = "clusterroles,clusterrolebindings,compositecontrollers"
    policies = "validatingadmissionpolicies,validatingadmissionpolicybindings"
    ours = ("-l", "app.kubernetes.io/part-of=kup6s-pages", "-o", "name")
    assert not empty.kubectl("get", f"{everywhere},{policies}", *ours), "nothing is left over"


def test_what_the_docs_show_as_a_platform_is_one(empty: ControlPlane) -> None:
    empty.apply_files(CHART / "crds")
    empty.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
    shown = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/how-to/install.md").read_text(), re.DOTALL)
    (platform,) = (each for each in shown if "kind: Platform" in each)
    empty.kubectl("apply", "--dry-run=server", "-f", "-", stdin=platform)


def test_images_are_moved_to_another_registry_as_the_docs_say(empty: ControlPlane, tmp_path: Path) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/how-to/install.md").read_text(), re.DOTALL)
    (kustomization,) = (each for each in shown if each.startswith("resources: [install.yaml]"))
    (tmp_path / "kustomization.yaml").write_text(kustomization)
    (tmp_path / "install.yaml").write_text(INSTALL.read_text())
    objects = list(yaml.safe_load_all(empty.kubectl("kustomize", str(tmp_path))))
    images = {each["image"] for pod in pods(objects).values() for each in containers(pod).values()}
    assert {image.partition("/")[0] for image in images} == {"registry.example.com", "ghcr.io"}
