"""Kubeconfigs, good and bad: one that cannot be used leads to one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import exits
from cli.backends import kubeconfig
from tests.support.serving import free_port, pages

V1 = "client.authentication.k8s.io/v1"


def written(folder: Path, user: dict[str, Any] | None = None, **cluster: Any) -> Path:
    file = folder / "kubeconfig"
    config = {
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "b", "user": "u" if user is not None else ""}}],
        "clusters": [{"name": "b", "cluster": {"server": f"http://127.0.0.1:{free_port()}", **cluster}}],
        "users": [{"name": "u", "user": user or {}}],
    }
    file.write_text(yaml.safe_dump(config))
    return file


def test_a_login_program_is_run(tmp_path: Path) -> None:
    answer = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": {"token": "t0ken"}})
    login = {"apiVersion": V1, "command": "sh", "args": ["-c", 'test "$A" = b && echo "$OUT"']}
    environment = [{"name": "OUT", "value": answer}, {"name": "A", "value": "b"}]
    config = kubeconfig.read(written(tmp_path, {"exec": login | {"env": environment}}), None)
    assert config.user.token == "t0ken"


@pytest.mark.parametrize(
    ("login", "says"),
    [
        (
            {"command": "no-such-login", "installHint": "get it at x"},
            "login program no-such-login is not on the PATH: get it at x",
        ),
        ({"command": "false"}, "login program false failed"),
        ({"command": "echo"}, "did not return a credential"),
    ],
)
def test_a_login_that_fails_is_an_error(tmp_path: Path, login: dict[str, Any], says: str) -> None:
    with pytest.raises(exits.CannotAsk, match=says):
        kubeconfig.read(written(tmp_path, {"exec": {"apiVersion": V1, **login}}), None)


@pytest.mark.parametrize(
    "file",
    [
        "a: [",
        "[]",
        "contexts: [{name: a, context: {cluster: b}}]\ncurrent-context: a\n",
        "contexts: [{name: a}]\n",
        "contexts: 1\n",
        "contexts: [{name: a, context: {cluster: 1}}]\nclusters: [{name: 1, cluster: {}}]\ncurrent-context: a\n",
    ],
)
def test_an_invalid_kubeconfig_is_named(tmp_path: Path, file: str) -> None:
    (tmp_path / "kubeconfig").write_text(file)
    with pytest.raises(exits.CannotAsk, match=str(tmp_path)):
        kubeconfig.read(tmp_path / "kubeconfig", None)


@pytest.mark.parametrize("more", [{}, {"certificate-authority": "nowhere.crt", "server": "https://127.0.0.1:1"}])
def test_a_user_is_optional_and_an_unreachable_cluster_is_one_sentence(tmp_path: Path, more: dict[str, str]) -> None:
    done = pages("status", "--kubeconfig", written(tmp_path, None, **more))
    assert (done.returncode, "Traceback" in done.stderr) == (exits.CANNOT_ASK, False)
    assert "cannot be" in done.stderr
