"""The chart in every variant: objects match strict schemas, and pods pass a security review."""

import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from cli import main
from tests.support import schemas
from tests.support.chart import CHART, HELMS, VARIANTS, containers, find, helm, of_kind, pods, render, variant
from tests.support.control_plane import SYSTEM, Object, tool

SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "privileged": False,
    "capabilities": {"drop": ["ALL"]},
}


@pytest.mark.parametrize("program", HELMS)
@pytest.mark.parametrize("name", VARIANTS)
def test_helm_lint_reports_no_problem(name: str, program: str) -> None:
    command = ("lint", "--strict", str(CHART), "-n", SYSTEM, "-f", "-")
    done = helm(*command, stdin=yaml.safe_dump(dict(VARIANTS[name])), program=program)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", VARIANTS)
def test_helm_3_and_helm_4_render_the_same(name: str) -> None:
    assert without_chance(render(VARIANTS[name], program="helm3")) == without_chance(variant(name))


def without_chance(objects: list[Object]) -> list[Object]:
    """The objects in their order, without the values of generated Secrets."""
    return [each | {"data": sorted(each["data"])} if each["kind"] == "Secret" else each for each in objects]


def test_every_object_of_every_variant_matches_strict_schemas(tmp_path: Path) -> None:
    for name in VARIANTS:
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump_all(variant(name)))
    done = kubeconform(tmp_path, *(tmp_path / f"{name}.yaml" for name in VARIANTS))
    assert done.returncode == 0, done.stdout
    assert "Skipped: 0" in done.stdout


def test_the_schemas_reject_unknown_fields(tmp_path: Path) -> None:
    """Otherwise the test above would prove nothing."""
    service = find(variant("default"), "Service", "static-sites-nginx")
    route = find(variant("served"), "IngressRoute", "pages-webhook")
    for number, wrong in enumerate(
        (
            service | {"spec": service["spec"] | {"slector": {}}},
            service | {"spec": service["spec"] | {"ports": "80"}},
            route | {"spec": route["spec"] | {"entrypoints": ["web"]}},
            service | {"kind": "Servise"},
        )
    ):
        file = tmp_path / f"{number}.yaml"
        file.write_text(yaml.safe_dump(wrong))
        assert kubeconform(tmp_path, file).returncode == 1, wrong


def kubeconform(folder: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    made = folder / "schemas"
    made.mkdir(exist_ok=True)
    location = schemas.write(made)
    command = [tool("kubeconform"), "-strict", "-summary", "-schema-location", location, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_container_is_unprivileged_and_has_limits(name: str) -> None:
    for deployment, pod in pods(variant(name)).items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 10000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec)
        for container in containers(pod).values():
            where = f"{deployment}/{container['name']}"
            assert container["securityContext"] == SECURITY, where
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), where
            assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"]["limits"]), where
            assert "env" not in container, "secrets are files, and nothing else is set by the environment"
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= {"emptyDir", "configMap", "secret", "projected", "persistentVolumeClaim"}
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""}), volume


@pytest.mark.parametrize("name", VARIANTS)
def test_only_metacontroller_and_the_syncer_have_a_token(name: str) -> None:
    objects = variant(name)
    assert all(each["automountServiceAccountToken"] is False for each in of_kind(objects, "ServiceAccount"))
    for pod in pods(objects).values():
        assert pod["spec"]["automountServiceAccountToken"] is False
        with_token = {
            each["name"]
            for each in containers(pod).values()
            if any(mount["name"] == "api-token" for mount in each.get("volumeMounts", []))
        }
        assert with_token <= {"metacontroller", "syncer"}


