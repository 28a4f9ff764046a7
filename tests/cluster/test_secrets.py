"""Credentials of private repositories: read with the namespace's leave, shown nowhere (K1-K3)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncer.errors import SecretForbidden
from tests.support.canary import CommandLines, spellings
from tests.support.cluster import SyncerProcess, condition
from tests.support.control_plane import ROOT, Cluster, Object
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.processes import answer
from tests.support.serving import eventually

MakeSyncer = Callable[..., SyncerProcess]
CANARY = "canary-4f2a9c-do-not-sing"


def secret(namespace: str, password: str = CANARY, name: str = "site-token", **fields: object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "stringData": {"username": "deploy", "password": password},
        **fields,
    }


def grant(cluster: Cluster, namespace: str, name: str = "site-token") -> None:
    """Apply the example, in this namespace."""
    for each in yaml.safe_load_all((ROOT / "examples/secret-access.yaml").read_text()):
        if each["kind"] != "Secret":
            each["metadata"]["namespace"] = namespace
            cluster.apply(each)


def synced(cluster: Cluster, namespace: str, name: str = "blog") -> Object:
    return condition(cluster.get("staticsites", name, namespace), "Synced")


@pytest.fixture
def private(git_server: GitServer) -> str:
    """The URL of a repository that asks for the canary."""
    git_server.repository("private").commit({"index.html": "secret plans"})
    git_server.require("private", "deploy", CANARY)
    return git_server.url("private")


def private_site(namespace: str, repo: str, name: str = "blog", **spec: Any) -> Object:
    return static_site(
        name, namespace, repo=repo, **{"secretRef": {"name": "site-token"}, "syncInterval": "10s", **spec}
    )


def test_a_secret_is_read_only_where_its_namespace_allows_it_and_the_status_says_how(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, private: str
) -> None:
    cluster.apply(secret(namespace), private_site(namespace, private))
    eventually(lambda: synced(cluster, namespace).get("reason") == "SecretForbidden")
    _, _, remedy = synced(cluster, namespace)["message"].partition("\n")
    assert {each["kind"] for each in yaml.safe_load_all(remedy)} == {"Role", "RoleBinding"}
    cluster.kubectl("apply", "-f", "-", stdin=remedy)
    eventually(lambda: syncer.page(namespace, "blog") == "secret plans")
    eventually(lambda: synced(cluster, namespace).get("reason") == "Synced")
    other = secret(namespace, name="other-token")
    cluster.apply(other, static_site("nosy", namespace, repo=private, secretRef={"name": "other-token"}))
    eventually(lambda: synced(cluster, namespace, "nosy").get("reason") == "SecretForbidden")


def test_what_the_status_says_is_what_the_example_says() -> None:
    said = list(yaml.safe_load_all(SecretForbidden("team-a", "site-token", "kup6s-pages").remedy))
    example = list(yaml.safe_load_all((ROOT / "examples/secret-access.yaml").read_text()))
    assert said == [each for each in example if each["kind"] != "Secret"]


@pytest.mark.parametrize("name", ["123", "true", "1e3", "a" * 253])
def test_what_the_status_says_can_be_applied_whatever_the_names(name: str) -> None:
    role, binding = yaml.safe_load_all(SecretForbidden("1e3", name, "kup6s-pages").remedy)
    assert role["rules"][0]["resourceNames"] == [name]
    assert role["metadata"] == binding["metadata"]
    assert role["metadata"]["namespace"] == "1e3"
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert len(role["metadata"]["name"]) <= 253


def test_a_secret_that_comes_late_and_one_that_is_rotated_are_noticed(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, private: str, git_server: GitServer
) -> None:
    grant(cluster, namespace)
    cluster.apply(private_site(namespace, private))
    eventually(lambda: synced(cluster, namespace).get("reason") == "SecretMissing")
    cluster.apply(secret(namespace))
    eventually(lambda: syncer.page(namespace, "blog") == "secret plans")
    git_server.require("private", "deploy", "rotated")
    eventually(lambda: synced(cluster, namespace).get("reason") == "AuthFailed")
    assert syncer.page(namespace, "blog") == "secret plans"
    cluster.apply(secret(namespace, "rotated"))
    eventually(lambda: synced(cluster, namespace).get("reason") == "Synced")


def test_a_secret_of_another_kind_is_not_used(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, private: str
) -> None:
    grant(cluster, namespace)
    cluster.apply(secret(namespace, type="example.com/database"), private_site(namespace, private))
    eventually(lambda: synced(cluster, namespace).get("reason") == "SecretMissing")
    assert "example.com/database" in synced(cluster, namespace)["message"]


@pytest.fixture
def command_lines() -> Iterator[CommandLines]:
    with CommandLines() as looking:
        yield looking


def test_a_credential_shows_nowhere_whatever_fails(
    cluster: Cluster,
    namespace: str,
    make_syncer: MakeSyncer,
    private: str,
    git_server: GitServer,
    command_lines: CommandLines,
    tmp_path: Path,
) -> None:
    failures: dict[str, tuple[str, dict[str, Any], str]] = {
        "works": (private, {}, "Synced"),
        "refused": (git_server.url("refused"), {}, "AuthFailed"),
        "missing": (git_server.url("missing"), {}, "RepoNotFound"),
        "broken": (git_server.url("broken"), {}, "Unreachable"),
        "moved": (git_server.url("moved"), {}, "RepoMoved"),
        "branch": (private, {"branch": "gone"}, "BranchNotFound"),
        "folder": (private, {"path": "/gone"}, "SubpathNotFound"),
        "host": ("https://forge.example.com/x/y", {}, "HostNotAllowed"),
        "key": (private, {"secretRef": {"name": "site-token", "key": "gone"}}, "SecretMissing"),
        "forbidden": (private, {"secretRef": {"name": "other-token"}}, "SecretForbidden"),
    }
    for name in ("refused", "broken", "moved"):
        git_server.repository(name).commit({"index.html": name})
    git_server.require("refused", "deploy", "something else")
    git_server.speak_no_protocol_2("private", 404)  # so that git is given the credential too
    git_server.fail("broken", 500)
    git_server.redirect("moved", f"{git_server.origin}/elsewhere.git")
    grant(cluster, namespace)
    with make_syncer("--log-level", "debug") as running:
        running.wait_until_ready()
        cluster.apply(secret(namespace), secret(namespace, name="other-token"))
        cluster.apply(*(private_site(namespace, repo, name, **spec) for name, (repo, spec, _) in failures.items()))
        for name, (_, _, reason) in failures.items():
            eventually(lambda name=name, reason=reason: synced(cluster, namespace, name).get("reason") == reason)  # type: ignore[misc]
        bodies = str([answer(running.port, path) for path in ("/healthz", "/readyz", "/nothing")])
    assert any(b"ls-remote" in line for line in command_lines.seen), "no git was seen"
    shown = {
        "argv": b"\n".join(command_lines.seen),
        "disk and logs": b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()),
        "StaticSites and Events": cluster.kubectl("get", "ss,events", "-A", "-o", "yaml").encode(),
        "answers": bodies.encode(),
    }
    for spelling in spellings(CANARY):
        for where, text in shown.items():
            assert spelling not in text, where
