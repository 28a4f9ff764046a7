"""The dashboard in a real Chromium: by keyboard, on a phone, in the dark, without JavaScript, for a screen reader."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from cli.processes.listener import Listener
from syncer.dashboard.app import create_app
from syncer.dashboard.journal import Entry
from syncer.service.sites import Seen
from syncer.webhooks.record import Delivery
from tests.support import chromium
from tests.support.dashboard import COMMIT, HOSTILE, Shown, condition, many, release, seen

pytestmark = [chromium.needed, pytest.mark.xdist_group("chromium")]  # one is enough
NOW = datetime(2026, 11, 24, tzinfo=UTC)
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PAGES = [
    "/?q=site-123",
    "/?q=site-1+mian",
    "/?q=nothing-like-it",
    "/namespaces/ns-0/?q=site-12",
    "/namespaces/evil/sites/docs",
    "/nothing",
]
PAGES += ["/namespaces/ns-0/sites/site-0", "/namespaces/ns-0/sites/pinned", "/namespaces/ns-0/sites/new"]
MOVING = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration != '0s').length"


def sites() -> list[Seen]:
    status = {
        "message": HOSTILE * 5,
        "url": "javascript:alert(1)",
        "conditions": [condition("Ready", "Error", HOSTILE), condition("Synced", "Pending", "long" * 300)],
        "releases": [release(0, live=True, subject=HOSTILE)],
    }
    evil = seen("docs", "evil", "Error", branch="<b>x</b>", status=status)
    new = seen("new", "ns-0", "Pending", status={"url": None, "lastSync": None, "lastCommit": None, "releases": []})
    return [*many(2000), seen("pinned", "ns-0", revision="v1.2.0"), evil, new]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    shown = Shown(sites())
    shown.events = [Entry(NOW, ok=False, event="Unreachable", text=HOSTILE, times=3)]
    shown.deliveries = [Delivery(NOW, "forgejo", "push", "queued")]
    listener = Listener("127.0.0.1:0")
    listener.start(create_app(shown.view()))
    yield f"http://127.0.0.1:{listener.port}"
    listener.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.browser() as started:
        yield started


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Open a path in a new window; what the browser complains of, and whom it asks, is looked at in the end."""
    contexts, complaints, asked = [], [], []

    def open_path(path: str, **settings: Any) -> Page:
        context = browser.new_context(**({"viewport": DESKTOP} | settings))
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}{path}")
        return page

    yield open_path
    for context in contexts:
        context.close()
    assert [each for each in complaints if "404 (NOT FOUND)" not in each] == []
    assert [url for url in asked if not url.startswith(address)] == []


def focused(page: Page) -> str:
    text: str = page.evaluate("(document.activeElement.textContent || document.activeElement.id).trim()")
    return text


def test_it_can_be_walked_by_keyboard(open_page: Open) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.locator(".skip").click()  # it can be seen, now
    page.keyboard.press("Tab")
    assert focused(page) == "q"
    page.keyboard.type("site-1200")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=site-1200#content")
    page.locator("caption").wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        if focused(page) == "site-1200":
            break
    outline: str = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/namespaces/ns-0/sites/site-1200")
    assert page.locator("h1").inner_text() == "site-1200"


def test_a_slash_goes_to_the_search(open_page: Open) -> None:
    page = open_page("/")
    page.keyboard.press("/")
    page.keyboard.type("a/b")
    assert page.locator("#q").input_value() == "a/b"


@pytest.mark.parametrize("javascript", [True, False])
def test_search_filter_and_pages_work_with_and_without_javascript(open_page: Open, javascript: bool) -> None:
    page = open_page("/", java_script_enabled=javascript)
    assert page.locator("caption").inner_text() == "2,003 of 2,003 sites, page 1 of 21"
    page.get_by_role("link", name="Next").click()
    page.locator("caption", has_text="page 2 of 21").wait_for()
    page.get_by_role("navigation", name="By state").get_by_role("link", name="Error").click()
    page.locator("caption", has_text="21 of 2,003 sites").wait_for()
    assert page.locator("tbody tr").count() == 21
    page.get_by_label("Search").fill("ns-0 site-1")
    page.get_by_role("button", name="Search").click()
    page.locator("caption", has_text="11 of").wait_for()
    assert {each.strip() for each in page.locator("tbody .state").all_inner_texts()} == {"Error"}
    page.get_by_role("link", name="site-100", exact=True).click()
    page.locator("h1", has_text="site-100").wait_for()
    headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert headings == ["Conditions", "Releases", "Webhook deliveries", "Log"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_any_page(open_page: Open, scheme: str, viewport: dict[str, int]) -> None:
    """Labels, landmarks, headings, names, contrast: WCAG 2.2 AA and what is good practice."""
    found = {}
    for path in PAGES:
        page = open_page(path, color_scheme=scheme, viewport=viewport)
        report = Axe().run(page)
        if report.violations_count:
            found[path] = report.generate_report()
        page.close()
    assert found == {}


def test_no_page_is_wider_than_its_window(open_page: Open) -> None:
    for path in PAGES:
        page = open_page(path)
        for width in (320, 360, 768, 1024, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            wide: int = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, width)
        page.close()


def test_on_a_phone_a_sites_name_has_the_room_and_not_its_state(open_page: Open) -> None:
    page = open_page("/?state=Error", viewport={"width": 320, "height": 740})
    name, state = (
        page.locator(f".sites tbody tr:first-child > {each}").bounding_box() for each in ("th", "td >> nth=0")
    )
    assert name and state and name["width"] > state["width"]


def test_the_dark_is_dark(open_page: Open) -> None:
    grounds = [
        open_page("/", color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert grounds == ["rgb(246, 247, 249)", "rgb(17, 20, 26)"]


def test_what_is_hostile_is_text_and_nothing_more(open_page: Open) -> None:
    for path in ("/?q=evil", "/namespaces/evil/sites/docs"):
        page = open_page(path)
        assert "owned" not in page.title()
        assert HOSTILE[:30] in page.locator("main").inner_text()
        assert page.locator("main img, main script").count() == 0
        assert page.locator("a[href^='javascript:']").count() == 0


def test_a_rollback_can_be_copied(open_page: Open) -> None:
    page = open_page("/namespaces/ns-0/sites/site-0", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the command").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied: str = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("kubectl -n ns-0 patch site site-0")
    assert f"1{COMMIT[1:]}" in copied


def test_nothing_moves_for_who_does_not_want_it(open_page: Open) -> None:
    moving: int = open_page("/", reduced_motion="reduce").evaluate(MOVING)
    assert moving == 0
