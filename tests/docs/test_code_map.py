"""The pages that guide through the code name files that exist, and forget none."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("cli", "hooks", "syncer", "pages")
GUIDES = ("README.md", "CONTRIBUTING.md", "docs/explanation/architecture.md", "docs/explanation/a-field.md")
A_FIELD = (ROOT / "docs/explanation/a-field.md").read_text(encoding="utf-8")
_TOP_LEVEL = {path.name for path in ROOT.iterdir() if path.is_dir()}
_PATH = re.compile(r"`([A-Za-z][\w.-]*/[\w./-]*)`")
_ROW = re.compile(r"^\| `([^`]+/[^`]+)` \| `(\w+)` \|", re.MULTILINE)
_FIELD = re.compile(r"pathPrefix|path_prefix|pages_prefix")
_HANDLES_FIELDS = ("cli", "hooks", "syncer", "pages", "crds", "deploy/nginx")


def paths(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [each for each in _PATH.findall(text) if each.partition("/")[0] in _TOP_LEVEL]


@pytest.mark.parametrize("page", GUIDES)
def test_every_path_on_a_guide_exists(page: str) -> None:
    assert paths(page)
    assert not [each for each in paths(page) if not (ROOT / each).exists()]


def test_the_map_shows_every_package() -> None:
    packages = {f"{path.parent.relative_to(ROOT)}/" for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")}
    assert not packages - set(paths("docs/explanation/architecture.md"))


def test_the_field_has_rows_from_schema_to_nginx() -> None:
    files = [file for file, _ in _ROW.findall(A_FIELD)]
    assert len(files) == len(set(files))
    assert {"crds/staticsite.yaml", "hooks/traefik.py", "deploy/nginx/sites-server.conf"} <= set(files)


@pytest.mark.parametrize(("file", "mention"), _ROW.findall(A_FIELD))
def test_each_file_mentions_the_field(file: str, mention: str) -> None:
    assert mention in (ROOT / file).read_text(encoding="utf-8")


def files_with_the_field() -> Iterator[str]:
    for folder in _HANDLES_FIELDS:
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix in {".py", ".yaml", ".conf", ".lua"} and _FIELD.search(path.read_text(encoding="utf-8")):
                yield str(path.relative_to(ROOT))


def test_no_file_with_the_field_is_missing_on_its_page() -> None:
    assert not set(files_with_the_field()) - {file for file, _ in _ROW.findall(A_FIELD)}
