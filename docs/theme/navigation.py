"""What the site has beside the files in docs/, and in which order: a new page needs no line anywhere."""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from properdocs.config.defaults import ProperDocsConfig
from properdocs.structure.files import File, Files, InclusionLevel
from properdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
SECTIONS = {"how-to": "How to", "reference": "Reference", "explanation": "Explanation", "decisions": "Decisions"}
# Files of the repository that are pages of the site, too.
ALSO = {"CONTRIBUTING.md": "Contributing", "CHANGELOG.md": "Changes"}
_LINK_OUT_OF_DOCS = re.compile(r"\]\((?:\.\./)+([^)#]+)")


def on_files(files: Files, config: ProperDocsConfig) -> Files:
    """Add what pages link to outside of docs/, so that the link works here as on the forge; make the navigation."""
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
    """A page from outside of docs/ finds those inside."""
    return markdown.replace("](docs/", "](/") if page.file.src_uri.startswith("../") else markdown


def _linked(page: File) -> list[str]:
    """The files of the repository, outside of docs/, that a page links to."""
    found = []
    for link in _LINK_OUT_OF_DOCS.findall(page.content_string):
        target = ROOT / unquote(link)
        if target.is_file() and not target.is_relative_to(ROOT / "docs"):
            found.append(str(target.relative_to(ROOT)))
    return found


def _outside(name: str, config: ProperDocsConfig) -> File:
    """A file of the repository, under the name by which pages in docs/ know it."""
    path = str(ROOT / name)
    made = File.generated(config, f"../{name}", abs_src_path=path, inclusion=InclusionLevel.INCLUDED)
    made.dest_uri = f"{Path(name).stem.lower()}/index.html" if name in ALSO else f"files/{name}"
    return made


def _pages_of(folder: str, pages: Sequence[File]) -> list[str]:
    """A section's pages, by title; those of decisions by number, which is their name."""
    found = [page for page in pages if Path(page.src_uri).parent == Path(folder)]
    by_name = folder == "decisions"
    found.sort(key=lambda page: (page.name != "index", page.src_uri if by_name else _title(page).casefold()))
    return [page.src_uri for page in found]


def _title(page: File) -> str:
    first, _, _ = page.content_string.partition("\n")
    return first.removeprefix("# ")
