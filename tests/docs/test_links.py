"""The docs as a forge shows them: every link works, and each page has a title."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_EXAMPLE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    return _EXAMPLE.sub("", text(page))


def anchors(page: Path) -> set[str]:
    """The anchors that forges make of a page's headings."""
    headings = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", each) for each in _HEADING.findall(prose(page))]
    return {re.sub(r"[^\w\- ]", "", each.strip().lower()).replace(" ", "-") for each in headings}


def links(page: Path) -> list[str]:
    return [each for each in _LINK.findall(_CODE.sub("", prose(page))) if not urlsplit(each).scheme]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_has_a_target(page: Path) -> None:
    for link in links(page):
        path, _, fragment = link.partition("#")
        assert not path.startswith("/"), link
        target = (page.parent / unquote(path)).resolve() if path else page
        assert target.exists(), link
        if fragment:
            assert fragment in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_begins_with_its_only_title(page: Path) -> None:
    titles = re.findall(r"^# .+$", prose(page), re.MULTILINE)
    assert [text(page).partition("\n")[0]] == titles, "the navigation uses the title"


def test_each_section_of_the_first_page_links_a_few_pages_in_order() -> None:
    sections = re.split(r"^## ", text(ROOT / "docs/index.md"), flags=re.MULTILINE)[1:]
    assert [section.partition("\n")[0] for section in sections] == [
        "For site owners",
        "For administrators",
        "For contributors",
    ]
    for section in sections:
        assert 3 <= len(re.findall(r"^\d\. ", section, re.MULTILINE)) <= 6