def test_with_the_clusters_metacontroller_the_operator_has_no_token_and_no_rights() -> None:
    objects = variant("their-metacontroller")
    assert set(containers(pods(objects)["pages-operator"])) == {"hooks"}
    assert "api-token" not in str(pods(objects)["pages-operator"])
    rights = of_kind(objects, "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    assert not [each for each in rights if "operator" in each["metadata"]["name"]]


@pytest.mark.parametrize("name", VARIANTS)
def test_nginx_mounts_only_live_and_releases_read_only(name: str) -> None:
    for pod in pods(variant(name)).values():
        for each in containers(pod).values():
            if "nginx" in each["image"]:
                mounts = [mount for mount in each["volumeMounts"] if mount["name"] == "sites"]
                assert mounts
                assert all(mount["readOnly"] for mount in mounts)
            if each["name"] == "nginx":
                assert {mount["mountPath"]: mount["subPath"] for mount in mounts} == {
                    "/sites/live": "live",
                    "/sites/releases": "releases",
                }


def test_with_a_readwriteonce_volume_nginx_and_syncer_share_a_pod() -> None:
    objects = variant("one-pod")
    assert set(pods(objects)) == {"pages-operator", "pages-syncer"}
    pod = pods(objects)["pages-syncer"]
    assert set(containers(pod)) == {"make-folders", "syncer", "nginx"}
    ports = [port["containerPort"] for each in containers(pod).values() for port in each.get("ports", [])]
    assert len(ports) == len(set(ports)), "they share one address"
    assert "readinessProbe" not in containers(pod)["syncer"], "sites are served while the syncer cannot work"
    service = find(objects, "Service", "static-sites-nginx")
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert not of_kind(objects, "PodDisruptionBudget")
    assert find(objects, "Deployment", "pages-syncer")["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_service_targets_a_named_port_of_a_pod(name: str) -> None:
    objects = variant(name)
    for service in of_kind(objects, "Service"):
        (pod,) = (
            each
            for each in pods(objects).values()
            if service["spec"]["selector"].items() <= each["metadata"]["labels"].items()
        )
        names = {port["name"] for each in containers(pod).values() for port in each.get("ports", [])}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names, service["metadata"]["name"]


def test_images_come_from_one_registry_unless_an_image_overrides_it() -> None:
    def images(name: str) -> dict[str, str]:
        return {
            each["name"]: each["image"] for pod in pods(variant(name)).values() for each in containers(pod).values()
        }

    ours = {"hooks": "kup6s-pages-hooks", "syncer": "kup6s-pages-syncer", "nginx": "kup6s-pages-nginx"}
    assert images("default").items() >= {name: f"{image}:0.1.0" for name, image in ours.items()}.items()
    found = images("with-everything")
    assert found["hooks"] == f"registry.example.com/team/kup6s-pages-hooks@sha256:{'a' * 64}"
    assert found["syncer"] == "registry.example.com/team/kup6s-pages-syncer:1.2.3"
    assert found["nginx"] == "elsewhere.example.com/nginx:own"
    assert found["metacontroller"].startswith("ghcr.io/metacontroller/metacontroller:v4.")


def test_a_changed_nginx_configuration_restarts_nginx(tmp_path: Path) -> None:
    def checksum(chart: Path) -> str:
        done = helm("template", "r", str(chart), "-s", "templates/nginx.yaml")
        (deployment,) = of_kind([each for each in yaml.safe_load_all(done.stdout) if each], "Deployment")
        return str(deployment["spec"]["template"]["metadata"]["annotations"]["checksum/nginx-config"])

    copy = tmp_path / "chart"
    subprocess.run(["cp", "-r", str(CHART), str(copy)], check=True)
    assert checksum(copy) == checksum(CHART)
    with (copy / "files/nginx/sites-http.conf").open("a") as file:
        file.write("# another word\n")
    assert checksum(copy) != checksum(CHART)


def test_the_configmap_holds_the_files_of_deploy_nginx() -> None:
    data = find(variant("default"), "ConfigMap", "nginx-config")["data"]
    shipped = {file.name: file.read_text() for file in (CHART.parents[1] / "nginx").iterdir()}
    assert {name: text.strip() for name, text in data.items()} == {name: text.strip() for name, text in shipped.items()}


@pytest.mark.parametrize("name", VARIANTS)
def test_our_programs_accept_every_option_of_the_chart(name: str) -> None:
    for pod in pods(variant(name)).values():
        for each in containers(pod).values():
            if each.get("command") == ["pages"]:
                command = main.get_command(click.Context(main), each["args"][0])
                assert command
                known = {option for parameter in command.params for option in parameter.opts}
                given = {argument.partition("=")[0] for argument in each["args"][1:]}
                assert given <= known, shlex.join(each["args"])
                required = {each.opts[0] for each in command.params if isinstance(each, click.Option) and each.required}
                assert required <= given


def test_metrics_and_dashboard_exist_only_if_enabled() -> None:
    on, off = (
        containers(pods(variant(name))["pages-syncer"])["syncer"]["args"] for name in ("default", "without-extras")
    )
    assert "--metrics-bind=0.0.0.0:9091" in on
    assert "--metrics-bind=-" in off
    assert not [each for each in (*on, *off) if "dashboard" in each]
    wanted = containers(pods(variant("with-everything"))["pages-syncer"])["syncer"]
    assert "--dashboard-bind=0.0.0.0:8084" in wanted["args"]
    assert "pages-dashboard" not in {each["metadata"]["name"] for each in of_kind(variant("default"), "Service")}
    (monitor,) = of_kind(variant("monitored"), "ServiceMonitor")
    labelled = [
        {port["name"] for port in each["spec"]["ports"]}
        for each in of_kind(variant("monitored"), "Service")
        if monitor["spec"]["selector"]["matchLabels"].items() <= each["metadata"]["labels"].items()
    ]
    assert sorted(map(sorted, labelled)) == [["mc-metrics", "metrics"], ["metrics"]]
    assert not of_kind(variant("served"), "ServiceMonitor", "PrometheusRule")


def test_bundled_and_cluster_metacontroller_select_different_controllers() -> None:
    """They select by label: the bundled one its own controllers, the cluster's one all others."""
    ours, theirs = variant("served"), variant("their-metacontroller")
    arguments = containers(pods(ours)["pages-operator"])["metacontroller"]["args"]
    assert "--target-label-selector=pages.kup6s.com/metacontroller=bundled" in arguments
    for objects, label in ((ours, "bundled"), (theirs, "cluster")):
        controllers = of_kind(objects, "CompositeController")
        assert {each["metadata"]["name"] for each in controllers} == {"pages-platform", "pages-virtualhost"}
        assert {each["metadata"]["labels"]["pages.kup6s.com/metacontroller"] for each in controllers} == {label}


def test_the_clusters_metacontroller_calls_by_service_and_token() -> None:
    for controller in of_kind(variant("their-metacontroller"), "CompositeController"):
        for hook in controller["spec"]["hooks"].values():
            assert hook["webhook"]["url"].startswith(f"http://pages-hooks.{SYSTEM}.svc/")
            assert hook["webhook"]["authorization"] == {
                "type": "Bearer",
                "secretRef": {"name": "pages-hooks", "namespace": SYSTEM, "key": "token"},
            }
    hooks = containers(pods(variant("their-metacontroller"))["pages-operator"])["hooks"]
    assert "--bind=0.0.0.0:8080" in hooks["args"]
    assert "--tokens=/secrets" in hooks["args"]
    for controller in of_kind(variant("served"), "CompositeController"):
        for hook in controller["spec"]["hooks"].values():
            assert hook["webhook"]["url"].startswith("http://127.0.0.1:8080/")
            assert "authorization" not in hook["webhook"]
    assert "--bind=127.0.0.1:8080" in containers(pods(variant("served"))["pages-operator"])["hooks"]["args"]


def test_labels_of_one_object_take_precedence_over_common_labels() -> None:
    objects = render(
        {
            "commonLabels": {"team": "web", "cost": "7"},
            "nginx": {"podLabels": {"team": "edge"}},
            "metrics": {"serviceMonitor": {"enabled": True, "labels": {"team": "watch"}}},
        }
    )
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(objects).items()}
    labels["monitor"] = find(objects, "ServiceMonitor", "kup6s-pages")["metadata"]["labels"]
    found = {name: (each["team"], each["cost"], each["app.kubernetes.io/part-of"]) for name, each in labels.items()}
    assert found == {
        "static-sites-nginx": ("edge", "7", "kup6s-pages"),
        "pages-syncer": ("web", "7", "kup6s-pages"),
        "pages-operator": ("web", "7", "kup6s-pages"),
        "monitor": ("watch", "7", "kup6s-pages"),
    }


def test_another_namespace_and_release_name_work() -> None:
    text = yaml.safe_dump_all(render(VARIANTS["served"], release="web", namespace="static"))
    assert "kup6s-pages.svc" not in text
    assert f"namespace: {SYSTEM}\n" not in text
    assert f"serviceaccount:{SYSTEM}:" not in text
    assert "--namespace=static" in text


def test_numeric_names_and_large_numbers_keep_their_type() -> None:
    values = {
        "platform": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
        "persistence": {"storageClass": "1"},
        "runAs": {"user": 1000700000, "group": 1000700000, "fsGroup": 1000700000},
        "traefik": {"namespace": "1000"},
        "webhooks": {"secretName": "77", "rate": {"burst": 20000000}},
    }
    objects = render(values, release="123", namespace="456")
    for each in objects:
        assert each["metadata"].get("namespace", "456") == "456"
        assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == "123"
    assert find(objects, "PersistentVolumeClaim", "static-sites-data")["spec"]["storageClassName"] == "1"
    assert pods(objects)["pages-syncer"]["spec"]["securityContext"]["runAsUser"] == 1000700000
    assert find(objects, "Middleware", "pages-webhook-rate")["spec"]["rateLimit"]["burst"] == 20000000
    assert "'1000'" in yaml.safe_dump(find(objects, "NetworkPolicy", "static-sites-nginx"))


def test_everything_is_in_the_namespace_of_the_release() -> None:
    cluster_wide = {"Namespace", "ClusterRole", "ClusterRoleBinding", "CompositeController"}
    for name in VARIANTS:
        for each in variant(name):
            if each["kind"] not in cluster_wide and not each["kind"].startswith("ValidatingAdmission"):
                assert each["metadata"]["namespace"] == SYSTEM, each["metadata"]["name"]


def test_the_namespace_of_the_chart_is_restricted() -> None:
    (namespace,) = of_kind(variant("with-everything"), "Namespace")
    labels = namespace["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    assert not of_kind(variant("default"), "Namespace")
