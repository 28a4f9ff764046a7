"""The images, tested without Docker: their contents are installed here, and their Dockerfiles are parsed."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.control_plane import ROOT

IMAGES = ROOT / "deploy/images"
RECIPES = sorted(IMAGES.glob("*/Dockerfile"))
PAGES, NGINX = IMAGES / "pages/Dockerfile", IMAGES / "nginx/Dockerfile"
KEPT = ((PAGES, "hooks"), (PAGES, "syncer"), (NGINX, "final"))  # each image by Dockerfile and stage
PINNED = re.compile(r"[a-z./-]+:[0-9][A-Za-z0-9.-]*@sha256:[0-9a-f]{64}")


def instructions(recipe: Path) -> list[tuple[str, str]]:
    """The instructions with their text. Continued lines are joined."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", recipe.read_text(), flags=re.MULTILINE))
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def kept(recipe: Path, stage: str) -> list[tuple[str, str]]:
    """The instructions of an image: those of its base stages, then its own."""
    stages: dict[str, list[tuple[str, str]]] = {}
    for word, text in instructions(recipe):
        if word == "FROM":
            base, _, name = text.split()
            stages[name] = list(stages.get(base, []))
            current = stages[name]
        elif stages:
            current.append((word, text))
    return stages[stage]


def of(word: str, found: list[tuple[str, str]]) -> list[str]:
    return [text for each, text in found if each == word]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: each.parent.name)
def test_every_base_is_pinned_by_version_and_digest(recipe: Path) -> None:
    arguments = dict(text.split("=", 1) for text in of("ARG", instructions(recipe)) if "=" in text)
    stages = of("FROM", instructions(recipe))
    assert stages
    for stage in stages:
        base = re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], stage.split()[0])
        assert PINNED.fullmatch(base) or base in {each.split()[-1] for each in stages}, base


@pytest.mark.parametrize(("recipe", "stage"), KEPT, ids=[stage for _, stage in KEPT])
def test_an_image_runs_as_the_unprivileged_user_of_the_chart(recipe: Path, stage: str) -> None:
    found = kept(recipe, stage)
    assert of("USER", found)[-1] == "65532:65532"
    last = max(number for number, (word, _) in enumerate(found) if word == "USER")
    assert not {word for word, _ in found[last:]} & {"RUN", "COPY"}, "all that is there is root's, and stays as it is"


@pytest.mark.parametrize(("recipe", "stage"), KEPT, ids=[stage for _, stage in KEPT])
def test_an_image_has_labels_and_a_healthcheck(recipe: Path, stage: str) -> None:
    found = kept(recipe, stage)
    labels = " ".join(of("LABEL", found))
    for label in ("title", "description", "version", "revision", "base.name"):
        assert f"org.opencontainers.image.{label}=" in labels
    (check,) = of("HEALTHCHECK", found)
    assert json.loads(check.partition("CMD ")[2])
    for word in ("ENTRYPOINT", "CMD"):
        assert isinstance(json.loads(of(word, found)[-1]), list), "no shell in between, which would eat signals"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: each.parent.name)
def test_every_download_is_verified(recipe: Path) -> None:
    text = recipe.read_text()
    assert "ADD " not in text
    assert not re.search(r"curl [^\n]*https?:|wget|git clone|\| *sh\b", text)
    for command in of("RUN", instructions(recipe)):
        if re.search(r"pip\b.* install .*-r ", command):
            assert "--require-hashes" in command


@pytest.mark.parametrize(("recipe", "stage"), KEPT, ids=[stage for _, stage in KEPT])
def test_an_image_contains_no_build_tools(recipe: Path, stage: str) -> None:
    commands = " ".join(of("RUN", kept(recipe, stage)))
    assert not re.search(r"\b(gcc|make|build-essential|python3-dev|pip install)\b", commands)
    assert "apt-get" not in commands or "--no-install-recommends" in commands
    if recipe == PAGES:
        assert "site-packages/pip*" in commands


