"""The navigation of the site, and the pages outside of docs/. A new page needs no entry anywhere."""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from properdocs.config.defaults import ProperDocsConfig
from properdocs.structure.files import File, Files, InclusionLevel
from properdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
SECTIONS = {"how-to": "How to", "reference": "Reference", "explanation": "Explanation", "decisions": "Decisions"}
# Files outside of docs/ that are also pages of the site.
ALSO = {"CONTRIBUTING.md": "Contributing", "CHANGELOG.md": "Changes"}
_LINK_OUT_OF_DOCS = re.compile(r"\]\((?:\.\./)+([^)#]+)")


def on_files(files: Files, config: ProperDocsConfig) -> Files:
    """Add the link targets outside of docs/, so that links work as on the forge, and build the navigation."""
    pages = files.documentation_pages()
    for name in sorted({*ALSO, *(name for page in pages for name in _linked(page))}):
        files.append(_outside(name, config))
    config.theme.static_templates.discard("sitemap.xml")  # empty for a site that may be anywhere
    config.nav = [
        {"Start": "index.md"},
        {"Tutorial": "tutorial.md"},
        *({title: _pages_of(folder, pages)} for folder, title in SECTIONS.items()),
        *({title: f"../{name}"} for name, title in ALSO.items()),
    ]
    return files


def on_page_markdown(markdown: str, *, page: Page, config: ProperDocsConfig, files: Files) -> str:  # noqa: ARG001 - by name
    """Correct the links of a page outside of docs/ to pages inside."""
    return markdown.replace("](docs/", "](/") if page.file.src_uri.startswith("../") else markdown


def _linked(page: File) -> list[str]:
    """The link targets of a page outside of docs/."""
    names = []
    for link in _LINK_OUT_OF_DOCS.findall(page.content_string):
        target = ROOT / unquote(link)
        if target.is_file() and not target.is_relative_to(ROOT / "docs"):
            names.append(str(target.relative_to(ROOT)))
    return names


def _outside(name: str, config: ProperDocsConfig) -> File:
    """A file outside of docs/, under the name that links from docs/ use."""
    path = str(ROOT / name)
    file = File.generated(config, f"../{name}", abs_src_path=path, inclusion=InclusionLevel.INCLUDED)
    file.dest_uri = f"{Path(name).stem.lower()}/index.html" if name in ALSO else f"files/{name}"
    return file


def _pages_of(folder: str, pages: Sequence[File]) -> list[str]:
    """The pages of a section, by title. Decisions are sorted by their number, which is their name."""
    section = [page for page in pages if Path(page.src_uri).parent == Path(folder)]
    by_name = folder == "decisions"
    section.sort(key=lambda page: (page.name != "index", page.src_uri if by_name else _title(page).casefold()))
    return [page.src_uri for page in section]


def _title(page: File) -> str:
    first, _, _ = page.content_string.partition("\n")
    return first.removeprefix("# ")
