"""The docs as a site: built, pushed as docs/how-to/generated-site.md says, published by `pages serve`, read whole."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from markdown_it import MarkdownIt

from tests.support.control_plane import ROOT
from tests.support.git_server import GitServer
from tests.support.repositories import ENVIRONMENT, Repository
from tests.support.serving import Serving, eventually

pytestmark = pytest.mark.xdist_group("docs site")
HOST = "docs.pages.localhost"
KILOBYTES = 1000


@dataclass
class Page(HTMLParser):
    """The links, resources and anchors of a page."""

    body: str
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on") and name != "style", f"{tag} {name}: the policy does not allow it"
            if name == "id" and value:
                self.ids.add(value)
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in {"href", "src", "srcset", "poster", "data", "action"}:
                self.loads.append(value or "")


class Content(HTMLParser):
    """The visible content of a page: words, and the elements around them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {
            "a",
            "code",
            "em",
            "h1",
            "h2",
            "h3",
            "li",
            "ol",
            "p",
            "pre",
            "strong",
            "table",
            "td",
            "th",
            "tr",
            "ul",
        }:
            self.parts.append(f"<{tag}>")

    def handle_data(self, data: str) -> None:
        self.parts += "".join(data.split())


@dataclass
class Site:
    """The published docs, and every page that can be reached from the first one, by path."""

    serving: Serving
    built: Path
    pages: dict[str, Page]

    def get(self, path: str) -> tuple[int, str, dict[str, str]]:
        return self.serving.get(HOST, path)


def read(serving: Serving) -> dict[str, Page]:
    pages: dict[str, Page] = {}
    wanted = ["/"]
    while wanted:
        path = wanted.pop()
        if path in pages:
            continue
        status, body, headers = serving.get(HOST, path)
        assert status == 200, path
        is_page = headers["Content-Type"].startswith("text/html")
        pages[path] = Page(body if is_page else "")
        wanted += [urlsplit(urljoin(path, link)).path for link in pages[path].links if not urlsplit(link).scheme]
    return pages


def push(built: Path, repository: Repository) -> None:
    """Run the script of the how-to."""
    document = (ROOT / "docs/how-to/generated-site.md").read_text(encoding="utf-8")
    script = document.partition("```sh\n")[2].partition("```")[0]
    typed = script.replace("https://forge.example.com/you/docs.git", str(repository.folder))
    who = {f"GIT_{role}_{what}": "tess@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["sh", "-euc", typed], cwd=built.parent, env=ENVIRONMENT | who, check=True, timeout=60)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("docs")
    (folder / "repositories").mkdir()
    built = folder / ".site"
    subprocess.run(
        [sys.executable, "-m", "properdocs", "build", "--strict", "--quiet", "--site-dir", str(built)],
        cwd=ROOT,
        check=True,
        timeout=110,
    )
    with GitServer(folder / "repositories") as git_server:
        push(built, git_server.repository("docs"))
        with Serving(folder / "state", ["--repo", git_server.url("docs"), "--branch", "pages"]) as serving:
            eventually(lambda: serving.get(HOST)[0] == 200)
            yield Site(serving, built, read(serving))


def test_the_first_page_has_a_section_for_each_reader(site: Site) -> None:
    assert {"for-site-owners", "for-administrators", "for-contributors"} <= site.pages["/"].ids


def test_a_deep_page_exists(site: Site) -> None:
    assert "staticsite-synced" in site.pages["/reference/conditions/"].ids


def test_a_missing_address_answers_with_a_page_of_links(site: Site) -> None:
    status, body, _ = site.get("/reference/nowhere/")
    page = Page(body)
    assert status == 404 and "No such page" in body
    for link in (*page.links, *page.loads):
        assert link.startswith(("/", "#", "data:")), f"{link} would lead elsewhere from another folder"
        assert link.startswith(("#", "data:")) or site.get(link)[0] == 200, link


def test_every_page_can_be_reached(site: Site) -> None:
    built = {f"/{path.parent.relative_to(site.built)}/" for path in site.built.rglob("index.html")}
    assert {path.replace("/./", "/") for path in built} <= site.pages.keys()


def test_every_page_is_in_the_navigation_of_every_page(site: Site) -> None:
    written = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    wanted = {f"/{path.with_suffix('')}/".removesuffix("index/") for path in written}
    for path, page in site.pages.items():
        if page.tags:
            assert wanted <= {urljoin(path, link) for link in page.links}, path


def test_every_link_has_a_page_and_an_anchor(site: Site) -> None:
    for path, page in site.pages.items():
        for link in page.links:
            target = urlsplit(urljoin(path, link))
            if not target.scheme:
                assert target.path in site.pages, f"{path}: {link}"
                assert not target.fragment or target.fragment in site.pages[target.path].ids, f"{path}: {link}"


def test_every_page_has_the_content_of_the_forge(site: Site) -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        address = f"/{path.relative_to(ROOT / 'docs').with_suffix('')}/".removesuffix("index/")
        main = site.pages[address].body.partition('<main id="content">')[2].partition("</main>")[0]
        without_marks = re.sub('<a class="headerlink".*?</a>', "", main)
        on_forge = MarkdownIt("commonmark").enable("table").render(path.read_text(encoding="utf-8"))
        assert Content(without_marks).parts == Content(on_forge).parts, address


def test_pages_load_only_their_own_stylesheet(site: Site) -> None:
    for path, page in site.pages.items():
        assert not page.tags & {"script", "style", "iframe", "object", "embed"}, path
        assert {urljoin(path, each) for each in page.loads} <= {"/style.css", "data:,"}, path
        assert not page.tags or "default-src 'none'" in page.body
    status, sheet, _ = site.get("/style.css")
    assert status == 200 and not re.search(r"url\(|@import", sheet)


def test_the_site_is_small(site: Site) -> None:
    assert sum(path.stat().st_size for path in site.built.rglob("*.*") if ".git" not in path.parts) < 2000 * KILOBYTES
    assert max(path.stat().st_size for path in site.built.rglob("*.html")) < 200 * KILOBYTES