def test_only_the_syncer_has_git_and_nginx_has_our_configuration() -> None:
    assert re.search(r"apt-get install[^&]* git ", " ".join(of("RUN", kept(PAGES, "syncer"))))
    assert "apt-get" not in " ".join(of("RUN", kept(PAGES, "hooks")))
    assert "deploy/nginx/ /etc/nginx/" in of("COPY", kept(NGINX, "final"))
    assert of("STOPSIGNAL", kept(NGINX, "final")) == ["SIGQUIT"]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: each.parent.name)
def test_copied_files_exist_and_are_in_the_build_context(recipe: Path) -> None:
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for text in of("COPY", instructions(recipe)):
        if "--from=" not in text:
            for source in text.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert any(source.rstrip("/") == each or source.startswith(f"{each}/") for each in sent), source


def pinned(file: Path) -> dict[str, str]:
    """The name and version of each requirement in a file."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ \\\n]+)", file.read_text(), flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def test_every_requirement_has_hashes() -> None:
    for file in (IMAGES / "pages").glob("*requirements.txt"):
        blocks = re.split(r"\n(?=[A-Za-z])", file.read_text().strip())
        assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)
        assert "://" not in file.read_text()


def test_the_requirements_have_the_tested_versions() -> None:
    constraints = pinned(ROOT / "constraints.txt")
    installed = pinned(IMAGES / "pages/requirements.txt")
    assert {name: version for name, version in installed.items() if constraints.get(name, version) != version} == {}


def test_every_dependency_is_in_the_requirements() -> None:
    """Follows the dependencies of the installed packages, so that a new one is noticed without a network."""
    needed, waiting = set(), ["kup6s-pages"]
    while waiting:
        name = waiting.pop()
        for text in metadata.requires(name) or []:
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            if canonicalize_name(requirement.name) not in needed:
                needed.add(canonicalize_name(requirement.name))
                waiting.append(requirement.name)
    assert needed - set(pinned(IMAGES / "pages/requirements.txt")) == set(), "run deploy/images/pages/requirements.sh"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean virtual environment, created by the steps of the Dockerfile. Both stages share it, for speed."""
    folder = tmp_path_factory.mktemp("image")
    run(sys.executable, "-m", "venv", str(folder / "opt"))
    pip = folder / "opt/bin/pip"
    hashed = ("install", "--quiet", "--no-compile", "--require-hashes", "--only-binary", ":all:", "-r")
    for file in ("build-requirements.txt", "requirements.txt"):
        done = run(pip, *hashed, IMAGES / "pages" / file, check=False)
        if re.search(r"Temporary failure|Failed to establish|NewConnectionError|timed out", done.stderr):
            pytest.skip(f"the package index is out of reach: {done.stderr[-200:]}")
        assert done.returncode == 0, done.stderr
    wheel = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", ROOT)
    run(pip, *wheel)
    run(pip, "install", "--quiet", "--no-compile", "--no-deps", "--no-index", *(folder / "wheels").glob("*.whl"))
    return folder / "opt"


def run(*command: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, check=False, cwd="/")
    assert not check or done.returncode == 0, done.stderr
    return done


def test_the_wheel_installs_by_hash_and_its_entry_point_runs(environment: Path) -> None:
    assert "kup6s-pages" in run(environment / "bin/pip", "list").stdout
    assert run(environment / "bin/pip", "check").stdout.strip() == "No broken requirements found."
    for command in ("hooks", "syncer"):
        assert f"Usage: pages {command}" in run(environment / "bin/pages", command, "--help").stdout
    nginx = run(environment / "bin/python", "-c", "import cli.serve.nginx_config as c; print(c.shipped('nginx.conf'))")
    assert nginx.stdout.strip() == (ROOT / "deploy/nginx/nginx.conf").read_text().strip()


@pytest.mark.parametrize("stage", ["hooks", "syncer"])
def test_a_healthcheck_fails_without_a_server(environment: Path, stage: str) -> None:
    """Runs the command of the Dockerfile with another port."""
    (check,) = of("HEALTHCHECK", kept(PAGES, stage))
    command = json.loads(check.partition("CMD ")[2])
    assert command[0] == "python"
    unreachable = re.sub(r":808[01]", ":1", command[2])
    done = run(environment / "bin/python", "-c", unreachable, check=False)
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
