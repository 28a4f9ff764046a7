"""The sessions in docs/how-to/kubectl.md, run as they stand there: ``$`` is a tenant, ``#`` an administrator."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cluster import SyncerProcess
from tests.support.control_plane import ROOT, TOOLS, Cluster
from tests.support.git_server import GitServer
from tests.support.operator import Player

DOCUMENT = ROOT / "docs/how-to/kubectl.md"
FORGE = "https://forge.example.com/you"
TENANT = "team-a"
_FILE = re.compile(r"`([a-z]+\.yaml)`:\n\n```yaml\n(.*?)```", re.DOTALL)
_SESSION = re.compile(r"```console\n(.*?)```", re.DOTALL)
# What is another one each time: how old something is, and which commit it was.
_VARYING = ((r"\b([0-9]+[smh])+\b", "AGE"), (r"\b[0-9a-f]{12}\b", "COMMIT"))
Run = Callable[[str, str], str]  # a prompt and a command: what it prints


def sessions() -> Iterator[tuple[str, str]]:
    """Each command with its prompt, and what the document says that it prints."""
    for session in _SESSION.findall(DOCUMENT.read_text()):
        for part in re.split(r"^(?=[$#] )", session, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed


def shown(text: str) -> str:
    """Without what varies, nor how wide the columns are."""
    for pattern, word in _VARYING:
        text = re.sub(pattern, word, text)
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


@pytest.fixture
def run(cluster: Cluster, git_server: GitServer, platform: Callable[..., None], tmp_path: Path) -> Run:
    """Runs a command of the document among its files."""
    platform(tls={"mode": "Wildcard", "wildcardSecretName": "wildcard-tls", "issuerRef": {"name": "letsencrypt"}})
    git_server.repository("blog").commit({"index.html": "hello"})
    git_server.repository("private").commit({"index.html": "plans"})
    git_server.require("private", "deploy", "the-token")
    for name, content in _FILE.findall(DOCUMENT.read_text()):
        (tmp_path / name).write_text(content.replace(FORGE, git_server.origin))
    kubeconfigs = {"$": tenant(cluster, tmp_path), "#": cluster.kubeconfig}
    path = f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def run(prompt: str, command: str) -> str:
        environment = os.environ | {"KUBECONFIG": str(kubeconfigs[prompt]), "PATH": path}
        done = subprocess.run(
            ["bash", "-c", command.replace(FORGE, git_server.origin)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=110,
            check=False,
        )
        Player(cluster, "VirtualHost").settle()
        return done.stdout.replace(git_server.origin, FORGE)

    return run


def tenant(cluster: Cluster, folder: Path) -> Path:
    """A kubeconfig with the role `edit` in one namespace."""
    cluster.namespace(TENANT)
    cluster.kubectl("create", "serviceaccount", "alice", "-n", TENANT)
    cluster.kubectl(
        *("create", "rolebinding", "alice", "-n", TENANT), "--clusterrole=edit", f"--serviceaccount={TENANT}:alice"
    )
    kubeconfig = cluster.service_account("alice", folder, TENANT)
    cluster.kubectl("config", "set-context", "--current", f"--namespace={TENANT}", kubeconfig=kubeconfig)
    return kubeconfig


def test_every_session_goes_as_it_is_told(run: Run, syncer: SyncerProcess) -> None:
    told, seen = [], []
    for command, printed in sessions():
        told.append(f"{command}\n{shown(printed)}")
        seen.append(f"{command}\n{shown(run(command[0], command[2:]))}")
    assert seen == told
