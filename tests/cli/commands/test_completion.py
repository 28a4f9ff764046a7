"""Shell completion, also of existing names; and `kubectl pages`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli import exits
from syncer.stores.state import State
from tests.support.serving import PAGES, pages


@pytest.fixture
def state(tmp_path: Path) -> State:
    """The last state of a `pages serve`: three sites."""
    made = State(tmp_path / "state")
    with made.locked():
        for namespace, name in (("team", "blog"), ("team", "docs"), ("ops", "blog")):
            made.write_site(
                "x.yaml",
                {"metadata": {"namespace": namespace, "name": name}, "spec": {"repo": "https://x.example/y"}},
            )
    return made


def completed(words: str, state: State) -> list[str]:
    """What bash offers for the last word."""
    done = subprocess.run(
        PAGES,
        env=os.environ
        | {
            "_PAGES_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - (not words.endswith(" "))),
            "PAGES_STATE": str(state.folder),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


# What a shell offers after `pages why do`, when it has read its script.
IN_SHELLS = {
    "bash": """eval "$(pages completion bash)"; COMP_WORDS=(pages why do); COMP_CWORD=2
        $(complete -p pages | sed 's/.* -F \\([^ ]*\\) .*/\\1/') pages; printf '%s\\n' "${COMPREPLY[@]}" """,
    "fish": "pages completion fish | source; complete -C 'pages why do'",
}


@pytest.mark.parametrize("shell", IN_SHELLS)
def test_a_real_shell_completes_a_site(shell: str, tmp_path: Path, state: State) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here")
    program = tmp_path / "bin" / "pages"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom cli import main\nmain()\n")
    program.chmod(0o700)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(tmp_path), "PAGES_STATE": str(state.folder)}
    done = subprocess.run([shell, "-c", IN_SHELLS[shell]], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "docs\n", done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    done = pages("completion", shell)
    assert done.returncode == exits.OK
    assert "_PAGES_COMPLETE" in done.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)


def test_commands_sites_and_namespaces_are_offered(state: State) -> None:
    assert completed("pages st", state) == ["status"]
    assert completed("pages why b", state) == ["blog"]
    assert completed("pages why team/", state) == ["team/blog", "team/docs"]
    assert completed("pages sync -n o", state) == ["ops"]
    assert completed("pages logs -n team ", state) == ["blog", "docs"]


def test_without_a_backend_nothing_is_offered_and_nothing_breaks(tmp_path: Path) -> None:
    assert completed("pages why b", State(tmp_path / "nothing")) == []


def test_as_a_plugin_of_kubectl_it_uses_a_cluster_and_that_name(tmp_path: Path, state: State) -> None:
    program = tmp_path / "kubectl-pages"
    program.write_text(f"#!{sys.executable}\nfrom cli import kubectl_main\nkubectl_main()\n")
    program.chmod(0o700)
    environment = {**os.environ, "KUBECONFIG": str(tmp_path / "none")}
    shown = subprocess.run([program, "why", "-h"], env=environment, capture_output=True, text=True, check=True)
    assert "Usage: kubectl pages why" in shown.stdout and "  kubectl pages why blog" in shown.stdout
    (tmp_path / ".pages").symlink_to(state.folder)
    done = subprocess.run(
        [program, "status"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == exits.CANNOT_ASK
    assert "no such kubeconfig" in done.stderr


def test_kubectl_completes_its_plugin(tmp_path: Path, state: State) -> None:
    program = tmp_path / "kubectl_complete-pages"
    program.write_text(f"#!{sys.executable}\nfrom cli import kubectl_complete\nkubectl_complete()\n")
    program.chmod(0o700)
    environment = {**os.environ, "PAGES_STATE": str(state.folder)}
    done = subprocess.run([program, "why", "do"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "docs\n:4\n"


def test_the_backend_is_named_where_there_is_another(tmp_path: Path, state: State) -> None:
    (tmp_path / "kubeconfig").write_text("{}")
    (tmp_path / ".pages").symlink_to(state.folder)
    no_cluster = {"KUBECONFIG": str(tmp_path / "none")}
    there = {"KUBECONFIG": str(tmp_path / "kubeconfig")}
    assert pages("status", "-o", "name", cwd=tmp_path, **no_cluster).stdout.count("staticsite.pages.kup6s.com/") == 3
    with state.locked():
        served = pages("status", "-o", "name", cwd=tmp_path, **there)
        assert served.stdout.count("blog") == 2
        assert "for the cluster add --cluster" in served.stderr
        assert pages("status", "--cluster", cwd=tmp_path, **there).returncode == exits.CANNOT_ASK
    left = pages("status", cwd=tmp_path, **there)
    assert left.returncode == exits.CANNOT_ASK
    assert "add --state .pages" in left.stderr
