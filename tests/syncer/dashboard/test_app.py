"""The pages as they are sent: nothing in them is trusted, nothing can be changed through them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from syncer.dashboard import plain_words
from syncer.dashboard.app import create_app
from syncer.dashboard.journal import Entry
from syncer.service.sites import Seen
from syncer.webhooks.record import Delivery
from tests.support.dashboard import HOSTILE, Shown, condition, many, release, seen

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PAGES = ["/", "/?q=x&state=Error&sort=sync&page=2", "/namespaces/team/", "/namespaces/team/sites/docs"]


def client(*sites: Seen, problems: Sequence[str] = ()) -> FlaskClient:
    shown = Shown(sites)
    shown.events = [Entry(NOW, ok=False, event=HOSTILE, text=HOSTILE)]
    shown.deliveries = [Delivery(NOW, HOSTILE, HOSTILE, HOSTILE)]
    shown.commit_status = HOSTILE
    shown.problems = list(problems)
    return create_app(shown.view()).test_client()


def text(answer: TestResponse) -> str:
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_site_is_told_about_in_plain_words() -> None:
    page = text(client(seen("docs", phase="Error")).get("/namespaces/team/sites/docs"))
    for told in (
        "The repository has no such branch.",
        plain_words.of("BranchNotFound").todo,
        "Add a page",
        "1,200",
        "4.1 MiB",
        "in 1 minute",
        "https://forge.example.com/team/docs/commit/",
    ):
        assert told in page, told


def test_problems_of_rules_are_listed_by_line() -> None:
    problems = [
        {"file": "_redirects", "line": 7, "message": "there is no target"},
        {"file": "spec.headers", "line": 0, "message": "use spec.basicAuth <b>"},
    ]
    page = text(
        client(seen("docs", status={"rules": {"live": 1200, "rejected": 2, "problems": problems}})).get(PAGES[3])
    )
    assert "1,200 live, 0 without an effect, 2 rejected" in page
    assert "_redirects:7  there is no target" in page
    assert "spec.headers[0]  use spec.basicAuth &lt;b&gt;" in page


def test_of_a_pinned_site_it_is_said() -> None:
    site = seen("docs", revision="v1.2.0")
    assert "v1.2.0" in text(client(site).get("/namespaces/team/sites/docs"))
    assert "pinned" in text(client(site).get("/"))


@pytest.mark.parametrize("path", PAGES)
def test_whatever_stands_in_the_data_is_shown_and_never_run(path: str) -> None:
    status = {
        "message": HOSTILE,
        "url": "javascript:alert(1)",
        "lastCommit": HOSTILE[:60],
        "conditions": [condition("Synced", "Error", HOSTILE) | {"type": HOSTILE, "reason": HOSTILE}],
        "releases": [release(0, live=True, subject=HOSTILE) | {"commit": HOSTILE[:60]}],
    }
    hostile = seen("docs", phase="Error", branch="<b>&'\"</b>", status=status)
    answer = client(hostile).get(path)
    page = text(answer)
    assert not re.search(r"<script(?! src=\"[./]*-/dashboard\.js)|<img(?! src=\"[./]*-/icon\.svg)|onerror=\"", page)
    assert not re.search(r"(href|src|action)=\"?\s*(javascript|data|//)", page, re.IGNORECASE)
    assert "49" not in re.findall(r"\{\{7\*7\}\}|\b49\b", page)


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/-/dashboard.css", "/namespaces/none/"])
def test_every_answer_is_guarded(path: str) -> None:
    headers = client(seen("docs")).get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in headers
    assert headers["Cache-Control"] == ("public, max-age=86400" if path.startswith("/-/") else "no-store")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_it_can_only_be_read(method: str) -> None:
    for path in PAGES:
        answer = client(seen("docs")).open(path, method=method)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}
    assert client(seen("docs")).head("/").status_code == 200


def test_a_namespaces_page_shows_nothing_of_any_other() -> None:
    pages = client(seen("docs", "team"), seen("secret", "other"))
    for path in ("/namespaces/team/", "/namespaces/team/?q=secret", "/namespaces/team/sites/docs"):
        assert "other" not in text(pages.get(path))
    assert pages.get("/namespaces/team/sites/secret").status_code == 404
    for path in ("/namespaces/team/../other/", "/namespaces/team/..%2fother/", "/namespaces//", "/namespaces/team//"):
        assert "secret" not in pages.get(path).get_data(as_text=True)


def test_the_token_of_a_site_is_not_shown() -> None:
    site = seen("docs", status={"syncToken": "t0ken-of-docs"})
    assert not any("t0ken" in text(client(site).get(path)) for path in PAGES)


def test_a_syncer_that_is_not_at_work_says_so_and_nothing_else() -> None:
    for path in PAGES:
        answer = client(seen("docs"), problems=["another syncer is at work: pod-2"]).get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "pod-2" in answer.get_data(as_text=True)
        assert "forge.example.com" not in answer.get_data(as_text=True)


def test_a_page_of_a_hundred_rows_is_light() -> None:
    sites = many(2000)
    assert len(client(*sites).get("/").data) < 60_000
    failing = [seen(f"quite-a-long-name-{n}", "a-namespace", "Error") for n in range(100)]
    assert len(client(*failing).get("/").data) < 60_000


def test_all_addresses_are_relative_so_that_it_may_stand_below_a_path() -> None:
    for path in PAGES:
        page = text(client(seen("docs")).get(path))
        assert re.findall(r"(?:href|src|action)=\"/", page) == []


def test_where_there_is_nothing_it_says_what_to_do() -> None:
    assert "applies a StaticSite" in text(client().get("/"))
    assert "Show all" in text(client(seen("docs")).get("/?q=zzz"))
    assert client().get("/namespaces/team/").status_code == 404
