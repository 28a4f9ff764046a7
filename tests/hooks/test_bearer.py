"""H1: hooks that have a Service require a bearer token."""

import subprocess
from pathlib import Path

import pytest

from hooks.app import create_app
from hooks.bearer import NoToken, Tokens
from tests.support.serving import PAGES

HOOKS = ("/platform/sync", "/platform/customize", "/virtualhost/sync")
PLATFORM = {
    "kind": "Platform",
    "metadata": {"name": "platform", "namespace": "kup6s-pages"},
    "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as the kubelet mounts a Secret: its entries are symlinks into a hidden folder."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data/token").write_text("new-token\n")
    (tmp_path / "token").symlink_to("..data/token")
    return tmp_path


def status(folder: Path, path: str, **headers: str) -> int:
    client = create_app(tokens=Tokens(folder)).test_client()
    return client.post(path, json={"parent": PLATFORM}, headers=headers).status_code


@pytest.mark.parametrize("path", HOOKS)
@pytest.mark.parametrize("token", ["", "Bearer", "Bearer ", "Bearer other", "Basic new-token", "new-token", "Bearer ü"])
def test_h1_a_hook_rejects_calls_without_a_token(folder: Path, path: str, token: str) -> None:
    headers = {"Authorization": token} if token else {}
    assert status(folder, path, **headers) == 401


def test_h1_a_hook_answers_calls_with_a_token(folder: Path) -> None:
    assert status(folder, "/platform/customize", Authorization="Bearer new-token") == 200
    assert status(folder, "/platform/customize", Authorization="bearer new-token") == 200


def test_a_token_is_replaced_without_a_restart(folder: Path) -> None:
    client = create_app(tokens=Tokens(folder)).test_client()

    def ask(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return client.post("/platform/customize", json={"parent": PLATFORM}, headers=headers).status_code

    (folder / "old").write_text("old-token")
    assert [ask("new-token"), ask("old-token")] == [200, 200]
    (folder / "old").unlink()
    assert [ask("new-token"), ask("old-token")] == [200, 401]


def test_probes_need_no_token(folder: Path) -> None:
    client = create_app(tokens=Tokens(folder)).test_client()
    assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_the_hooks_do_not_start_without_a_token(tmp_path: Path) -> None:
    with pytest.raises(NoToken, match="holds no token"):
        Tokens(tmp_path)
    (tmp_path / "token").write_text("\n")
    command = [*PAGES, "hooks", "--bind", "127.0.0.1:0", "--tokens", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "holds no token" in done.stderr
